import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import {
  createNoise,
  draws,
  fillNoise,
  foldIn,
  type Key,
  keyOf,
  type NoiseKind,
  threefry2x32,
  words,
} from "./noise.ts";

const N = 200_000;

function normals(key: Key, counter: number, count = N): Float32Array {
  const out = new Float32Array(count);
  fillNoise(out, { key, counters: Int32Array.of(counter), width: count, kind: "normal" });
  return out;
}
const mean = (x: ArrayLike<number>, f: (x: number, i: number) => number) =>
  Array.from(x, f).reduce((a, b) => a + b, 0) / x.length;

Deno.test("threefry2x32() matches known answers", () => {
  // Random123 kat_vectors, threefry 2 32 20; the same as tests/random_test.py of JAX.
  assert.deepEqual(threefry2x32([0, 0], 0, 0), [0x6b200159, 0x99ba4efe]);
  assert.deepEqual(threefry2x32([0xffffffff, 0xffffffff], 0xffffffff, 0xffffffff), [
    0x1cb996fc,
    0xbb002be7,
  ]);
  assert.deepEqual(threefry2x32([0x13198a2e, 0x03707344], 0x243f6a88, 0x85a308d3), [
    0xc4923a9c,
    0x483df7a0,
  ]);
});

Deno.test("keyOf() and foldIn() agree with JAX", () => {
  assert.deepEqual(keyOf(42), [0, 42]);
  assert.deepEqual(keyOf(2 ** 40 + 7), [256, 7]);
  // jax 0.10.2: jax.random.key_data(jax.random.fold_in(jax.random.key(42), d))
  assert.deepEqual(foldIn(keyOf(42), 0), [0x6d3e048f, 0x1022172d]);
  assert.deepEqual(foldIn(keyOf(42), 7), [0x97d0552f, 0x51bf719f]);
  assert.deepEqual(foldIn(keyOf(42), 4294967295), [0x8ef6c48d, 0xe7eb97ca]);
  assert.deepEqual(foldIn(foldIn(keyOf(42), 1), 2), [0x0f54c820, 0x21d74c97]);
  // jax.extend.random.threefry_2x32([0, 42], [0, 1, 2, 9, 9, 9]): blocks (0, 9), (1, 9), (2, 9)
  assert.deepEqual(
    [...words(keyOf(42), 9, 6)],
    [0x4349448b, 0x92d8bf3b, 0x6ad8072e, 0x09f7b18f, 0x0bd37b66, 0xbc21de87],
  );
  assert.throws(() => keyOf(-1), /Seed must be .*, got -1/);
  assert.throws(() => foldIn(keyOf(0), 0.5), /must be .*, got 0\.5/);
  assert.notDeepEqual(foldIn(keyOf(0), "a"), foldIn(keyOf(0), "b"));
});

Deno.test("fillNoise() equals draws() bit for bit, for even and odd widths and across kernel calls", () => {
  for (const kind of ["normal", "uniform"] as NoiseKind[]) {
    for (const width of [1, 2, 7, 1000, 65537, 140_001]) {
      const counters = Int32Array.of(0, 5, -1);
      const out = new Float32Array(3 * width);
      fillNoise(out, { key: [123456789, -5 >>> 0], counters, width, kind });
      counters.forEach((counter, row) => {
        const expected = draws([123456789, -5 >>> 0], { counter, count: width, kind });
        assert.deepEqual(
          out.subarray(row * width, (row + 1) * width),
          expected,
          `${kind} ${width} ${counter}`,
        );
      });
    }
  }
});

Deno.test("draws() of normals match Box and Muller's formula within 1e-6", () => {
  const bits = words(keyOf(3), 9, N);
  const z = draws(keyOf(3), { counter: 9, count: N, kind: "normal" });
  let worst = 0;
  for (let i = 0; i < N; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(Math.fround(Math.fround(bits[i]) + 1) * 2 ** -32));
    const angle = 2 * Math.PI * (bits[i + 1] >>> 8) * 2 ** -24;
    worst = Math.max(
      worst,
      Math.abs(z[i] - radius * Math.cos(angle)),
      Math.abs(z[i + 1] - radius * Math.sin(angle)),
    );
  }
  assert(worst < 1e-6, `error ${worst}`);
});

Deno.test("fillNoise() normals have the moments of N(0, 1)", () => {
  const z = normals(keyOf(1), 0);
  // Four standard errors of the mean, variance, skewness and kurtosis of N normals (false alarm: 6e-5 each).
  assert(Math.abs(mean(z, (x) => x)) < 4 * Math.sqrt(1 / N));
  assert(Math.abs(mean(z, (x) => x * x) - 1) < 4 * Math.sqrt(2 / N));
  assert(Math.abs(mean(z, (x) => x ** 3)) < 4 * Math.sqrt(15 / N));
  assert(Math.abs(mean(z, (x) => x ** 4) - 3) < 4 * Math.sqrt(96 / N));
  // Kolmogorov and Smirnov: sup |F_n - F| < 1.95 / sqrt(n) with probability 0.999.
  const sorted = Float64Array.from(z).sort();
  const distance = sorted.reduce(
    (d, x, i) => Math.max(d, Math.abs(normalCdf(x) - (i + 0.5) / N)),
    0,
  );
  assert(distance < 1.95 / Math.sqrt(N), `Kolmogorov distance ${distance}`);
});

Deno.test("fillNoise() streams of neighbouring elements, counters and keys are uncorrelated", () => {
  const z = normals(keyOf(1), 0);
  const others = {
    "next element": [...z.slice(1), z[0]],
    "next pair": [...z.slice(2), z[0], z[1]],
    "next counter": normals(keyOf(1), 1),
    "next seed": normals(keyOf(2), 0),
    "split": normals(foldIn(keyOf(1), "a"), 0),
  };
  for (const [name, other] of Object.entries(others)) {
    for (
      const [what, f] of [["", (x: number) => x], [
        " of squares",
        (x: number) => (x * x - 1) / Math.SQRT2,
      ]] as const
    ) {
      const correlation = mean(z, (x, i) => f(x) * f(other[i]));
      assert(
        Math.abs(correlation) < 4.5 / Math.sqrt(N),
        `${name}${what}: correlation ${correlation}`,
      );
    }
  }
});

Deno.test("createNoise() identifies streams by path and refuses to draw one twice", async () => {
  await tf.setBackend("cpu");
  const step = tf.scalar(3, "int32");
  const draw = (
    ...path: (string | number)[]
  ) => [...createNoise(keyOf(0), step).split(...path).normal([4]).dataSync()];
  assert.deepEqual(draw("a", "b"), draw("a", "b"));
  assert.notDeepEqual(draw("a", "b"), draw("b", "a"));
  const noise = createNoise(keyOf(0), step);
  assert.deepEqual([...noise.split("a").split("b").normal([4]).dataSync()], draw("a", "b"));
  assert.throws(() => noise.split("a", "b").uniform([2]), /"a\/b" was drawn twice/);
  const rows = noise.normalOfRows(tf.tensor1d([7, 2, 7], "int32"), 3).arraySync();
  assert.deepEqual(rows[0], rows[2]);
  assert.notDeepEqual(rows[0], rows[1]);
});

/** Standard normal CDF by Abramowitz and Stegun 26.2.17; error below 7.5e-8. */
function normalCdf(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const tail = Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI) *
    t *
    (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return x > 0 ? 1 - tail : tail;
}

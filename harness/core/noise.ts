/**
 * Counter-based random numbers: threefry2x32-20 (Salmon et al. 2011, "Parallel random numbers: as easy
 * as 1, 2, 3"), keyed and folded as in JAX (`jax.random.key`, `jax.random.fold_in`). A number depends only
 * on (seed, path, counter, index), not on the device, the order of draws, or a crash.
 *
 * Block b of the stream with key k at counter c is threefry2x32(k, [b, c]); its two words make elements
 * 2b and 2b + 1. The counter is the training step, or the row index for numbers that belong to a row.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import {
  COSINE,
  LARGE_SIGNIFICAND,
  LN2_HIGH,
  LN2_LOW,
  LOGARITHM,
  PARITY,
  ROTATIONS,
  SINE,
} from "./noise_constants.ts";
import * as kernel from "./noise_kernel.wasm";
import type { Noise } from "./types.ts";

/** A key of threefry2x32: two 32-bit words. */
export type Key = readonly [number, number];

/**
 * Computes one block of threefry2x32 with 20 rounds: two words from a key and two counter words, all uint32.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * // The known-answer vectors of Random123 (kat_vectors, threefry 2 32 20), as in jax/tests/random_test.py.
 * assert.deepEqual(threefry2x32([0, 0], 0, 0), [0x6b200159, 0x99ba4efe]);
 * assert.deepEqual(
 *   threefry2x32([0x13198a2e, 0x03707344], 0x243f6a88, 0x85a308d3),
 *   [0xc4923a9c, 0x483df7a0],
 * );
 * // jax 0.10.2: jax.random.key_data(jax.random.fold_in(jax.random.key(42), 7))
 * assert.deepEqual(foldIn(keyOf(42), 7), [0x97d0552f, 0x51bf719f]);
 * ```
 */
export function threefry2x32(key: Key, c0: number, c1: number): [number, number] {
  const schedule = [key[0], key[1], key[0] ^ key[1] ^ PARITY];
  let x0 = (c0 + key[0]) | 0;
  let x1 = (c1 + key[1]) | 0;
  for (let group = 0; group < 5; group++) {
    for (const r of ROTATIONS[group & 1]) {
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << r) | (x1 >>> (32 - r))) ^ x0;
    }
    x0 = (x0 + schedule[(group + 1) % 3]) | 0;
    x1 = (x1 + schedule[(group + 2) % 3] + group + 1) | 0;
  }
  return [x0 >>> 0, x1 >>> 0];
}

/** The key of a seed in [0, 2^53), as `jax.random.key(seed)` with 64-bit seeds. Throws RangeError for other seeds. */
export function keyOf(seed: number): Key {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new RangeError(`Seed must be an integer in [0, 2^53), got ${seed}`);
  }
  return [Math.floor(seed / 2 ** 32), seed >>> 0];
}

/** Derives the key named `part` from `key`: `jax.random.fold_in` for integers in [0, 2^32); hashes text by FNV-1a first. */
export function foldIn(key: Key, part: number | string): Key {
  if (typeof part === "string") return threefry2x32(key, 1, fnv1a(part));
  if (!Number.isInteger(part) || part < 0 || part >= 2 ** 32) {
    throw new RangeError(
      `Part of a noise path must be an integer in [0, 2^32) or text, got ${part}`,
    );
  }
  return threefry2x32(key, 0, part);
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** The first `count` raw uint32 words of the stream of `key` at `counter`. */
export function words(key: Key, counter: number, count: number): Uint32Array {
  const out = new Uint32Array(count);
  for (let i = 0; i < count; i += 2) {
    const [a, b] = threefry2x32(key, i >>> 1, counter);
    out[i] = a;
    if (i + 1 < count) out[i + 1] = b;
  }
  return out;
}

/** Distribution of the draws: standard normal, or uniform in [0, 1). */
export type NoiseKind = "normal" | "uniform";

/** Fills `out` [counters.length, width] with the streams of `key` at each counter, as {@link draws} but by SIMD. */
export function fillNoise(
  out: Float32Array,
  { key, counters, width, kind }: {
    key: Key;
    counters: Int32Array;
    width: number;
    kind: NoiseKind;
  },
): void {
  counters.forEach((counter, row) => {
    for (let begin = 0; begin < width; begin += KERNEL_CAPACITY) {
      const size = Math.min(KERNEL_CAPACITY, width - begin);
      kernel.fill(
        key[0],
        key[1],
        counter,
        begin / 2,
        Math.ceil(size / 2),
        kind === "uniform" ? 1 : 0,
      );
      out.set(kernelBuffer.subarray(0, size), row * width + begin);
    }
  });
}

/** Maximum number of floats that one call of the kernel writes. */
const KERNEL_CAPACITY = 65536;
const kernelBuffer = new Float32Array(kernel.memory.buffer, kernel.buffer(), KERNEL_CAPACITY);

/**
 * The first `count` elements of the stream of `key` at `counter`. This is the definition, with which the kernel agrees
 * bit for bit. All arithmetic is float32, each operation rounded.
 *
 * Uniforms are the upper 24 bits of a word. Normals come in pairs from the two words (a, b) of a block (Box and Muller
 * 1958): sqrt(-2 ln u) times cos and sin of 2 pi v, with u = (a + 1)/2^32 in (0, 1], rounded, and v the uniform of b, so
 * their absolute value is at most 6.66. The error relative to exact arithmetic on the same u and v is below 1e-6.
 */
export function draws(
  key: Key,
  { counter, count, kind }: { counter: number; count: number; kind: NoiseKind },
): Float32Array {
  const bits = words(key, counter, count + (count & 1));
  const out = new Float32Array(bits.length);
  for (let i = 0; i < out.length; i += 2) {
    const pair = kind === "normal"
      ? boxMuller(bits[i], bits[i + 1])
      : [unit(bits[i]), unit(bits[i + 1])];
    out.set(pair, i);
  }
  return out.subarray(0, count);
}

/** Standard normal draws [rows][width] of seed 0 and the stream `path`, the same on every machine. */
export function fixedNormals(
  path: string,
  { rows, width }: { readonly rows: number; readonly width: number },
): number[][] {
  const flat = draws(foldIn(keyOf(0), path), { counter: 0, count: rows * width, kind: "normal" });
  return Array.from({ length: rows }, (_, i) => [...flat.subarray(i * width, (i + 1) * width)]);
}

const { fround } = Math;

function unit(word: number): number {
  return (word >>> 8) * 2 ** -24; // exact
}

function boxMuller(a: number, b: number): [number, number] {
  const radius = fround(Math.sqrt(-2 * logarithm(a)));
  // The angle is a quadrant plus a remainder in [-pi/4, pi/4].
  const turns = unit(b) * 4;
  const quadrant = Math.floor(fround(turns + 0.5));
  const x = fround((turns - quadrant) * fround(Math.PI / 2));
  const z = fround(x * x);
  const s = fround(fround(fround(horner(SINE, z) * z) * x) + x);
  const c = fround(fround(fround(fround(horner(COSINE, z) * z) * z) - fround(0.5 * z)) + 1);
  const [cosine, sine] = quadrant & 1 ? [s, c] : [c, s];
  const sign = (negative: number) => negative & 1 ? -1 : 1;
  return [
    fround(radius * cosine * sign((quadrant + 1) >> 1)),
    fround(radius * sine * sign(quadrant >> 1)),
  ];
}

/** Computes ln((word + 1)/2^32). */
function logarithm(word: number): number {
  const u = fround(fround(fround(word) + 1) * 2 ** -32); // = m 2^e with m in [sqrt(1/2), sqrt(2))
  let e = Math.floor(Math.log2(u));
  let m = u / 2 ** e;
  if (m > fround(LARGE_SIGNIFICAND)) {
    m *= 0.5;
    e += 1;
  }
  const x = fround(m - 1);
  const z = fround(x * x);
  let y = fround(fround(horner(LOGARITHM, x) * x) * z);
  y = fround(y + fround(fround(LN2_LOW) * e));
  y = fround(y - fround(0.5 * z));
  return fround(fround(x + y) + fround(LN2_HIGH * e));
}

function horner([first, ...rest]: readonly number[], x: number): number {
  return rest.reduce((sum, c) => fround(fround(sum * x) + fround(c)), fround(first));
}

/** Name of the tfjs kernel of all draws: from {counters int32 [m]} and {key, width, kind} to float32 [m, width]. */
export const NOISE_KERNEL = "Noise";

tf.registerKernel({
  kernelName: NOISE_KERNEL,
  backendName: "cpu",
  kernelFunc: ({ inputs, attrs, backend }) => {
    const counters = inputs.counters as tf.TensorInfo;
    const { key, width, kind } = attrs as unknown as { key: Key; width: number; kind: NoiseKind };
    const cpu = backend as unknown as {
      readSync(id: object): Int32Array;
      makeTensorInfo(shape: number[], dtype: string, values: Float32Array): tf.TensorInfo;
    };
    const out = new Float32Array(counters.shape[0] * width);
    fillNoise(out, { key, counters: cpu.readSync(counters.dataId), width, kind });
    return cpu.makeTensorInfo([counters.shape[0], width], "float32", out);
  },
});

/** The noise of `key` at training step `step`, an int32 scalar; 0 for one-time draws such as initial weights. */
export function createNoise(key: Key, step: tf.Scalar): Noise {
  return noiseBelow(key, step, [], new Set());
}

function noiseBelow(key: Key, step: tf.Scalar, path: readonly string[], drawn: Set<string>): Noise {
  const draw = (counters: tf.Tensor1D, width: number, kind: NoiseKind) =>
    tf.engine().runKernel(
      NOISE_KERNEL,
      { counters } as unknown as tf.NamedTensorMap,
      { key, width, kind } as unknown as Record<string, never>,
    ) as tf.Tensor2D;
  const once = (shape: readonly number[], kind: NoiseKind) => {
    const name = path.join("/");
    if (drawn.has(name)) {
      throw new Error(
        `Noise path "${name}" was drawn twice, which would give the same numbers: split it under another name`,
      );
    }
    drawn.add(name);
    const size = shape.reduce((a, b) => a * b, 1);
    return tf.reshape(draw(tf.reshape(step, [1]), size, kind), shape as number[]);
  };
  return {
    split: (...parts) =>
      noiseBelow(parts.reduce<Key>(foldIn, key), step, [...path, ...parts.map(String)], drawn),
    normal: <T extends tf.Tensor>(shape: readonly number[]) => once(shape, "normal") as T,
    uniform: <T extends tf.Tensor>(shape: readonly number[]) => once(shape, "uniform") as T,
    normalOfRows: (rows, width) => draw(rows, width, "normal"),
  };
}

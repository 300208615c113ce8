/**
 * Counter-based random numbers: threefry2x32-20 (Salmon et al. 2011, "Parallel random numbers: as easy
 * as 1, 2, 3"), keyed and folded as in JAX (`jax.random.key`, `jax.random.fold_in`), so that a number
 * depends on (seed, path, counter, index) alone: not on the device, the order of draws, or a crash.
 *
 * Block b of the stream with key k at counter c is threefry2x32(k, [b, c]); its two words make elements
 * 2b and 2b + 1. The counter is the training step, or a row number for numbers that belong to a row.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Noise } from "./types.ts";

/** Two 32-bit words. */
export type Key = readonly [number, number];

const ROTATIONS = [[13, 15, 26, 6], [17, 29, 16, 24]] as const;
/** The constant of the threefish key schedule for 32-bit words. */
const PARITY = 0x1BD11BDA;

/**
 * One block of threefry2x32 with 20 rounds: two words from a key and two counter words, all uint32.
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

/** The key of a seed (an integer in [0, 2^53)), as `jax.random.key(seed)` with 64-bit seeds. */
export function keyOf(seed: number): Key {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new RangeError(`Seed ${seed} is not an integer in [0, 2^53)`);
  }
  return [Math.floor(seed / 2 ** 32), seed >>> 0];
}

/** The key below `key` named `part`: `jax.random.fold_in` for integers; text is hashed (FNV-1a, 32 bits) first. */
export function foldIn(key: Key, part: number | string): Key {
  if (typeof part === "string") return threefry2x32(key, 1, fnv1a(part));
  if (!Number.isInteger(part) || part < 0 || part >= 2 ** 32) {
    throw new RangeError(`Noise path part ${part} is not an integer in [0, 2^32)`);
  }
  return threefry2x32(key, 0, part);
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** Raw words of the stream: `count` uint32 words of `key` at `counter`, from element 0. */
export function words(key: Key, counter: number, count: number): Uint32Array {
  const out = new Uint32Array(count);
  for (let i = 0; i < count; i += 2) {
    const [a, b] = threefry2x32(key, i >>> 1, counter);
    out[i] = a;
    if (i + 1 < count) out[i + 1] = b;
  }
  return out;
}

/** What a noise kernel draws. */
export type NoiseKind = "normal" | "uniform";

/** Fills `out` [counters.length, width] with the streams of `key` at each counter. */
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
    const bits = words(key, counter, width + (width & 1));
    for (let i = 0; i < width; i += 2) {
      const [a, b] = kind === "normal"
        ? boxMuller(bits[i], bits[i + 1])
        : [(bits[i] >>> 8) * 2 ** -24, (bits[i + 1] >>> 8) * 2 ** -24];
      out[row * width + i] = a;
      if (i + 1 < width) out[row * width + i + 1] = b;
    }
  });
}

/** Two standard normals from two words (Box and Muller 1958). */
function boxMuller(a: number, b: number): [number, number] {
  const radius = Math.sqrt(-2 * Math.log((a + 1) * 2 ** -32));
  const angle = 2 * Math.PI * (b >>> 8) * 2 ** -24;
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

/** Name of the tfjs kernel behind every draw: {counters int32 [m]} and {key, width, kind} to float32 [m, width]. */
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

/** The stream of `key` at training step `step` (int32 scalar; 0 for what is drawn once, as initial weights). */
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
        `Noise path "${name}" was drawn twice: the same numbers would come back; split it under another name`,
      );
    }
    drawn.add(name);
    const size = shape.reduce((a, b) => a * b, 1);
    return tf.reshape(draw(tf.reshape(step, [1]), size, kind), shape as number[]);
  };
  return {
    split: (...parts) =>
      noiseBelow(parts.reduce<Key>(foldIn, key), step, [...path, ...parts.map(String)], drawn),
    normal: (shape) => once(shape, "normal"),
    uniform: (shape) => once(shape, "uniform"),
    normalOfRows: (rows, width) => draw(rows, width, "normal"),
  };
}

/**
 * Random substitutes for Inception's weights and for images, made by an integer hash that ci/parity/inception.py
 * computes too, so that tests and benches do not need the file of 95 MB.
 *
 * @module
 */
import { inceptionParameters } from "./inception_network.ts";
import type { Raster } from "./resize.ts";
import type { Weights, WeightTensor } from "../../formats/torch_file.ts";

/** Uniform numbers in [0, 1): MurmurHash3's finalizer over index * odd constant + FNV-1a(name). */
export function hashUniform(name: string, count: number): Float64Array {
  let base = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) base = Math.imul(base ^ byte, 0x01000193);
  const out = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    let h = (Math.imul(i, 0x9e3779b1) + base) | 0;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    out[i] = ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
  }
  return out;
}

/** Random values of every parameter, scaled so that activations keep their magnitude through the network. */
export function randomWeights(): Weights {
  const weights = new Map<string, WeightTensor>();
  for (const [name, shape] of inceptionParameters()) {
    const count = shape.reduce((a, b) => a * b, 1);
    const value = distribution(name, count / shape[0]);
    const uniform = hashUniform(name, count);
    const data = new Float32Array(count);
    for (let i = 0; i < count; i++) data[i] = value(uniform[i]);
    weights.set(name, { shape, data });
  }
  return weights;
}

function distribution(name: string, fanIn: number): (u: number) => number {
  if (name.endsWith("conv.weight")) {
    const range = Math.sqrt(24 / fanIn); // variance 2 / fan-in (He et al. 2015)
    return (u) => (u - 0.5) * range;
  }
  if (name === "fc.weight") return (u) => (u - 0.5) * 0.1;
  if (name.endsWith("bn.weight")) return (u) => 0.75 + 0.5 * u;
  if (name.endsWith("running_var")) return (u) => 0.5 + u;
  return (u) => 0.5 * (u - 0.5);
}

/** An image of noise plus a gradient from left to right. */
export function randomImage(name: string, height: number, width: number): Raster {
  const noise = hashUniform(name, height * width * 3);
  const data = Uint8Array.from(
    noise,
    (u, i) => Math.floor(128 * u + 127 * ((Math.floor(i / 3) % width) / width)),
  );
  return { height, width, data };
}

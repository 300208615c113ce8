/**
 * Draws written down and played back, so that another implementation can make the same step: the border to
 * ci/parity/methods.py.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import type {
  HostArray,
  HostArrays,
  Hyperparams,
  Noise,
  Problem,
} from "../../harness/core/types.ts";
import { toTensor } from "../../harness/core/host_arrays.ts";

/** An array as text: shape, and base64 of little-endian float32 or int32. */
export interface EncodedArray {
  readonly shape: readonly number[];
  readonly dtype: HostArray["dtype"];
  readonly base64: string;
}

export type EncodedArrays = Readonly<Record<string, EncodedArray>>;

/** One step of a method with all that goes in, and what came out of the other implementation. */
export interface ParityCase {
  readonly name: string;
  readonly method: string;
  readonly problem: Problem;
  readonly hyper: Hyperparams;
  readonly state: EncodedArrays;
  readonly inputs: EncodedArrays;
  /** Draws of the step by their path. */
  readonly noise: EncodedArrays;
  /** Entries of the state that the other implementation replaced. */
  readonly next: EncodedArrays;
  readonly metrics: Readonly<Record<string, number>>;
}

export function encodeArrays(arrays: HostArrays): Record<string, EncodedArray> {
  return Object.fromEntries(
    Object.entries(arrays).map(([name, { shape, dtype, data }]) => [
      name,
      {
        shape,
        dtype,
        base64: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64"),
      },
    ]),
  );
}

export function decodeArrays(arrays: EncodedArrays): Record<string, HostArray> {
  return Object.fromEntries(
    Object.entries(arrays).map(([name, { shape, dtype, base64 }]) => {
      const { buffer } = Uint8Array.from(Buffer.from(base64, "base64"));
      const data = dtype === "float32" ? new Float32Array(buffer) : new Int32Array(buffer);
      return [name, { shape, dtype, data }];
    }),
  );
}

/** Noise that calls `draw` with the path of each draw and what `source` would give. */
function tapped(
  source: Noise,
  path: readonly string[],
  draw: <T extends tf.Tensor>(name: string, make: () => T) => T,
): Noise {
  const name = path.join("/");
  return {
    split: (...parts) => tapped(source.split(...parts), [...path, ...parts.map(String)], draw),
    normal: <T extends tf.Tensor>(shape: readonly number[]) =>
      draw(name, () => source.normal<T>(shape)),
    uniform: <T extends tf.Tensor>(shape: readonly number[]) =>
      draw(name, () => source.uniform<T>(shape)),
    normalOfRows: (rows, width) => draw(name, () => source.normalOfRows(rows, width)),
  };
}

/** `source`, and the draws that were made from it so far, by path. Reads values: for eager steps only. */
export function recordNoise(
  source: Noise,
): { readonly noise: Noise; readonly draws: Record<string, HostArray> } {
  const draws: Record<string, HostArray> = {};
  const noise = tapped(source, [], (name, make) => {
    const t = make();
    draws[name] = { shape: t.shape, dtype: "float32", data: t.dataSync<"float32">().slice() };
    return t;
  });
  return { noise, draws };
}

/** Noise that gives back `draws` by path, in place of those of `source`. */
export function replayNoise(source: Noise, draws: HostArrays): Noise {
  return tapped(source, [], <T extends tf.Tensor>(name: string) => {
    const array = draws[name];
    if (array === undefined) throw new RangeError(`No draw was recorded for "${name}"`);
    return toTensor<T>(array);
  });
}

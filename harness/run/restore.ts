import type * as tf from "@tensorflow/tfjs";
import { createNoise, type Key } from "../core/noise.ts";
import { NotFiniteError } from "../core/not_finite.ts";
import { unflatten } from "../core/tree.ts";
import type { Device, DeviceState, ImageSet, Restoration } from "../core/types.ts";
import { imagesOfRows, seenOfRows } from "./batches.ts";

/** Images per call of the compiled program for a model that fits chains: memory grows with their steps. */
export const FITTED_CHUNK = 10;

/** Restored images of [0, 1], row-major, and the state. */
export interface Restored {
  readonly state: DeviceState;
  readonly values: Float32Array;
}

/**
 * Restores each of `images`, or their hidden pixels, `chunk` images a call; the index of the chunk is the counter of the noise.
 * Consumes `state`. Throws NotFiniteError named by `what`.
 */
export async function restoreImages(
  state: DeviceState,
  { device, key, images, chunk: most, what, restore }: {
    readonly device: Device;
    readonly key: Key;
    readonly images: ImageSet;
    readonly chunk: number;
    readonly what: string;
    readonly restore: Restoration["restore"];
  },
): Promise<Restored> {
  const { count } = images;
  const chunk = Math.min(most, count);
  const inputsFrom = (from: number) => {
    // A partial last chunk is padded with the first images.
    const rows = Int32Array.from({ length: chunk }, (_, i) => (from + i) % count);
    return {
      images: imagesOfRows(images, rows),
      ...images.seen && { seen: seenOfRows(images, rows) },
      draw: { shape: [], dtype: "int32", data: Int32Array.of(from / chunk) } as const,
    };
  };
  await using program = await device.compile(({ state, inputs }) => {
    const given = {
      images: inputs.images as tf.Tensor4D,
      seen: inputs.seen as tf.Tensor4D | undefined,
    };
    const noise = createNoise(key, inputs.draw as tf.Scalar);
    return { outputs: { images: restore(unflatten(state), given, noise) } };
  }, { state: state.specs, inputs: inputsFrom(0) });
  const values = new Float32Array(images.pixels.length);
  const size = values.length / count;
  let reached = state;
  for (let from = 0; from < count; from += chunk) {
    const result = await program.run(reached, inputsFrom(from));
    reached = result.state;
    const wanted = Math.min(chunk, count - from) * size;
    values.set(result.outputs.images.data.subarray(0, wanted) as Float32Array, from * size);
  }
  const wrong = values.find((value) => !Number.isFinite(value));
  if (wrong !== undefined) throw new NotFiniteError(what, wrong);
  return { state: reached, values };
}

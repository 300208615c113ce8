import type { Scalar, Tensor4D } from "@tensorflow/tfjs";
import { imagesOfRows } from "./batches.ts";
import { createNoise, type Key } from "../core/noise.ts";
import { unflatten } from "../core/tree.ts";
import { toBytes } from "./generator.ts";
import type { Device, DeviceState, ImageBatch, ImageSet, Latents } from "../core/types.ts";

/** Number of reconstructed images, and of images per row of the picture. */
const COUNT = 50;
const COLUMNS = 10;

/** Images and their reconstructions. */
export interface Reconstructions {
  readonly state: DeviceState;
  /** Rows of up to ten images, each followed by a row of their reconstructions. */
  readonly pairs: ImageBatch;
  /** Mean over images and pixels in [0, 1], at one posterior draw per image. */
  readonly squaredError: number;
}

/** Draws one latent from the posterior of each of the first images of `images` and decodes it. Consumes `state`. */
export async function reconstruct(
  device: Device,
  { latents, key, state, images }: {
    readonly latents: Latents;
    readonly key: Key;
    readonly state: DeviceState;
    readonly images: ImageSet;
  },
): Promise<Reconstructions> {
  const count = Math.min(COUNT, images.count);
  const inputs = {
    images: imagesOfRows(images, Int32Array.from({ length: count }, (_, i) => i)),
    draw: { shape: [], dtype: "int32", data: Int32Array.of(0) },
  } as const;
  await using program = await device.compile(({ state, inputs }) => {
    const noise = createNoise(key, inputs.draw as Scalar);
    const tree = unflatten(state);
    const z = latents.infer(tree, inputs.images as Tensor4D, noise);
    return { outputs: { images: latents.decode(tree, z) } };
  }, { state: state.specs, inputs });
  const result = await program.run(state, inputs);
  const made = result.outputs.images.data as Float32Array;
  const given = inputs.images.data;
  const squaredError = made.reduce((sum, v, i) => sum + (v - given[i]) ** 2, 0) / made.length;
  return {
    state: result.state,
    pairs: interleave(images, { bytes: toBytes(made), count }),
    squaredError,
  };
}

/** Complete rows of COLUMNS images, each followed by its reconstructions. */
function interleave(
  { image, pixels }: ImageSet,
  { bytes, count }: { readonly bytes: Uint8Array; readonly count: number },
): ImageBatch {
  const size = image.height * image.width * image.channels;
  const columns = Math.min(COLUMNS, count);
  const rows = Math.floor(count / columns);
  const line = columns * size;
  const pairs = new Uint8Array(2 * rows * line);
  for (let row = 0; row < rows; row++) {
    const from = row * line;
    pairs.set(pixels.subarray(from, from + line), 2 * from);
    pairs.set(bytes.subarray(from, from + line), 2 * from + line);
  }
  return { image, count: 2 * rows * columns, pixels: pairs };
}

import type * as tf from "@tensorflow/tfjs";
import { firstImages } from "../core/image_set.ts";
import { mean } from "../statistics/summary.ts";
import { imagesOfRows } from "./batches.ts";
import { createNoise, type Key } from "../core/noise.ts";
import { unflatten } from "../core/tree.ts";
import { toBytes } from "./generator.ts";
import { layPaths, pathCountOf, pathsBetween } from "./interpolate.ts";
import { fitImages } from "./restore.ts";
import type {
  Device,
  DeviceState,
  ImageBatch,
  ImageSet,
  Latents,
  Restoration,
} from "../core/types.ts";

/** Number of reconstructed images, and of images per row of the picture. */
const COUNT = 50;
const COLUMNS = 10;

/** Images and their reconstructions. */
export interface Reconstructions {
  readonly state: DeviceState;
  /** Rows of up to ten images, each followed by a row of their reconstructions. */
  readonly pairs: ImageBatch;
  /** Rows of ten: an image, decoded points from its latent to that of the next image, the next image. */
  readonly interpolations: ImageBatch;
  /** Mean over images and pixels in [0, 1], at one posterior draw per image. */
  readonly squaredError: number;
  /** The same at the latents of `fit`, if the model has it. */
  readonly fitError?: number;
}

/**
 * Draws one latent from the posterior of each of the first images of `images` and decodes it, and points on the straight line
 * between the latents of neighbours. Consumes `state`.
 */
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
  const pathCount = pathCountOf(count);
  const inputs = {
    images: imagesOfRows(images, Int32Array.from({ length: count }, (_, i) => i)),
    draw: { shape: [], dtype: "int32", data: Int32Array.of(0) },
  } as const;
  await using program = await device.compile(({ state, inputs }) => {
    const noise = createNoise(key, inputs.draw as tf.Scalar);
    const tree = unflatten(state);
    const z = latents.infer(tree, inputs.images as tf.Tensor4D, noise);
    const images = latents.decode(tree, z);
    const points = pathCount === 0 ? undefined : latents.decode(tree, pathsBetween(z, pathCount));
    const fit = latents.fit?.(tree, inputs.images as tf.Tensor4D, noise.split("fit"));
    const fitted = fit && latents.decode(tree, fit);
    return { outputs: { images, ...points && { points }, ...fitted && { fitted } } };
  }, { state: state.specs, inputs });
  const result = await program.run(state, inputs);
  const made = result.outputs.images.data as Float32Array;
  const given = inputs.images.data;
  const errorOf = (images: Float32Array) =>
    images.reduce((sum, v, i) => sum + (v - given[i]) ** 2, 0) / images.length;
  const fitted = result.outputs.fitted?.data as Float32Array | undefined;
  return {
    state: result.state,
    pairs: interleave(images, { bytes: toBytes(made), count }),
    interpolations: layPaths(images, toBytes(result.outputs.points?.data as Float32Array ?? [])),
    squaredError: errorOf(made),
    ...fitted && { fitError: errorOf(fitted) },
  };
}

/** Fits a model without latents to the first of `images`: the pairs, and the mean squared error over pixels in [0, 1]. Consumes `state`. */
export async function reconstructByFit(
  state: DeviceState,
  { images, ...setting }: {
    readonly device: Device;
    readonly restoration: Restoration;
    readonly key: Key;
    readonly images: ImageSet;
  },
): Promise<Pick<Reconstructions, "state" | "pairs"> & { readonly fitError: number }> {
  const { seen: _, ...whole } = firstImages(images, COUNT);
  const { state: reached, values } = await fitImages(state, {
    ...setting,
    images: whole,
    what: "reconstructions",
  });
  return {
    state: reached,
    pairs: interleave(whole, { bytes: toBytes(values), count: whole.count }),
    fitError: mean(Array.from(values, (value, i) => (value - whole.pixels[i] / 255) ** 2)),
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

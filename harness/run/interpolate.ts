/**
 * Rows of images from one image to another, by way of points on the straight line between their latents or codes.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { unflatten } from "../core/tree.ts";
import type { Bijection, Device, DeviceState, ImageBatch, ImageSet } from "../core/types.ts";
import { imagesOfRows } from "./batches.ts";
import { toBytes } from "./generator.ts";

/** Rows of interpolations, and the decoded points of each; an image stands at either end of the row. */
const PATHS = 5;
const POINTS = 8;

/** Rows that `count` images make. */
export function pathCountOf(count: number): number {
  return Math.min(PATHS, Math.floor(count / 2));
}

/**
 * Rows of ten: an image, decoded points from its code to that of the next image, the next image; from the first images of
 * `images`. Consumes `state`.
 */
export async function interpolateCodes(
  state: DeviceState,
  { device, bijection, images }: {
    readonly device: Device;
    readonly bijection: Bijection;
    readonly images: ImageSet;
  },
): Promise<{ readonly state: DeviceState; readonly interpolations: ImageBatch }> {
  const count = pathCountOf(images.count);
  const rows = Int32Array.from({ length: 2 * count }, (_, row) => row);
  const inputs = { images: imagesOfRows(images, rows) };
  await using program = await device.compile(({ state, inputs }) => {
    const tree = unflatten(state);
    const codes = bijection.encode(tree, inputs.images as tf.Tensor4D);
    return { outputs: { points: bijection.decode(tree, pathsBetween(codes, count)) } };
  }, { state: state.specs, inputs });
  const result = await program.run(state, inputs);
  const points = toBytes(result.outputs.points.data as Float32Array);
  return { state: result.state, interpolations: layPaths(images, points) };
}

/** POINTS points on the line from z_0 to z_1, as many from z_2 to z_3, and so on for `count` pairs: [POINTS * count, dim]. */
export function pathsBetween(z: tf.Tensor2D, count: number): tf.Tensor2D {
  const [, dim] = z.shape;
  const ends = tf.reshape(tf.slice(z, [0, 0], [2 * count, dim]), [count, 2, dim]);
  const start = tf.slice(ends, [0, 0, 0], [count, 1, dim]);
  const end = tf.slice(ends, [0, 1, 0], [count, 1, dim]);
  const shares = tf.tensor3d(Array.from({ length: POINTS }, (_, i) => i / (POINTS - 1)), [
    1,
    POINTS,
    1,
  ]);
  const paths = tf.add(start, tf.mul(shares, tf.sub(end, start))); // [count, POINTS, dim]
  return tf.reshape(paths, [count * POINTS, dim]);
}

/** Each path between the two images that it connects. */
export function layPaths({ image, pixels }: ImageSet, bytes: Uint8Array): ImageBatch {
  const size = image.height * image.width * image.channels;
  const count = bytes.length / (POINTS * size);
  const line = (POINTS + 2) * size;
  const out = new Uint8Array(count * line);
  for (let path = 0; path < count; path++) {
    const at = path * line;
    out.set(pixels.subarray(2 * path * size, (2 * path + 1) * size), at);
    out.set(bytes.subarray(path * POINTS * size, (path + 1) * POINTS * size), at + size);
    out.set(pixels.subarray((2 * path + 1) * size, (2 * path + 2) * size), at + line - size);
  }
  return { image, count: count * (POINTS + 2), pixels: out };
}

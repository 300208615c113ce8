import * as tf from "@tensorflow/tfjs";
import type { Anomaly } from "../core/records.ts";
import { createNoise, type Key } from "../core/noise.ts";
import { NotFiniteError } from "../core/not_finite.ts";
import { unflatten } from "../core/tree.ts";
import type { Device, DeviceState, ImageSet, Model } from "../core/types.ts";
import { averagePrecision } from "../statistics/average_precision.ts";
import { imagesOfRows } from "./batches.ts";

/** Images per call of the compiled program. */
const CHUNK = 100;

/**
 * Finds the test images of the class that training did not see, by -log p(x, z) at one draw z of the posterior of each, up to a
 * constant of the model (Xie et al. 2023; Zenati et al. 2018). undefined if the model has no joint density. Consumes `state`.
 */
export async function findAnomalies(
  state: DeviceState,
  { model: { latents, joint }, device, key, images, anomaly }: {
    readonly model: Model;
    readonly device: Device;
    readonly key: Key;
    /** The test images, with labels. */
    readonly images: ImageSet;
    /** The label of the class. */
    readonly anomaly: number;
  },
): Promise<{ readonly state: DeviceState; readonly anomaly?: Anomaly }> {
  if (latents === undefined || joint === undefined) return { state };
  const { labels, count } = images;
  if (labels === undefined) throw new RangeError("Test images without labels have no anomalies");
  const rows = Math.min(CHUNK, count);
  const { height, width, channels } = images.image;
  await using program = await device.compile(({ state, inputs }) => {
    const tree = unflatten(state);
    const x = inputs.images as tf.Tensor4D;
    const noise = createNoise(key, inputs.draw as tf.Scalar);
    const z = latents.infer(tree, x, noise);
    const prior = tf.mul(tf.sum(tf.square(z), 1), 0.5);
    const energy = tf.sub(prior, joint.logLikelihood(tree, x, z));
    return { outputs: { energy: joint.tilt ? tf.sub(energy, joint.tilt(tree, z)) : energy } };
  }, {
    state: state.specs,
    inputs: {
      images: { shape: [rows, height, width, channels], dtype: "float32" },
      draw: { shape: [], dtype: "int32" },
    },
  });
  const scores = new Float64Array(count);
  let reached = state;
  for (let from = 0; from < count; from += rows) {
    // A partial last chunk is padded with the first images.
    const chosen = Int32Array.from({ length: rows }, (_, i) => (from + i) % count);
    const result = await program.run(reached, {
      images: imagesOfRows(images, chosen),
      draw: { shape: [], dtype: "int32", data: Int32Array.of(from / rows) },
    });
    reached = result.state;
    const { data } = result.outputs.energy;
    for (let i = 0; i < rows && from + i < count; i++) scores[from + i] = data[i];
  }
  const wrong = scores.find((score) => !Number.isFinite(score));
  if (wrong !== undefined) throw new NotFiniteError("anomaly scores", wrong);
  const positives = Array.from(labels, (label) => label === anomaly);
  return {
    state: reached,
    anomaly: {
      heldOut: anomaly,
      averagePrecision: averagePrecision(scores, positives),
      chance: positives.filter((positive) => positive).length / count,
    },
  };
}

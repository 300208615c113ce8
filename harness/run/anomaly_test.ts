import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { createImageSet } from "../core/image_set.ts";
import { draws, foldIn, keyOf } from "../core/noise.ts";
import type { Model } from "../core/types.ts";
import { openDevice } from "../engine/device.ts";
import { averagePrecision } from "../statistics/average_precision.ts";
import { findAnomalies } from "./anomaly.ts";

const IMAGE = { height: 1, width: 2, channels: 1 };
/** x = 1/2 + a z + s e for images of two pixels, z ~ N(0, 1). */
const [A, S] = [0.12, 0.04];

/** That model with draws of the exact posterior. */
const model = {
  latents: {
    dim: 1,
    infer: (_state, images, noise) => {
      const sum = tf.sum(tf.sub(tf.reshape(images, [-1, 2]), 0.5), 1, true);
      const precision = 1 + 2 * (A / S) ** 2;
      const xi = noise.split("z").normal([images.shape[0], 1]);
      return tf.add(tf.mul(sum, A / S ** 2 / precision), tf.mul(xi, precision ** -0.5));
    },
    decode: (_state, z) => tf.reshape(tf.tile(z, [1, 2]), [-1, 1, 2, 1]),
  },
  joint: {
    dim: 1,
    drawLatents: (_state, count, noise) => noise.normal([count, 1]),
    drawImages: (_state, z) => tf.reshape(tf.tile(z, [1, 2]), [-1, 1, 2, 1]),
    logLikelihood: (_state, images, z) => {
      const residual = tf.sub(tf.sub(tf.reshape(images, [-1, 2]), 0.5), tf.mul(z, A));
      return tf.mul(tf.sum(tf.square(residual), 1), -0.5 / S ** 2);
    },
  },
} as Pick<Model, "latents" | "joint"> as Model;

/** 300 images of the model, of class 0, and 150 of class 1, whose pixels differ by more: not a multiple of the chunk. */
function images() {
  const [usual, strange] = [300, 150];
  const normal = draws(foldIn(keyOf(0), "images"), {
    counter: 0,
    count: 3 * (usual + strange),
    kind: "normal",
  });
  const rows = Array.from({ length: usual + strange }, (_, i) => {
    const [z, e, f] = normal.slice(3 * i, 3 * i + 3);
    const spread = i < usual ? S : 2 * S;
    return [e, f].map((v) =>
      Math.max(0, Math.min(255, Math.round(255 * (0.5 + A * z + spread * v))))
    );
  });
  return createImageSet({
    image: IMAGE,
    pixels: Uint8Array.from(rows.flat()),
    labels: Uint8Array.from(rows, (_, i) => i < usual ? 0 : 1),
  });
}

Deno.test("findAnomalies() ranks by -log p(x, z) nearly as well as -log p(x) does", async () => {
  const set = images();
  await using device = await openDevice("cpu", { threads: 1 });
  const state = await device.upload({
    unused: { shape: [], dtype: "float32", data: Float32Array.of(0) },
  });
  const { anomaly } = await findAnomalies(state, {
    model,
    device,
    key: keyOf(1),
    images: set,
    anomaly: 1,
  });
  assert.ok(anomaly !== undefined);
  assert.deepEqual([anomaly.heldOut, anomaly.chance], [1, 1 / 3]);
  // The covariance is s^2 I + a^2 1 1': along the diagonal s^2 + 2 a^2, across it s^2.
  const exact = Array.from({ length: set.count }, (_, i) => {
    const [x, y] = [0, 1].map((k) => set.pixels[2 * i + k] / 255 - 0.5);
    return (x + y) ** 2 / (S ** 2 + 2 * A ** 2) + (x - y) ** 2 / S ** 2;
  });
  const positives = Array.from(set.labels ?? [], (label) => label === 1);
  const best = averagePrecision(exact, positives);
  assert.ok(best > anomaly.chance + 0.2, `the task is no test: ${best}`);
  // One draw of z adds chi^2 / 2 of one degree to each energy.
  assert.ok(
    Math.abs(anomaly.averagePrecision - best) < 0.1,
    `${anomaly.averagePrecision}, ${best}`,
  );
});

Deno.test("findAnomalies() leaves out models without a joint density", async () => {
  await using device = await openDevice("cpu", { threads: 1 });
  const state = await device.upload({
    unused: { shape: [], dtype: "float32", data: Float32Array.of(0) },
  });
  const { joint: _, ...without } = model;
  const found = await findAnomalies(state, {
    model: without as Model,
    device,
    key: keyOf(1),
    images: images(),
    anomaly: 1,
  });
  assert.equal(found.anomaly, undefined);
});

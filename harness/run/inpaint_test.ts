import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { createImageSet } from "../core/image_set.ts";
import { draws, foldIn, keyOf } from "../core/noise.ts";
import type { ImageSet, Model } from "../core/types.ts";
import { openDevice } from "../engine/device.ts";
import { inpaint } from "./inpaint.ts";

const IMAGE = { height: 1, width: 4, channels: 1 };
/** x = 1/2 + a z + s e for images of four pixels, z ~ N(0, 1). */
const [A, S] = [0.12, 0.03];
const PRECISION = A ** 2 / S ** 2;

/** That model with draws of the exact posterior given the seen pixels. */
const model = {
  latents: { dim: 1, decode: (_state, z) => tf.add(tf.mul(tile(z), A), 0.5) },
  partial: {
    needsPartialTraining: false,
    infer: (_state, { images, seen }, noise) => {
      const [x, mask] = [images, seen ?? tf.onesLike(images)].map((t) => tf.reshape(t, [-1, 4]));
      const precision = tf.add(tf.mul(tf.sum(mask, 1, true), PRECISION), 1);
      const sum = tf.sum(tf.mul(tf.sub(x, 0.5), mask), 1, true);
      const mean = tf.div(tf.mul(sum, A / S ** 2), precision);
      return tf.add(mean, tf.div(noise.split("z").normal(mean.shape), tf.sqrt(precision)));
    },
  },
} as Pick<Model, "latents" | "partial">;

function tile(z: tf.Tensor): tf.Tensor4D {
  return tf.reshape(tf.tile(z, [1, 4]), [-1, 1, 4, 1]);
}

/** `count` images of the model, the first two pixels hidden and all there `hiddenValue` if it is given. */
function images(count: number, hiddenValue?: number): ImageSet {
  const normal = draws(foldIn(keyOf(0), "images"), {
    counter: 0,
    count: 5 * count,
    kind: "normal",
  });
  const pixels = Uint8Array.from({ length: 4 * count }, (_, i) => {
    const [row, place] = [Math.floor(i / 4), i % 4];
    const value = 0.5 + A * normal[5 * row] + S * normal[5 * row + 1 + place];
    return place < 2 && hiddenValue !== undefined ? hiddenValue : Math.round(255 * value);
  });
  const seen = Uint8Array.from({ length: 4 * count }, (_, i) => Number(i % 4 >= 2));
  return createImageSet({ image: IMAGE, pixels, seen });
}

type Filling = Pick<Model, "latents" | "partial" | "restoration">;

async function inpainted(set: ImageSet, of: Filling = model) {
  await using device = await openDevice("cpu", { threads: 1 });
  const state = await device.upload({
    unused: { shape: [], dtype: "float32", data: Float32Array.of(0) },
  });
  const { seen: _, ...train } = images(500);
  return await inpaint(state, { model: of, device, key: keyOf(1), images: set, train });
}

Deno.test("inpaint() has the error of a posterior draw given the seen pixels, beside that of the mean image", async () => {
  const count = 250; // not a multiple of the chunk
  const { inpainting } = await inpainted(images(count));
  assert.ok(inpainting !== undefined);
  assert.deepEqual([inpainting.images, inpainting.hiddenShare], [count, 0.5]);
  // Two pixels seen: a draw of z is off by twice its posterior variance; the pixel has its own noise. Errors of the two hidden
  // pixels share z, so that the mean has a relative standard error of at most sqrt(2 / count).
  const expected = 2 * A ** 2 / (1 + 2 * PRECISION) + S ** 2;
  const bound = 4 * Math.sqrt(2 / count);
  assert.ok(Math.abs(inpainting.squaredError / expected - 1) < bound, `${inpainting.squaredError}`);
  const ofMean = inpainting.floors.meanImage / (A ** 2 + S ** 2);
  assert.ok(Math.abs(ofMean - 1) < bound, `mean image: ${ofMean}`);
  // The blur is a mean of two seen pixels, of weights that differ by place: between one pixel and the mean of both.
  const { blur } = inpainting.floors;
  assert.ok(blur > 1.5 * S ** 2 * (1 - bound) && blur < 2 * S ** 2 * (1 + bound), `blur ${blur}`);
});

Deno.test("inpaint() shows images with pixels hidden, filled in, and whole, and never uses the hidden ones", async () => {
  const [dark, light] = await Promise.all([0, 255].map((value) => inpainted(images(20, value))));
  assert.ok(dark.shown !== undefined && light.shown !== undefined);
  assert.deepEqual(dark.shown.count, 60);
  const rowsOf = ({ pixels }: { pixels: Uint8Array }, kind: number) =>
    [0, 1].map((group) => pixels.subarray((3 * group + kind) * 40, (3 * group + kind + 1) * 40));
  assert.deepEqual(rowsOf(dark.shown, 0), rowsOf(light.shown, 0), "masked");
  assert.deepEqual(rowsOf(dark.shown, 1), rowsOf(light.shown, 1), "filled in");
  assert.deepEqual(rowsOf(dark.shown, 2).map((row) => row[0]), [0, 0]);
  assert.deepEqual(rowsOf(light.shown, 2).map((row) => row[0]), [255, 255]);
});

Deno.test("inpaint() fills in by what a model without latents restores from the seen pixels, image by image", async () => {
  // Three steps that add a third of the sum of the seen pixels each; 37 images: not a multiple of the chunk.
  const sum: Filling = {
    restoration: {
      steps: 3,
      start: (_state, count) => tf.zeros([count, 1, 4, 1]),
      step: (_state, fit, { images, seen }) => {
        const sums = tf.sum(tf.reshape(tf.mul(images, seen ?? NaN), [-1, 4]), 1, true);
        return tf.add(fit, tf.div(tile(sums), 3));
      },
      finish: (_state, fit) => fit,
    },
  };
  const set = images(37);
  const { inpainting } = await inpainted(set, sum);
  const errors = Array.from({ length: 37 }, (_, row) => {
    const [a, b, c, d] = Array.from(set.pixels.subarray(4 * row, 4 * row + 4), (v) => v / 255);
    return ((c + d - a) ** 2 + (c + d - b) ** 2) / 2;
  });
  const expected = errors.reduce((a, b) => a + b) / 37;
  assert.ok(Math.abs((inpainting?.squaredError ?? NaN) / expected - 1) < 1e-5);
});

Deno.test("inpaint() leaves out models that cannot, or whose encoder saw whole images alone", async () => {
  const encoder = { ...model, partial: { ...model.partial, needsPartialTraining: true } };
  for (const filling of [{ latents: model.latents }, encoder as Filling]) {
    const { inpainting, shown } = await inpainted(images(10), filling);
    assert.deepEqual([inpainting, shown], [undefined, undefined]);
  }
});

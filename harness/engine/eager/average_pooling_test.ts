import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import type { PureFunction } from "../../core/types.ts";
import { openDevice } from "../device.ts";

type Pool = (x: tf.Tensor) => tf.Tensor;
const image = (...args: unknown[]): Pool => (x) =>
  (tf.avgPool as (...args: unknown[]) => tf.Tensor)(x, ...args);
const volume = (...args: unknown[]): Pool => (x) =>
  (tf.avgPool3d as (...args: unknown[]) => tf.Tensor)(x, ...args);

/** Pools by what they test, with the height and width, or depth, height and width, of what they pool. */
const POOLS: Readonly<Record<string, readonly [size: readonly number[], pool: Pool]>> = {
  "same, overlapping windows": [[5, 6], image(3, 1, "same")],
  "same, windows apart": [[7, 5], image(2, 3, "same")],
  "same, one axis padded": [[5, 4], image([3, 2], [2, 2], "same")],
  "a number, square": [[4, 4], image(3, 1, 1)],
  "a number, neither square": [[6, 5], image([3, 2], [2, 1], 1)],
  "a list, each side its own": [[5, 5], image(3, 2, [[0, 0], [2, 1], [0, 1], [0, 0]])],
  "the number 0": [[6, 4], image([3, 2], [3, 2], 0)],
  "a volume, same": [[3, 4, 3], volume(2, 1, "same")],
  "a volume, a number": [[4, 3, 4], volume([3, 2, 3], [1, 1, 2], 1)],
};

const wave = (shape: readonly number[]) =>
  tf.tensor(
    Array.from({ length: tf.util.sizeFromShape([...shape]) }, (_, i) => Math.sin(i + 1)),
    [...shape],
  );

/**
 * For each pool the gradient of a weighted sum of two images and two channels, and the same by differences: pooling is linear, so
 * that they are the weighted sums of the pools of single pixels.
 */
const gradients: PureFunction = () => {
  const outputs: Record<string, tf.Tensor> = {};
  for (const [name, [size, pool]] of Object.entries(POOLS)) {
    const shape = [2, ...size, 2];
    const weights = wave(pool(tf.zeros(shape)).shape);
    outputs[name] = tf.grad((x) => tf.sum(tf.mul(weights, pool(x))))(wave(shape));
    const pixels = tf.util.sizeFromShape([...size]);
    const units = pool(tf.reshape(tf.eye(pixels), [pixels, ...size, 1])); // [pixels, ...out, 1]
    const places = tf.reshape(units, [pixels, -1]);
    const images = tf.unstack(tf.reshape(weights, [2, -1, 2])); // each [places, channels]
    const differences = images.map((image) => tf.matMul(places, image as tf.Tensor2D));
    outputs[`${name}: by differences`] = tf.reshape(tf.stack(differences), shape);
  }
  return { state: {}, outputs };
};

for (const name of ["tfjs-cpu", "webgpu"]) {
  const opened = await openDevice(name, { threads: 1 }).catch((error: Error) => error);
  Deno.test({
    name: `${name}: the gradient of average pooling with padding is that by differences`,
    ignore: opened instanceof Error,
    async fn() {
      if (opened instanceof Error) return;
      await using device = opened;
      await using program = await device.compile(gradients, { state: {}, inputs: {} });
      const { outputs } = await program.run(await device.upload({}), {});
      for (const pool of Object.keys(POOLS)) {
        const [actual, expected] = [pool, `${pool}: by differences`].map((key) =>
          outputs[key].data
        );
        const gap = Math.max(...Array.from(actual, (value, i) => Math.abs(value - expected[i])));
        assert.ok(gap < 1e-5, `${pool}: ${gap} off`); // sums of fewer than 30 terms below 1 in float32
      }
    },
  });
}

Deno.test("gradients of a pool whose size is rounded up are refused", async () => {
  await using _ = await openDevice("tfjs-cpu", { threads: 1 });
  const pool = (x: tf.Tensor) => tf.sum(image(3, 2, 1, "ceil")(x));
  assert.throws(() => tf.grad(pool)(wave([1, 6, 6, 1])), /gradient of .* must have shape/);
});

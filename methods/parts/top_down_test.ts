import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { createNoise, keyOf } from "../../harness/core/noise.ts";
import { flatten } from "../../harness/core/tree.ts";
import { layerDims, topDownGenerator } from "./top_down.ts";

Deno.test("layerDims() has the published layers, and refuses others in one line", () => {
  assert.deepEqual(layerDims(416, 5), [64, 64, 64, 96, 128]);
  assert.deepEqual(layerDims(32, 3), [8, 8, 16]);
  assert.deepEqual(layerDims(3, 3), [1, 1, 1]);
  assert.throws(() => layerDims(32, 2), /^RangeError: layerCount must be one of 1, 3, 5, got 2$/);
  assert.throws(() => layerDims(2, 3), /^RangeError: latentDim must be >= 3 for 3 layers, got 2$/);
});

Deno.test("topDownGenerator() has the parameters and multiply-accumulates of the released code", async () => {
  await tf.setBackend("cpu");
  // Counted from the code of short-run inference; biases of the projections' convolutions, which it has not, are added.
  const cases = [
    {
      size: 32,
      channels: 3,
      latentDim: 416,
      layerCount: 5,
      width: 1,
      parameters: 12_162_435 + 5 * 64,
      macs: 395.2e6,
    },
    {
      size: 32,
      channels: 1,
      latentDim: 32,
      layerCount: 3,
      width: 0.25,
      parameters: 187_297 + 3 * 16,
      macs: 13.1e6,
    },
  ];
  for (const { size, channels, parameters, macs, ...hyper } of cases) {
    const generator = topDownGenerator({ height: size, width: size, channels }, hyper);
    const count = tf.tidy(() => {
      const noise = createNoise(keyOf(0), tf.scalar(0, "int32"));
      return Object.values(flatten(generator.init(noise))).reduce((sum, t) => sum + t.size, 0);
    });
    assert.equal(count, parameters);
    assert.ok(Math.abs(generator.macs / macs - 1) < 0.005, `${generator.macs}`);
  }
});

Deno.test("topDownGenerator() lets the noise of every layer reach the image", async () => {
  await tf.setBackend("cpu");
  const image = { height: 8, width: 8, channels: 1 };
  const generator = topDownGenerator(image, { latentDim: 4, layerCount: 3, width: 0.1 });
  tf.tidy(() => {
    const params = generator.init(createNoise(keyOf(0), tf.scalar(0, "int32")));
    const gradient = tf.grad((z: tf.Tensor): tf.Scalar =>
      tf.sum(tf.square(generator.mean(params, z)))
    )(tf.tensor2d([[0.5, -1, 0.7, 0.2]]));
    assert.ok([...gradient.dataSync()].every((g) => Math.abs(g) > 1e-6), `${gradient.dataSync()}`);
  });
});

import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { createNoise, keyOf } from "../../harness/core/noise.ts";
import { featureNet, NET_DEFAULTS } from "./architectures.ts";
import { applyNet, initNet, type Layer, type Net, swish } from "./nets.ts";

const noise = createNoise(keyOf(0), tf.scalar(0, "int32"));
const net = (layers: readonly Layer[], rest: Partial<Net> = {}): Net => ({
  name: "net",
  layers,
  activation: "identity",
  output: "identity",
  init: "he",
  ...rest,
});

Deno.test("swish() is x sigmoid(x)", async () => {
  await tf.setBackend("cpu");
  const values = [...swish(tf.tensor1d([0, 2, -50])).dataSync()];
  [0, 2 / (1 + Math.exp(-2)), -50 / (1 + Math.exp(50))].forEach((v, i) =>
    assert.ok(Math.abs(values[i] - v) < 1e-6)
  );
});

Deno.test("applyNet() deconv is the transpose of conv with the same weights", async () => {
  await tf.setBackend("cpu");
  const [kernel, stride, pad] = [4, 2, 2];
  const conv = {
    kind: "conv",
    kernel,
    stride,
    pad,
    inputs: 3,
    outputs: 2,
    inputSize: 8,
    outputSize: 5,
  } as const;
  const deconv = {
    ...conv,
    kind: "deconv",
    inputs: 2,
    outputs: 3,
    inputSize: 5,
    outputSize: 8,
  } as const;
  // [kernel, kernel, 3, 2] is in, out of the convolution and out, in of its transpose.
  const weight = noise.split("weight").normal([kernel, kernel, 3, 2]);
  const x = noise.split("x").normal([1, 8, 8, 3]);
  const y = noise.split("y").normal([1, 5, 5, 2]);
  const forward = applyNet(net([conv]), {
    params: { 0: { weight, bias: tf.zeros([2]) } },
    x,
  });
  const back = applyNet(net([deconv]), {
    params: { 0: { weight, bias: tf.zeros([3]) } },
    x: y,
  });
  const inner = (a: tf.Tensor, b: tf.Tensor) => tf.sum(tf.mul(a, b)).dataSync()[0];
  const [left, right] = [inner(forward, y), inner(x, back)]; // <C x, y> = <x, C' y>
  assert.ok(Math.abs(left - right) < 1e-4 * Math.abs(left));
});

Deno.test("initNet() he keeps the variance of the signal through Table 2's encoder", async () => {
  await tf.setBackend("cpu");
  const hyper = { ...NET_DEFAULTS, width: 0.25, featureDim: 256 };
  const features = featureNet({ height: 16, width: 16, channels: 3 }, hyper);
  const params = initNet(features, noise.split("he"));
  const x = noise.split("images").normal([4, 16, 16, 3]);
  const last = applyNet({ ...features, output: "identity" }, { params, x });
  const variance = tf.mean(tf.square(last)).dataSync()[0];
  // 1 in layers wide without end; the padded borders of the maps bring in zeros, and 4 x 64 outputs add sqrt(2 / 256) = 9 %.
  assert.ok(variance > 0.3 && variance < 1.3, `${variance}`);
});

Deno.test("initNet() orthogonal has orthonormal rows or columns, whichever are fewer", async () => {
  await tf.setBackend("cpu");
  for (const [inputs, outputs] of [[10, 7], [7, 10], [9, 9]]) {
    const params = initNet(
      net([{ kind: "linear", inputs, outputs }], { init: "orthogonal" }),
      noise.split(inputs, outputs),
    );
    const w = params[0].weight as tf.Tensor2D;
    const gram = inputs >= outputs ? tf.matMul(w, w, true) : tf.matMul(w, w, false, true);
    const error = tf.max(tf.abs(tf.sub(gram, tf.eye(Math.min(inputs, outputs))))).dataSync()[0];
    assert.ok(error < 1e-6, `${inputs} x ${outputs}: ${error}`);
  }
});

Deno.test("applyNet() normalises each row of a layer with norm", async () => {
  await tf.setBackend("cpu");
  const layer = { kind: "linear", inputs: 5, outputs: 50, norm: true } as const;
  const params = initNet(net([layer]), noise.split("norm"));
  const y = applyNet(net([layer]), { params, x: tf.mul(noise.split("rows").normal([3, 5]), 100) });
  const { mean, variance } = tf.moments(y, 1);
  mean.dataSync().forEach((m) => assert.ok(Math.abs(m) < 1e-5));
  variance.dataSync().forEach((v) => assert.ok(Math.abs(v - 1) < 1e-3));
});

import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { createNoise, keyOf } from "../../harness/core/noise.ts";
import { flatten, mapTree } from "../../harness/core/tree.ts";
import { type CouplingHyper, decayScales, forward, initFlowLayer } from "./flow_layer.ts";

const noise = (...path: (string | number)[]) =>
  createNoise(keyOf(0), tf.scalar(0, "int32")).split("layer", ...path);

const HYPER: CouplingHyper = {
  channels: 4,
  blocks: 1,
  attention: true,
  components: 2,
  weightNorm: true,
  auxiliaryChannels: 3,
};
const CONDITIONS = {
  components: 2,
  auxiliary: noise("auxiliary").normal<tf.Tensor4D>([3, 4, 2, 3]),
};
const maps = () => noise("maps").normal<tf.Tensor4D>([3, 4, 2, 2]);

/** The outputs of the layer with `params`, as numbers. */
const outputs = (params: ReturnType<typeof initFlowLayer>, conditions = CONDITIONS) =>
  forward(params, maps(), conditions).y.dataSync();

const worst = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i])));

Deno.test("weight normalisation starts at the weights without it, and ignores the length of directions", async () => {
  await tf.setBackend("cpu");
  const normed = initFlowLayer(2, HYPER, noise("init"));
  const plain = initFlowLayer(2, { ...HYPER, weightNorm: false }, noise("init"));
  const scales = Object.keys(flatten(normed)).filter((path) => path.endsWith("/scale"));
  // First, last; convolution, gate, auxiliary maps, projection and gate of the block.
  assert.equal(scales.length, 7);
  assert.ok(worst(outputs(normed), outputs(plain)) < 1e-5);
  const longer = mapTree(normed, ([w], path) => path.endsWith("/weight") ? tf.mul(w, 3) : w);
  assert.ok(worst(outputs(longer), outputs(normed)) < 1e-5);
  const louder = mapTree(normed, ([w], path) => path.endsWith("/scale") ? tf.mul(w, 1.5) : w);
  assert.ok(worst(outputs(louder), outputs(normed)) > 1e-3);
});

Deno.test("couplings see the auxiliary maps", async () => {
  await tf.setBackend("cpu");
  const params = initFlowLayer(2, HYPER, noise("init"));
  const others = { ...CONDITIONS, auxiliary: tf.add<tf.Tensor4D>(CONDITIONS.auxiliary, 1) };
  assert.ok(worst(outputs(params, others), outputs(params)) > 1e-4);
});

Deno.test("decayScales() adds the decay of scales, and of nothing else, to gradients", async () => {
  await tf.setBackend("cpu");
  const params = initFlowLayer(2, HYPER, noise("init"));
  const gradients = mapTree(params, ([w]) => tf.ones(w.shape));
  const decayed = flatten(
    decayScales({ layer: gradients }, { params: { layer: params }, decay: 0.5 }),
  );
  for (const [path, w] of Object.entries(flatten(params))) {
    const isScale = /(^|\/)(scale|rescale)$/.test(path);
    const expected = tf.add(tf.mul(w, isScale ? 0.5 : 0), 1).dataSync();
    assert.ok(worst(decayed[`layer/${path}`].dataSync(), expected) < 1e-6, path);
  }
});

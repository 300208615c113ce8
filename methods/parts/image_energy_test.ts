import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { createNoise, keyOf } from "../../harness/core/noise.ts";
import { flatten } from "../../harness/core/tree.ts";
import { type EnergyHyper, type EnergyParams, halved, imageEnergy } from "./image_energy.ts";

const noise = (path: string) => createNoise(keyOf(0), tf.scalar(0, "int32")).split(path);
const square = (size: number, channels: number) => ({ height: size, width: size, channels });
const parameterCount = (params: EnergyParams) =>
  Object.values(flatten(params)).reduce((sum, { size }) => sum + size, 0);

Deno.test("imageEnergy() has the parameters and MACs of the published networks", async () => {
  await tf.setBackend("cpu");
  const sizes = (nets: EnergyHyper["nets"], channels: number) => {
    const energy = imageEnergy(square(32, channels), { nets, width: 1, inputs: channels });
    return [tf.tidy(() => parameterCount(energy.init(noise(nets)))), energy.macs];
  };
  // Each layer by hand: k^2 in out + out parameters, k^2 in out size^2 MACs. 17.13 million are printed of CoopFlow's.
  assert.deepEqual(sizes("xie2021", 3), [1_710_465, 85_659_648]);
  assert.deepEqual(sizes("xie2022", 3), [17_129_444, 2_270_101_504]);
  assert.deepEqual(sizes("small_xie2022", 1), [163_340, 9_023_488]);
});

Deno.test("halved() averages squares of four pixels", async () => {
  await tf.setBackend("cpu");
  const x = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16], [1, 4, 4, 1]);
  assert.deepEqual([...halved(x).dataSync()], [3.5, 5.5, 11.5, 13.5]);
});

Deno.test("imageEnergy() is minus the sum of the outputs of its last layer, one number an image", async () => {
  await tf.setBackend("cpu");
  const energy = imageEnergy(square(8, 2), { nets: "xie2022", width: 0.02, inputs: 2 });
  const params = energy.init(noise("sum"));
  const x = noise("x").normal([3, 8, 8, 2]);
  const before = energy.energy(params, x);
  assert.deepEqual(before.shape, [3]);
  // A constant on each of the 100 biases of the last layer moves f by 100 times as much.
  const { 0: { weight, bias } } = params.head;
  const lifted = { ...params, head: { 0: { weight, bias: tf.add(bias, 0.5) } } };
  const change = tf.sub(energy.energy(lifted, x), before).dataSync();
  change.forEach((value) => assert.ok(Math.abs(value + 50) < 1e-4, `${value}`));
});

Deno.test("imageEnergy() moments is theta . (x, x^2)", async () => {
  await tf.setBackend("cpu");
  const energy = imageEnergy(square(8, 1), { nets: "moments", width: 1, inputs: 1 });
  const weight = tf.concat([tf.ones([64, 1]), tf.fill([64, 1], -2)], 0);
  const params = { net: { 0: { weight, bias: tf.zeros([1]) } } };
  const [value] = energy.energy(params, tf.fill([1, 8, 8, 1], 0.5)).dataSync();
  assert.equal(value, -(64 * 0.5 - 2 * 64 * 0.25));
});

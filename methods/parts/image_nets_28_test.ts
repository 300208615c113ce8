import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { createNoise, keyOf } from "../../harness/core/noise.ts";
import { imageEnergy } from "./image_energy.ts";
import { encoderLayers28, energyLayers28, generatorLayers28, isOf28 } from "./image_nets_28.ts";
import { imageVae } from "./image_vae.ts";
import {
  applyLayer,
  applyNet,
  initNet,
  type Layer,
  macCount,
  type Net,
  parameterCount,
} from "./nets.ts";

const IMAGE = { height: 28, width: 28, channels: 1 };
const noise = (...path: (string | number)[]) =>
  createNoise(keyOf(0), tf.scalar(0, "int32")).split("28", ...path);

const energy = energyLayers28({ inputs: 1, outputs: 100, width: 1 });
const encoder = encoderLayers28({ inputs: 1, outputs: 200, width: 1 });
const generator = generatorLayers28({ inputs: 100, outputs: 1, width: 1, batchNorm: true });

Deno.test("the networks for 28x28 have the parameters and MACs of CoopVAEBM's code", () => {
  // By hand: k^2 in out + out parameters; k^2 in out times the places of the map, for transposed convolutions of that before.
  const sizes = (layers: readonly Layer[]) => [parameterCount(layers), macCount(layers)];
  assert.deepEqual(sizes(energy), [
    (25 * 64 + 64) + (9 * 64 * 128 + 128) + (9 * 128 * 256 + 256) + (49 * 256 * 100 + 100),
    25 * 64 * 14 ** 2 + 9 * 64 * 128 * 49 + 9 * 128 * 256 * 49 + 49 * 256 * 100,
  ]);
  assert.deepEqual(sizes(encoder), [
    (16 * 64 + 64) + 2 * (16 * 64 * 64 + 64) + 2 * (3136 * 100 + 100),
    16 * 64 * 14 ** 2 + 2 * 16 * 64 * 64 * 49 + 2 * 3136 * 100,
  ]);
  assert.deepEqual(sizes(generator), [
    (16 * 100 * 256 + 256) + (9 * 256 * 128 + 128) + (9 * 128 * 64 + 64) + (9 * 64 + 1),
    16 * 100 * 256 + 9 * 256 * 128 * 4 ** 2 + 9 * 128 * 64 * 7 ** 2 + 9 * 64 * 14 ** 2,
  ]);
  assert.deepEqual([energy, encoder, generator].map(parameterCount), [1_625_188, 759_688, 779_265]);
});

Deno.test("the networks for 28x28 have the maps of CoopVAEBM's code at every layer", async () => {
  await tf.setBackend("cpu");
  const shapesOf = (layers: readonly Layer[], shape: number[]) => {
    const net: Net = { name: "net", layers, activation: "relu", output: "identity", init: "he" };
    const params = initNet(net, noise("shapes"));
    let x: tf.Tensor = tf.ones([2, ...shape]);
    return layers.map((layer, i) => {
      x = applyLayer(layer, params[i], x);
      return x.shape.slice(1);
    });
  };
  const narrow = { width: 1 / 16, inputs: 1 }; // 4, 8 and 16 channels
  assert.deepEqual(shapesOf(energyLayers28({ ...narrow, outputs: 100 }), [28, 28, 1]), [
    [14, 14, 4],
    [7, 7, 8],
    [7, 7, 16],
    [1, 1, 100],
  ]);
  assert.deepEqual(shapesOf(encoderLayers28({ ...narrow, outputs: 6 }), [28, 28, 1]), [
    [14, 14, 4],
    [7, 7, 4],
    [7, 7, 4],
    [6],
  ]);
  const decoder = generatorLayers28({ ...narrow, inputs: 3, outputs: 1, batchNorm: false });
  assert.deepEqual(shapesOf(decoder, [1, 1, 3]), [[4, 4, 16], [7, 7, 8], [14, 14, 4], [28, 28, 1]]);
});

Deno.test("images of 28x28 choose the networks for them, with labels too, and no others do", async () => {
  await tf.setBackend("cpu");
  const size = (tree: object): number =>
    tree instanceof tf.Tensor
      ? tree.size
      : Object.values(tree).reduce((sum: number, part) => sum + size(part), 0);
  const hyper = { latentDim: 100, width: 1, batchNorm: true };
  const labelled = imageVae(IMAGE, { ...hyper, classCount: 10 });
  const plain = imageVae(IMAGE, { ...hyper, classCount: 0 });
  assert.equal(plain.encoderMacs + plain.generatorMacs, macCount(encoder) + macCount(generator));
  const [vae, labelledVae] = [plain, labelled].map((vae) =>
    vae.init(noise("init", vae.encoderMacs))
  );
  assert.equal(size(vae), 759_688 + 779_265);
  // Ten more channels of the first convolution, ten more codes.
  assert.equal(size(labelledVae), size(vae) + 10 * 16 * 64 + 10 * 16 * 256);
  const inputs = [1, 11].map((inputs) => imageEnergy(IMAGE, { nets: "xie2021", width: 1, inputs }));
  const [one, eleven] = inputs.map((net, i) => size(net.init(noise("energy", i))));
  assert.deepEqual([one, eleven], [1_625_188, 1_625_188 + 10 * 25 * 64]);
  assert.ok(isOf28(IMAGE) && !isOf28({ ...IMAGE, height: 32, width: 32 }));
  assert.throws(
    () => imageEnergy(IMAGE, { nets: "xie2022", width: 1, inputs: 1 }),
    /No network for images of 28x28/,
  );
});

Deno.test("applyNet() with dropout keeps each output with its probability, scaled, and asks for noise", async () => {
  await tf.setBackend("cpu");
  const net: Net = {
    name: "net",
    layers: [{
      kind: "conv",
      kernel: 1,
      stride: 1,
      pad: 0,
      inputs: 1,
      outputs: 1,
      inputSize: 100,
      outputSize: 100,
      keep: 0.8,
    }],
    activation: "identity",
    output: "identity",
    init: "he",
  };
  const params = { 0: { weight: tf.ones([1, 1, 1, 1]), bias: tf.zeros([1]) } };
  const x = tf.fill([2, 100, 100, 1], 0.4);
  const y = applyNet(net, { params, x, noise: noise("dropout") }).dataSync();
  const kept = y.filter((value) => value !== 0);
  assert.ok(kept.every((value) => Math.abs(value - 0.5) < 1e-6));
  // Four standard errors of the share of 20,000 draws.
  const error = 4 * Math.sqrt(0.8 * 0.2 / y.length);
  assert.ok(Math.abs(kept.length / y.length - 0.8) < error, `${kept.length} kept`);
  assert.throws(() => applyNet(net, { params, x }), /Dropout in the network "net" needs noise/);
});

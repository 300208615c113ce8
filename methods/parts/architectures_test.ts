import assert from "node:assert/strict";
import {
  checkNets,
  decoderNet,
  encoderNet,
  energyNet,
  featureLayers,
  NET_DEFAULTS,
  samplerNet,
} from "./architectures.ts";
import { type ConvLayer, macCount, parameterCount } from "./nets.ts";

const square = (size: number, channels = 3) => ({ height: size, width: size, channels });

/** Sizes of the maps between the layers. */
const sizes = (layers: readonly unknown[]) => {
  const maps = layers as readonly ConvLayer[];
  return [maps[0].inputSize, ...maps.map((layer) => layer.outputSize)];
};

Deno.test("featureLayers() and decoderNet() are mirror images of the sizes that Table 2 needs", () => {
  const hyper = NET_DEFAULTS;
  assert.deepEqual(sizes(featureLayers(square(32), hyper)), [32, 34, 18, 10, 6, 1]);
  assert.deepEqual(sizes(decoderNet(square(32), hyper).layers), [1, 6, 10, 18, 34, 32]);
  assert.deepEqual(sizes(featureLayers(square(64), hyper)), [64, 66, 34, 18, 10, 6, 1]);
  assert.deepEqual(sizes(decoderNet(square(64), hyper).layers), [1, 6, 10, 18, 34, 66, 64]);
});

Deno.test("parameterCount() and macCount() of Table 2's networks", () => {
  // Each layer by hand: k^2 in out + out parameters, k^2 in out size^2 MACs (size of the input for a deconvolution).
  const trunk = (size: number) => featureLayers(square(size), NET_DEFAULTS).slice(0, -1);
  assert.equal(parameterCount(trunk(32)), 2_755_200);
  assert.equal(macCount(trunk(32)), 172_391_168);
  assert.equal(parameterCount(trunk(64)), 6_950_016);
  assert.equal(macCount(trunk(64)), 689_625_856);

  const encoder = (featureDim: number) =>
    encoderNet(square(32), { ...NET_DEFAULTS, featureDim }, 128).layers;
  assert.equal(parameterCount(encoder(100)), 4_611_428);
  assert.equal(parameterCount(encoder(1024)), 21_761_792);
  assert.equal(macCount(encoder(1024)), 172_391_168 + 18_432 * 1024 + 1024 * 128);

  const decoder = (size: number, latentDim: number) =>
    decoderNet(square(size), { ...NET_DEFAULTS, latentDim }).layers;
  assert.equal(parameterCount(decoder(32, 64)), 3_934_851);
  assert.equal(parameterCount(decoder(32, 128)), 5_114_499);
  assert.equal(macCount(decoder(32, 64)), 173_342_720);
  assert.equal(macCount(decoder(32, 128)), 174_522_368);
  assert.equal(parameterCount(decoder(64, 128)), 9_309_315);
  assert.equal(macCount(decoder(64, 128)), 691_535_872);

  const energy = (latentDim: number) => energyNet({ ...NET_DEFAULTS, latentDim }).layers;
  assert.equal(parameterCount(energy(64)), 135_169);
  assert.equal(macCount(energy(64)), 133_120);
  assert.equal(parameterCount(energy(128)), 266_241);
  assert.equal(macCount(energy(128)), 264_192);

  // Sampler with its last layer of 128 outputs: 6.43M parameters.
  const sampler = samplerNet(2048, NET_DEFAULTS).layers;
  assert.equal(parameterCount(sampler) + 1024 * 128 + 128, 6_425_728);
  assert.equal(macCount(sampler) + 1024 * 128, 6_422_528);
});

Deno.test("parameterCount() and macCount() of LEBM's networks", () => {
  const hyper = { ...NET_DEFAULTS, nets: "pang2020", latentDim: 100 };
  const generator = (size: number) => decoderNet(square(size), hyper).layers;
  assert.deepEqual(sizes(generator(32)), [1, 4, 8, 16, 32]);
  assert.equal(parameterCount(generator(32)), 3_447_683);
  assert.equal(parameterCount(generator(64)), 3_575_747);
  assert.ok(Math.abs(macCount(generator(32)) / 69.5e6 - 1) < 1e-3);
  assert.ok(Math.abs(macCount(generator(64)) / 104.6e6 - 1) < 1e-3);
  const energy = energyNet({ ...hyper, latentDim: 64 }).layers;
  assert.equal(parameterCount(energy), 53_401);
  assert.equal(macCount(energy), 53_000);
});

Deno.test("decoderNet() at a quarter of the width has a quarter of the channels everywhere but at its ends", () => {
  const full = decoderNet(square(32), NET_DEFAULTS).layers;
  const quarter = decoderNet(square(32), { ...NET_DEFAULTS, width: 0.25 }).layers;
  // A layer between scaled channels costs a sixteenth; the first sees all latents, the last makes all colours.
  const ends = macCount([full[0], full[4]]);
  assert.equal(macCount(quarter), (macCount(full) - ends) / 16 + ends / 4);
});

Deno.test("checkNets() refuses sizes without a network and unknown networks", () => {
  assert.throws(() => checkNets(square(28), NET_DEFAULTS), {
    name: "RangeError",
    message:
      "No network for images of 28x28: known sizes are 8, 16, 32, 64; nets=mlp takes every size",
  });
  assert.throws(() => checkNets({ height: 32, width: 64, channels: 3 }, NET_DEFAULTS), RangeError);
  assert.throws(() => checkNets(square(32), { ...NET_DEFAULTS, nets: "table3" }), {
    message: 'Unknown nets "table3": known values are table2, pang2020, mlp, linear',
  });
  checkNets(square(28), { ...NET_DEFAULTS, nets: "mlp" });
});

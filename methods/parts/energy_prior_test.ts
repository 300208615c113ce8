import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { openDevice } from "../../harness/engine/device.ts";
import { repeat } from "../../harness/core/repeat.ts";
import { createNoise, foldIn, keyOf } from "../../harness/core/noise.ts";
import { flatten, unflatten } from "../../harness/core/tree.ts";
import type { HostArray, HostArrays, Noise, Tree } from "../../harness/core/types.ts";
import { toArrays, toTensors } from "../../harness/core/host_arrays.ts";
import { adam, type AdamSlots, initAdam } from "./adam.ts";
import { samplerFeatureCount, samplerNet } from "./architectures.ts";
import { energyPrior } from "./energy_prior.ts";
import { lossAndGradients } from "./gradients.ts";
import { priorChain } from "./latent_chains.ts";
import { applyNet, initNet, type NetParams } from "./nets.ts";
import { OBSERVATION_DEFAULTS } from "./observation_model.ts";
import { drawsLike, initPsgld, psgld } from "../samplers/psgld.ts";

/** Eight Gaussians on a circle, with weights 1/8. */
const RADIUS = 2;
const SPREAD = 0.5;
const COUNT = 200;
const STEPS = 1500;
/** Moves of the sampler for one of the energy. */
const INNER = 10;
const hyper = {
  ...OBSERVATION_DEFAULTS,
  latentDim: 2,
  width: 0.05,
  featureDim: 6000, // times width: 300 features for 200 chains
  priorSteps: 15,
  priorStepSize: 0.06,
};
const prior = energyPrior(hyper);

/** -log p of the mixture. */
function energyOf(x: number, y: number): number {
  let density = 0;
  for (let k = 0; k < 8; k++) {
    const [cx, cy] = [RADIUS * Math.cos(k * Math.PI / 4), RADIUS * Math.sin(k * Math.PI / 4)];
    density += Math.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * SPREAD ** 2));
  }
  return Math.log(8 * 2 * Math.PI * SPREAD ** 2) - Math.log(density);
}

/** Draws of the mixture, [COUNT, 2]. */
function drawMixture(noise: Noise): tf.Tensor2D {
  const mode = tf.cast(tf.mul(noise.split("mode").uniform([COUNT, 1]), 8), "int32");
  const angle = tf.mul(tf.cast(mode, "float32"), Math.PI / 4);
  const centre = tf.mul(tf.concat([tf.cos(angle), tf.sin(angle)], 1), RADIUS);
  return tf.add(centre, tf.mul(noise.split("spread").normal([COUNT, 2]), SPREAD));
}

/** KL(mixture || exp(-f) / Z) in nats, by quadrature on [-4.5, 4.5]^2: the mass outside is below 1e-9. */
function divergence(state: HostArrays): number {
  const side = 91;
  const axis = Array.from({ length: side }, (_, i) => -4.5 + 9 * i / (side - 1));
  const grid = axis.flatMap((x) => axis.map((y) => [x, y]));
  const { energy } = unflatten(toTensors(state)) as Learner;
  const learned = prior.energy(energy, tf.tensor2d(grid)).dataSync();
  const cell = (9 / (side - 1)) ** 2;
  const logZ = Math.log(grid.reduce((sum, _, i) => sum + Math.exp(-learned[i]) * cell, 0));
  return grid.reduce((sum, [x, y], i) => {
    const energy = energyOf(x, y);
    return sum + Math.exp(-energy) * (learned[i] + logZ - energy) * cell;
  }, 0);
}

/** An energy that learns by Adam. */
type Learner = { readonly energy: NetParams; readonly adam: AdamSlots<NetParams> };

/** Steps of `update` on the compiled device. */
async function learn<S extends Tree & Learner>(
  start: (noise: Noise) => S,
  update: (state: S, step: tf.Scalar, noise: Noise) => S,
): Promise<{ before: number; after: number }> {
  await tf.setBackend("cpu");
  const arrays = toArrays(start(createNoise(keyOf(0), tf.scalar(0, "int32"))));
  await using device = await openDevice("cpu", { threads: 1 });
  let current = await device.upload(arrays);
  const stepAt = (t: number): { step: HostArray } => ({
    step: { shape: [], dtype: "int32", data: Int32Array.of(t) },
  });
  await using program = await device.compile(({ state, inputs }) => {
    const step = inputs.step as tf.Scalar;
    const noise = createNoise(foldIn(keyOf(0), "step"), step);
    return { state: flatten(update(unflatten(state) as S, step, noise)), outputs: {} };
  }, { state: current.specs, inputs: { step: { shape: [], dtype: "int32" } } });
  for (let t = 0; t < STEPS; t++) current = (await program.run(current, stepAt(t))).state;
  const end = await device.download(current);
  await tf.setBackend("cpu");
  return { before: divergence(arrays), after: divergence(end) };
}

/** The energy after one step of Adam down mean net(z+) - mean net(z-), with z+ drawn from the mixture. */
function learnContrast(
  { energy, adam: slots }: Learner,
  { negative, step, noise }: {
    readonly negative: tf.Tensor2D;
    readonly step: tf.Scalar;
    readonly noise: Noise;
  },
): Learner {
  const positive = drawMixture(noise);
  const { gradients } = lossAndGradients((params) => {
    const high = tf.mean<tf.Scalar>(prior.net(params, positive));
    return { loss: tf.sub<tf.Scalar>(high, tf.mean(prior.net(params, negative))) };
  }, energy);
  const next = adam({ params: energy, slots }, {
    gradients,
    learningRate: falling(0.02, step),
    step,
  });
  return { energy: next.params, adam: next.slots };
}

function startEnergy(noise: Noise): Learner {
  const energy = prior.init(noise);
  return { energy, adam: initAdam(energy) };
}

/** From `rate` down to a tenth of it over `steps`. */
function falling(rate: number, step: tf.Scalar): tf.Scalar {
  return tf.mul(rate, tf.exp(tf.mul(tf.cast(step, "float32"), -Math.log(10) / STEPS)));
}

Deno.test("priorChain() and the contrast of energies learn eight modes, as LEBM does", async () => {
  const { before, after } = await learn((noise) => ({
    ...startEnergy(noise),
    // Chains go on from step to step, so that fifteen steps of each are enough.
    negative: noise.split("start").normal<tf.Tensor2D>([COUNT, 2]),
  }), (state, step, noise) => {
    const energy = (z: tf.Tensor2D) => prior.energy(state.energy, z);
    const negative = priorChain(energy, { start: state.negative, hyper, noise });
    return { ...learnContrast(state, { negative, step, noise }), negative };
  });
  assert.ok(before > 0.3, `untrained ${before}`);
  assert.ok(after < 0.1, `KL ${after}`);
});

/** The last layer of the sampler, or V of its pSGLD. */
type LastLayer = { readonly psi: tf.Tensor2D };
type Chain = { readonly params: LastLayer; readonly v: LastLayer };

Deno.test("psgld() on the sampler's last layer and the contrast of energies learn eight modes, as LAE does", async () => {
  const inputDim = 64;
  const net = samplerNet(inputDim, hyper);
  const { before, after } = await learn((noise) => {
    const u = noise.split("inputs").normal([COUNT, inputDim]);
    const h = applyNet(net, { params: initNet(net, noise), x: u }) as tf.Tensor2D;
    const shape = [samplerFeatureCount(inputDim, hyper), 2];
    const params: LastLayer = { psi: tf.mul(noise.split("psi").normal(shape), 0.05) };
    const chain: Chain = { params, v: initPsgld(params) };
    return { ...startEnergy(noise), h, chain };
  }, (state, step, noise) => {
    const draws = drawsLike(state.chain.params, { noise, leading: [INNER] });
    const end = repeat(
      INNER,
      flatten(state.chain),
      (flat, { index, ...xi }) => {
        const before = unflatten(flat) as Chain;
        const { gradients } = lossAndGradients(({ psi }) => {
          const latents = tf.matMul(state.h, psi);
          return { loss: tf.mean<tf.Scalar>(prior.energy(state.energy, latents)) };
        }, before.params);
        const { params, v } = psgld(before, {
          gradients,
          xi: xi as LastLayer,
          stepSize: 3e-3,
          count: COUNT,
          alpha: 0.99,
          damping: 1e-3,
          moves: tf.add(tf.mul(tf.cast(step, "float32"), INNER), index),
        });
        return flatten({ params, v });
      },
      { index: tf.range(0, INNER), ...draws },
    );
    const chain = unflatten(end) as Chain;
    const negative: tf.Tensor2D = tf.matMul(state.h, chain.params.psi);
    return { ...state, ...learnContrast(state, { negative, step, noise }), chain };
  });
  assert.ok(before > 0.3, `untrained ${before}`);
  assert.ok(after < 0.1, `KL ${after}`);
});

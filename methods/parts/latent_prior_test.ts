import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { openDevice } from "../../harness/engine/device.ts";
import { repeat } from "../../harness/core/repeat.ts";
import { createNoise, foldIn, keyOf } from "../../harness/core/noise.ts";
import type { HostArray, HostArrays, Noise, State } from "../../harness/core/types.ts";
import { adam, initAdam } from "./adam.ts";
import { energyNet, samplerFeatureCount, samplerNet } from "./architectures.ts";
import { lossAndGradients } from "./gradients.ts";
import { netEnergy, priorChain, priorEnergy } from "./latent_prior.ts";
import { MODEL_DEFAULTS, namesBelow, pick } from "./model.ts";
import { applyNet, initNet } from "./nets.ts";
import { drawsLike, initPsgld, psgld, psgldEntries } from "../samplers/psgld.ts";

/** Eight Gaussians on a circle, with weights 1/8. */
const RADIUS = 2;
const SPREAD = 0.5;
const COUNT = 200;
const STEPS = 1500;
/** Moves of the sampler for one of the energy. */
const INNER = 10;
const hyper = {
  ...MODEL_DEFAULTS,
  latentDim: 2,
  width: 0.05,
  featureDim: 6000, // times width: 300 features for 200 chains
  priorSteps: 15,
  priorStepSize: 0.06,
};

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
  const tensors = Object.fromEntries(
    Object.entries(state).map(([k, { data, shape }]) => [k, tf.tensor(data, shape as number[])]),
  );
  const learned = priorEnergy(tensors, { latents: tf.tensor2d(grid), hyper }).dataSync();
  const cell = (9 / (side - 1)) ** 2;
  const logZ = Math.log(grid.reduce((sum, _, i) => sum + Math.exp(-learned[i]) * cell, 0));
  return grid.reduce((sum, [x, y], i) => {
    const energy = energyOf(x, y);
    return sum + Math.exp(-energy) * (learned[i] + logZ - energy) * cell;
  }, 0);
}

/** Steps of `update` on the compiled device. */
async function learn(
  start: (noise: Noise) => State,
  update: (state: State, step: tf.Scalar, noise: Noise) => State,
): Promise<{ before: number; after: number }> {
  await tf.setBackend("cpu");
  const state = start(createNoise(keyOf(0), tf.scalar(0, "int32")));
  const arrays = Object.fromEntries(
    Object.entries(state).map(([name, t]) =>
      [name, { shape: t.shape, dtype: "float32", data: t.dataSync<"float32">().slice() }] as const
    ),
  );
  await using device = await openDevice("cpu", { threads: 1 });
  let current = await device.upload(arrays);
  const stepAt = (t: number): { step: HostArray } => ({
    step: { shape: [], dtype: "int32", data: Int32Array.of(t) },
  });
  await using program = await device.compile(({ state, inputs }) => {
    const step = inputs.step as tf.Scalar;
    return { state: update(state, step, createNoise(foldIn(keyOf(0), "step"), step)), outputs: {} };
  }, { state: current.specs, inputs: { step: { shape: [], dtype: "int32" } } });
  for (let t = 0; t < STEPS; t++) current = (await program.run(current, stepAt(t))).state;
  const end = await device.download(current);
  await tf.setBackend("cpu");
  return { before: divergence(arrays), after: divergence(end) };
}

/** mean net(z+) - mean net(z-), and its gradient for the energy's parameters. */
function contrast(
  state: State,
  { positive, negative }: { positive: tf.Tensor; negative: tf.Tensor },
): State {
  return lossAndGradients((params) => {
    const high = tf.mean(netEnergy(params, { latents: positive, hyper }));
    return {
      loss: tf.sub(high, tf.mean(netEnergy(params, { latents: negative, hyper }))) as tf.Scalar,
    };
  }, pick(state, namesBelow(state, "energy"))).gradients;
}

function startEnergy(noise: Noise): State {
  const energy = initNet(energyNet(hyper), noise);
  return { ...energy, ...initAdam(energy, Object.keys(energy)) };
}

/** From `rate` down to a tenth of it over `steps`. */
function falling(rate: number, step: tf.Scalar): tf.Scalar {
  return tf.mul(rate, tf.exp(tf.mul(tf.cast(step, "float32"), -Math.log(10) / STEPS))) as tf.Scalar;
}

Deno.test("priorChain() and the contrast of energies learn eight modes, as LEBM does", async () => {
  const { before, after } = await learn((noise) => ({
    ...startEnergy(noise),
    // Chains go on from step to step, so that fifteen steps of each are enough.
    negative: noise.split("start").normal([COUNT, 2]),
  }), (state, step, noise) => {
    const negative = priorChain(state, { start: state.negative as tf.Tensor2D, hyper, noise });
    const gradients = contrast(state, { positive: drawMixture(noise), negative });
    return { ...adam(state, { gradients, learningRate: falling(0.02, step), step }), negative };
  });
  assert.ok(before > 0.3, `untrained ${before}`);
  assert.ok(after < 0.1, `KL ${after}`);
});

Deno.test("psgld() on the sampler's last layer and the contrast of energies learn eight modes, as LAE does", async () => {
  const inputDim = 64;
  const { before, after } = await learn((noise) => {
    const sampler = initNet(samplerNet(inputDim, hyper), noise);
    const u = noise.split("inputs").normal([COUNT, inputDim]);
    const h = applyNet(samplerNet(inputDim, hyper), { params: sampler, x: u });
    const psi = tf.mul(noise.split("psi").normal([samplerFeatureCount(inputDim, hyper), 2]), 0.05);
    return { ...startEnergy(noise), h, psi, ...initPsgld({ psi }, ["psi"]) };
  }, (state, step, noise) => {
    const xi = drawsLike(state, { names: ["psi"], noise, leading: [INNER] });
    const chain = repeat(
      INNER,
      pick(state, psgldEntries(["psi"])),
      (moved, { index, ...xi }) => {
        const { gradients } = lossAndGradients(({ psi }) => {
          const latents = tf.matMul(state.h as tf.Tensor2D, psi as tf.Tensor2D);
          return { loss: tf.mean(priorEnergy(state, { latents, hyper })) as tf.Scalar };
        }, pick(moved, ["psi"]));
        const moves = tf.add(tf.mul(tf.cast(step, "float32"), INNER), index) as tf.Scalar;
        return psgld(moved, {
          gradients,
          xi,
          stepSize: 3e-3,
          count: COUNT,
          alpha: 0.99,
          damping: 1e-3,
          moves,
        });
      },
      { index: tf.range(0, INNER), ...xi } as State,
    );
    const negative = tf.matMul(state.h as tf.Tensor2D, chain.psi as tf.Tensor2D);
    const gradients = contrast(state, { positive: drawMixture(noise), negative });
    return { ...adam(state, { gradients, learningRate: falling(0.02, step), step }), ...chain };
  });
  assert.ok(before > 0.3, `untrained ${before}`);
  assert.ok(after < 0.1, `KL ${after}`);
});

/** CoopVAEBM against closed forms of its chain, its VAE's loss and its fixed point. */
import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { createNoise, draws, foldIn, keyOf } from "../harness/core/noise.ts";
import { unflatten } from "../harness/core/tree.ts";
import type { HostArray, Model, Problem } from "../harness/core/types.ts";
import { openDevice } from "../harness/engine/device.ts";
import { coopvaebm } from "./coopvaebm.ts";
import { negLogLikelihood } from "./parts/likelihood.ts";
import { drawCode, imageVae, type ImageVaeParams, klOfCode } from "./parts/image_vae.ts";
import { toTensors } from "../harness/core/host_arrays.ts";
import {
  entriesThatImagesChange,
  initialState,
  TINY_PROBLEM,
  tinyHyper,
  tinyImages,
  train,
} from "./testing/tiny_problem.ts";

const PIXELS = 64;
const noiseOf = (seed: number) => createNoise(keyOf(seed), tf.scalar(0, "int32"));

/** The model and its initial state, with the weights of its energy replaced by `energy`. */
async function withEnergy(
  overrides: Partial<typeof coopvaebm.defaults>,
  energy: (weight: tf.Tensor) => tf.Tensor,
) {
  const model: Model = coopvaebm.build(TINY_PROBLEM, tinyHyper(coopvaebm, overrides));
  const flat = toTensors(await initialState(model, 0));
  const replaced = Object.entries(flat).map(([name, tensor]) =>
    [name, name.startsWith("energy/") ? energy(tensor) : tensor] as const
  );
  return { model, state: unflatten(Object.fromEntries(replaced)) };
}

/** Samples and their proposals, in [-1, 1], from the same draws. */
function samplePairs(model: Model, state: ReturnType<typeof unflatten>) {
  const [proposals] = model.alternatives ?? [];
  return [model, proposals].map(({ sample }) =>
    tf.sub(tf.mul(sample(state, { count: 6, chains: {} }, noiseOf(1)), 2), 1)
  );
}

function assertClose(actual: tf.Tensor, expected: tf.Tensor, tolerance: number): void {
  const [worst] = tf.max(tf.abs(tf.sub(actual, expected))).dataSync();
  assert.ok(worst <= tolerance, `off by ${worst}`);
}

Deno.test("a constant f leaves the reference alone: t steps shrink proposals by (1 - delta^2 / (2 sigma^2))^t", async () => {
  const t = 30;
  const { model, state } = await withEnergy({ sampleSteps: t }, tf.zerosLike);
  const [samples, proposals] = samplePairs(model, state);
  const factor = (1 - 0.002 ** 2 / (2 * 0.016 ** 2)) ** t;
  assert.ok(Math.abs(factor - 0.7903) < 1e-4);
  assertClose(samples, tf.mul(proposals, factor), 1e-6);
});

Deno.test("f = a . x + b . x^2 moves proposals along its affine closed form", async () => {
  const t = 7;
  const [sigma, stepSize, a, b] = [0.5, 0.05, 0.3, -0.7];
  const { model, state } = await withEnergy(
    {
      nets: "moments",
      sampleSteps: t,
      referenceSigma: sigma,
      langevinStepSize: stepSize,
    },
    (weight) =>
      weight.rank === 1
        ? tf.zerosLike(weight)
        : tf.concat([tf.fill([PIXELS, 1], a), tf.fill([PIXELS, 1], b)]),
  );
  const [samples, proposals] = samplePairs(model, state);
  const precision = sigma ** -2 - 2 * b;
  const [rest, factor] = [a / precision, (1 - stepSize * precision) ** t];
  assertClose(samples, tf.add(tf.mul(tf.sub(proposals, rest), factor), rest), 1e-6);
});

Deno.test("the VAE's loss at w = 2 is twice its negative bound at sigma = 1, less the constant of the Gaussian", async () => {
  // Steps too short to move: x~ is the proposal, which an alternative shows.
  const { model, state } = await withEnergy({ langevinStepSize: 1e-30 }, tf.zerosLike);
  const noise = () => noiseOf(5);
  const batch = {
    images: tf.zeros<tf.Rank.R4>([8, 8, 8, 1]),
    rows: tf.range(0, 8, 1, "int32"),
    step: tf.scalar(0, "int32"),
    chains: {},
  };
  const { metrics } = model.step(state, batch, noise());
  const [proposals] = model.alternatives ?? [];
  const x: tf.Tensor4D = tf.sub(
    tf.mul(proposals.sample(state, { count: 8, chains: {} }, noise()), 2),
    1,
  );
  const { latentDim } = tinyHyper(coopvaebm);
  const vae = imageVae(TINY_PROBLEM.image, {
    latentDim,
    width: 0.125,
    batchNorm: false,
    classCount: 0,
  });
  const params = state as unknown as ImageVaeParams;
  const q = vae.encode(params, x);
  const z = drawCode(q, noise().split("code").normal([8, latentDim]));
  const logSigma = tf.scalar(0);
  const mean = vae.generate(params, z);
  const negLog = negLogLikelihood(x, { mean, logSigma, likelihood: "gaussian" });
  const [bound] = tf.mean(tf.add(negLog, klOfCode(q))).dataSync();
  const expected = 2 * (bound - PIXELS / 2 * Math.log(2 * Math.PI));
  const [loss] = metrics.loss.dataSync();
  assert.ok(Math.abs(loss - expected) < 1e-4 * Math.abs(expected), `${loss}, not ${expected}`);
});

Deno.test("step() teaches the VAE without data: other images change the energy alone", async () => {
  const differ = await entriesThatImagesChange(coopvaebm);
  assert.ok(differ.length > 0);
  for (const name of differ) assert.match(name, /^(adam\/)?energy\//);
});

/** Images of two classes in turn: the left, and the right half of pixels is bright, with uniform noise of +-0.05. */
function halves({ trainCount, image }: Problem): HostArray {
  const { height, width } = image;
  const uniform = draws(foldIn(keyOf(0), "halves"), {
    counter: 0,
    count: trainCount * height * width,
    kind: "uniform",
  });
  const data = uniform.map((u, i) => {
    const [row, column] = [Math.floor(i / (height * width)), i % width];
    const isBright = (column < width / 2) === (row % 2 === 0);
    return (isBright ? 0.85 : 0.15) + 0.1 * (u - 0.5);
  });
  return { shape: [trainCount, height, width, 1], dtype: "float32", data };
}

async function trained(
  { problem, images, steps, ...overrides }: Partial<typeof coopvaebm.defaults> & {
    readonly problem: Problem;
    readonly images: HostArray;
    readonly steps: number;
  },
) {
  const model: Model = coopvaebm.build(
    problem,
    tinyHyper(coopvaebm, overrides),
  );
  await using device = await openDevice("cpu", { threads: 1 });
  const { state } = await train(model, {
    device,
    problem,
    images,
    seed: 0,
    steps: [0, steps],
    state: await initialState(model, 0),
  });
  return { model, state: unflatten(toTensors(state)) };
}

Deno.test("at the fixed point the revised images have the data's means and second moments, though five steps without noise do not mix", async () => {
  const problem = { ...TINY_PROBLEM, trainCount: 32, batchSize: 32 };
  // In the middle of the range: samples are clipped to [0, 1], the model's moments are those before.
  const tiny = tinyImages(problem.trainCount, problem.image);
  const images = { ...tiny, data: Float32Array.from(tiny.data, (v) => 0.35 + 0.3 * v) };
  const { model, state } = await trained({
    problem,
    images,
    steps: 1000,
    nets: "moments",
    referenceSigma: 0.5,
    langevinStepSize: 0.05,
    langevinSteps: 5,
    sampleSteps: 5,
    energyLearningRate: 0.01,
    learningRate: 3e-3,
    decay: 0.994, // an epoch is a step
  });
  const count = 2000;
  const samples = tf.reshape(model.sample(state, { count, chains: {} }, noiseOf(3)), [
    count,
    PIXELS,
  ]);
  const data = tf.reshape(tf.tensor(images.data, [...images.shape]), [-1, PIXELS]);
  for (const power of [1, 2]) {
    const [own, wanted] = [samples, data].map((x) => tf.mean(tf.pow(x, power), 0));
    const deviation = tf.moments(tf.pow(samples, power), 0).variance.sqrt();
    const [off, spread, scale] = [
      tf.mean(tf.abs(tf.sub(own, wanted))),
      tf.mean(deviation),
      tf.mean(wanted),
    ].map((t) => t.dataSync()[0]);
    // 2 % of the mean moment, and three standard errors of a mean over the samples.
    const tolerance = 0.02 * scale + 3 * spread / Math.sqrt(count);
    assert.ok(off <= tolerance, `moment ${power} is off by ${off}, more than ${tolerance}`);
  }
});

Deno.test("a conditional model samples the class that is asked for", async () => {
  const problem = { ...TINY_PROBLEM, classCount: 2 };
  const images = halves(problem);
  const { model, state } = await trained({
    problem,
    images,
    steps: 300,
    conditional: true,
    referenceSigma: 0,
    langevinStepSize: 40,
    driftLimit: 0.2,
    energyPenalty: 1,
    langevinSteps: 10,
    sampleSteps: 10,
    energyLearningRate: 1e-3,
    learningRate: 1e-3,
  });
  const count = 200;
  const labels = tf.range(0, 2 * count, 1, "int32");
  const isSecond = tf.greaterEqual(labels, count);
  const asked = tf.cast(isSecond, "int32") as tf.Tensor1D;
  assert.ok(model.conditional);
  const samples = model.conditional.sample(state, asked, noiseOf(4));
  const brightness = (from: number) =>
    tf.mean(tf.slice(samples, [0, 0, from, 0], [-1, -1, 4, -1]), [1, 2, 3]);
  const isRight = tf.greater(brightness(4), brightness(0));
  const [accuracy] = tf.mean(tf.cast(tf.equal(isRight, isSecond), "float32")).dataSync();
  assert.ok(accuracy >= 0.95, `${accuracy} of the samples are of their class`);
});

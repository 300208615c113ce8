import assert from "node:assert/strict";
import type { Tensor2D } from "@tensorflow/tfjs";
import { fashion4k } from "../../datasets/fashion_4k.ts";
import { openDevice } from "../../harness/engine/device.ts";
import { fdFashion } from "../../harness/metrics/fd_fashion.ts";
import { keyOf } from "../../harness/core/noise.ts";
import { compileSampler } from "../../harness/run/generator.ts";
import type { Hyperparams, Method } from "../../harness/core/types.ts";
import { initialState, train } from "../testing/tiny_problem.ts";
import { METHODS } from "../mod.ts";

const TRAIN_COUNT = 1000;
const SAMPLE_COUNT = 500;
const small = { width: 0.125, latentDim: 32, featureDim: 2048 };

/** Scores of images from the learned prior and, through the same decoder, from N(0, I), after 60 steps on real images. */
async function scores(method: Method, overrides: Hyperparams) {
  const hyper = { ...method.defaults, ...small, ...overrides };
  const set = await fashion4k.load("train");
  const { image } = set;
  const size = image.height * image.width;
  const problem = { image, trainCount: TRAIN_COUNT, batchSize: 100 };
  await using device = await openDevice("cpu", { threads: 2 });
  const { state } = await train(method, {
    device,
    problem,
    hyper,
    seed: 0,
    images: {
      shape: [TRAIN_COUNT, image.height, image.width, 1],
      dtype: "float32",
      data: Float32Array.from(set.pixels.subarray(0, TRAIN_COUNT * size), (p) => p / 255),
    },
    steps: [0, 60],
    state: await initialState(method, { problem, hyper, seed: 0 }),
  });
  const standardNormal: Method = {
    ...method,
    sample: (state, count, hyper, noise) => {
      const latents = noise.split("latents").normal([count, Number(hyper.latentDim)]);
      return method.decode(state, latents as Tensor2D, hyper);
    },
  };
  const reference = await fdFashion.reference(await fashion4k.load("test"));
  const score = async (method: Method) => {
    const current = await device.upload(state);
    await using sampler = await compileSampler(device, {
      method,
      hyper,
      key: keyOf(1),
      state: current,
      count: SAMPLE_COUNT,
      image,
    });
    await using scoring = await fdFashion.begin(reference);
    await sampler.draw(current, (images) => scoring.add(images));
    return await scoring.finish();
  };
  return { learned: await score(method), normal: await score(standardNormal) };
}

const CASES: readonly (readonly [Method, Hyperparams])[] = [
  [METHODS.lebm, {
    sigma: 1,
    learningRate: 2e-3,
    energyLearningRate: 1e-3,
    posteriorSteps: 5,
    posteriorStepSize: 0.05,
    priorSteps: 20,
  }],
  [METHODS.lae, {}],
];

for (const [method, overrides] of CASES) {
  Deno.test(`${method.name} sample() beats N(0, I) through the same decoder on real images`, async () => {
    const { learned, normal } = await scores(method, overrides);
    // Of 500 images the score's own spread is a few parts in a hundred.
    assert.ok(learned < 0.9 * normal, `learned prior ${learned}, N(0, I) ${normal}`);
  });
}

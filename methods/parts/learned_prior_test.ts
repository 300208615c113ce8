import assert from "node:assert/strict";
import { fashion4k } from "../../datasets/fashion_4k.ts";
import { openDevice } from "../../harness/engine/device.ts";
import { fdFashion } from "../../harness/metrics/fd_fashion.ts";
import { keyOf } from "../../harness/core/noise.ts";
import { compileGenerator } from "../../harness/run/generator.ts";
import type { Hyperparams, Method, Model } from "../../harness/core/types.ts";
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
  const model = method.build(problem, hyper);
  const { latents } = model;
  if (latents === undefined) throw new TypeError(`${method.name} has no latents`);
  await using device = await openDevice("cpu", { threads: 2 });
  const { state } = await train(model, {
    device,
    problem,
    seed: 0,
    images: {
      shape: [TRAIN_COUNT, image.height, image.width, 1],
      dtype: "float32",
      data: Float32Array.from(set.pixels.subarray(0, TRAIN_COUNT * size), (p) => p / 255),
    },
    steps: [0, 60],
    state: await initialState(model, 0),
  });
  const standardNormal: Model = {
    ...model,
    sample: (state, { count }, noise) =>
      latents.decode(state, noise.split("latents").normal([count, latents.dim])),
  };
  const reference = await fdFashion.reference(await fashion4k.load("test"));
  const score = async (model: Model) => {
    const current = await device.upload(state);
    await using generator = await compileGenerator(device, {
      model,
      key: keyOf(1),
      state: current,
      count: SAMPLE_COUNT,
      image,
    });
    await using scoring = await fdFashion.begin(reference);
    await generator.draw(current, { chains: {}, use: (images) => scoring.add(images) });
    return await scoring.finish();
  };
  return { learned: await score(model), normal: await score(standardNormal) };
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
  [METHODS.lae, { chainCount: 200, learning: "ml", innerSteps: 5 }],
];

for (const [method, overrides] of CASES) {
  Deno.test(`${method.name} sample() beats N(0, I) through the same decoder on real images`, async () => {
    const { learned, normal } = await scores(method, overrides);
    // Of 500 images the score's own spread is a few parts in a hundred.
    assert.ok(learned < 0.9 * normal, `learned prior ${learned}, N(0, I) ${normal}`);
  });
}

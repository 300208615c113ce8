import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import type { Method, Model } from "../core/types.ts";
import { conformanceOf } from "./conformance.ts";
import { TINY_DATASET, TINY_METHOD, tinyWith } from "./tiny.ts";

const problem = { image: TINY_DATASET.image, trainCount: 16, batchSize: 4 };

for (const { name, run } of conformanceOf(TINY_METHOD, { problem })) Deno.test(name, run);

/** Names of the tests that `method` fails. */
async function failuresOf(method: Method): Promise<string[]> {
  const failed: string[] = [];
  for (const { name, run } of conformanceOf(method, { problem })) {
    try {
      await run();
    } catch {
      failed.push(name.replace(/^.*?: /, ""));
    }
  }
  return failed;
}

const tiny: Model = TINY_METHOD.build(problem, TINY_METHOD.defaults);

/** Faulty models, and the test that must fail for each. */
const FAULTS: Readonly<Record<string, readonly [() => Partial<Model>, RegExp]>> = {
  "a step that draws from Math.random": [() => ({
    step: (state, batch, noise) => {
      const { state: next, ...rest } = tiny.step(state, batch, noise);
      return { ...rest, state: { ...next, mean: tf.add(next.mean as tf.Tensor, Math.random()) } };
    },
  }), /same bits, and other/],
  "a step that changes nothing": [() => ({
    step: (state, batch, noise) => ({ ...tiny.step(state, batch, noise), state }),
  }), /changes the state/],
  "a state that grows": [() => ({
    step: (state, batch, noise) => {
      const { state: next, ...rest } = tiny.step(state, batch, noise);
      return { ...rest, state: { ...next, more: tf.scalar(0) } };
    },
  }), /keeps names/],
  "a metric that explodes": [() => ({
    step: (state, batch, noise) => ({
      ...tiny.step(state, batch, noise),
      metrics: { loss: tf.div<tf.Scalar>(1, tf.sub(tf.cast(batch.step, "float32"), 19)) },
    }),
  }), /finite for 20 steps/],
  "chains that the step does not return": [() => ({
    step: (state, batch, noise) => ({ ...tiny.step(state, batch, noise), chains: {} }),
  }), /batch of one/],
  "samples outside the range": [() => ({
    sample: (_state, { count }, noise) => noise.split("x").normal([count, 2, 3, 1]),
  }), /sample\(\) and its alternatives/],
  "samples that are all equal": [() => ({
    sample: (_state, { count }) => tf.zeros([count, 2, 3, 1]),
  }), /not all equal/],
  "an alternative whose samples are outside the range": [() => ({
    alternatives: [{
      name: "raw",
      label: "raw",
      sample: (_state, { count }, noise) => noise.split("x").normal([count, 2, 3, 1]),
    }],
  }), /sample\(\) and its alternatives/],
  "two alternatives of one name": [() => ({
    alternatives: [1, 2].map(() => ({ name: "same", label: "same", sample: tiny.sample })),
  }), /sample\(\) and its alternatives/],
  "latents of another dimension": [() => ({
    latents: { dim: 3, infer: tiny.latents!.infer, decode: tiny.latents!.decode },
  }), /latents: infer/],
  "weights that are summed over images": [() => ({
    likelihood: { logWeight: (_state, images) => tf.reshape(tf.sum(images), [1]) },
  }), /likelihood/],
  "energies summed over chains": [() => ({
    langevinChains: [{
      name: "posterior",
      steps: 1,
      prepare: ({ mean }, { images }) => ({
        start: tf.zeros([images.shape[0], 2]),
        stepSize: 0.1,
        energy: (z) => tf.reshape<tf.Rank.R1>(tf.add(tf.sum(z), tf.mean(mean as tf.Tensor)), [1]),
      }),
    }],
  }), /langevinChains/],
  "FLOPs of one image": [() => ({ flops: 12 }), /grow with the batch/],
};

for (const [fault, [capabilities, message]] of Object.entries(FAULTS)) {
  Deno.test(`conformanceOf() notices ${fault}`, async () => {
    const failed = await failuresOf(tinyWith(capabilities));
    assert.ok(failed.some((name) => message.test(name)), `failed: ${failed.join("; ")}`);
  });
}

Deno.test("conformanceOf() notices a method that accepts NaN", async () => {
  const method = { ...TINY_METHOD, build: () => tiny };
  assert.deepEqual(await failuresOf(method), ["build() refuses NaN for every number"]);
});

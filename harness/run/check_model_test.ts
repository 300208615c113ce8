import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { openDevice } from "../engine/device.ts";
import { resolveRuns, type Tables } from "../experiment/spec.ts";
import { withTempDir } from "../testing/temp_dir.ts";
import {
  TINY_DATASET,
  TINY_EXPERIMENT,
  TINY_METHOD,
  TINY_PROVENANCE,
  TINY_TABLES,
  tinyWith,
} from "../testing/tiny.ts";
import { executeRun } from "./run.ts";
import type { Method, Model } from "../core/types.ts";

type TinyState = { readonly mean: tf.Tensor; readonly steps: tf.Scalar };

/** Why a run of the tiny method with members of its model replaced ends before its first epoch. */
async function refusal(change: (model: Model<TinyState>) => Partial<Model<TinyState>>) {
  const method: Method = tinyWith<TinyState>((hyper, problem) =>
    change(TINY_METHOD.build(problem, hyper) as unknown as Model<TinyState>)
  );
  const [spec] = resolveRuns({ ...TINY_EXPERIMENT, metrics: [] }, TINY_TABLES);
  let message = "";
  await withTempDir(async (dir) => {
    await using device = await openDevice("tfjs-cpu", { threads: 1 });
    await assert.rejects(
      executeRun(spec, {
        method,
        dataset: TINY_DATASET,
        metrics: [],
        device,
        experiment: "tiny",
        dir,
        provenance: () => Promise.resolve(TINY_PROVENANCE),
        report({ event }) {
          assert.notEqual(event, "epoch", "it trained");
        },
      }),
      (error: Error) => {
        message = error.message;
        return true;
      },
    );
  });
  return message;
}

Deno.test("a method whose images leave [0, 1], or have another shape, is refused before training, by the member", async () => {
  const doubled: Model<TinyState>["sample"] = (_state, { count }) =>
    tf.sub(tf.mul(tf.ones([count, 2, 3, 1]), 2), 3) as tf.Tensor4D;
  assert.match(
    await refusal(() => ({ sample: doubled })),
    /^sample\(\) gives values from -1\.00 to 1/,
  );
  assert.match(
    await refusal(() => ({ alternatives: [{ name: "other", label: "O", sample: doubled }] })),
    /^sample\(\) of the alternative other gives values/,
  );
  assert.match(
    await refusal(({ latents }) => ({
      latents: latents && {
        ...latents,
        decode: (state, z) => tf.mul(latents.decode(state, z), 255) as tf.Tensor4D,
      },
    })),
    /^latents\.decode\(\) gives values from 0\.00 to \d/,
  );
  assert.match(
    await refusal(({ sample }) => ({
      sample: (...args) => tf.reshape(sample(...args), [-1, 6, 1, 1]) as tf.Tensor4D,
    })),
    /^sample\(\) gives images of shape \[2,6,1,1\], not \[2,2,3,1\]/,
  );
});

Deno.test("a method whose inference diverges on the untrained model is refused in one line", async () => {
  assert.equal(
    await refusal(({ latents }) => ({
      latents: latents && {
        ...latents,
        infer: (...args) => tf.div(latents.infer(...args), 0) as tf.Tensor2D,
      },
    })),
    "latents.infer() diverges before training: lower the step size of the method's chain, or raise sigma",
  );
});

Deno.test("a step that leaves out state or chains, or gives a metric that is no scalar, is refused by name", async () => {
  const changed = (change: (result: ReturnType<Model<TinyState>["step"]>) => unknown) =>
    refusal(({ step }) => ({
      step: (...args) => change(step(...args)) as ReturnType<typeof step>,
    }));
  assert.match(
    await changed(({ state: { mean }, ...rest }) => ({ ...rest, state: { mean } })),
    /^step\(\) returns a state without "steps"/,
  );
  assert.match(
    await changed(({ chains: _, ...rest }) => rest),
    /^step\(\) returns no chains "visits"/,
  );
  assert.match(
    await changed(({ state, ...rest }) => ({ ...rest, state, metrics: { loss: state.mean } })),
    /^The metric "loss" of step\(\) must be a scalar tensor, got a tensor of shape \[2,3,1\]/,
  );
  assert.match(
    await changed((result) => ({ ...result, metrics: { loss: 3 } })),
    /^The metric "loss" .* got number/,
  );
});

Deno.test("an entry of a table with a name other than its key is refused by both", () => {
  const tables: Tables = {
    ...TINY_TABLES,
    methods: { tiny: { ...TINY_METHOD, name: "copy" } as unknown as Method },
  };
  assert.throws(
    () => resolveRuns(TINY_EXPERIMENT, tables),
    /The method "tiny" calls itself "copy": its name must be its key in the table/,
  );
});

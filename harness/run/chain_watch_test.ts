import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import type { Model } from "../core/types.ts";
import { openDevice } from "../engine/device.ts";
import { RUN_RECORD } from "../experiment/record_schema.ts";
import { resolveRuns } from "../experiment/spec.ts";
import { judgeChain } from "../statistics/chain_health.ts";
import { withTempDir } from "../testing/temp_dir.ts";
import {
  TINY_DATASET,
  TINY_EXPERIMENT,
  TINY_PROVENANCE,
  TINY_TABLES,
  tinyWith,
} from "../testing/tiny.ts";
import { executeRun } from "./run.ts";

/** Chains for a Gaussian of 16 dimensions and precision 1, of step size 0.2; and the same with a precision that grows by 1 a step. */
const CHAINS: NonNullable<Model["langevinChains"]> = ["still", "growing"].map((name) => ({
  name,
  steps: 30,
  prepare: (_state, { images, step }, noise) => ({
    start: noise.normal([images.shape[0], 16]),
    stepSize: 0.2,
    energy: (z) => {
      const precision = name === "still" ? 1 : tf.cast(step, "float32");
      return tf.mul(tf.sum<tf.Tensor1D>(tf.square(z), 1), tf.div(precision, 2));
    },
  }),
}));

async function runTiny(dir: string, capabilities: Partial<Model>) {
  const [spec] = resolveRuns(TINY_EXPERIMENT, TINY_TABLES);
  await using device = await openDevice("tfjs-cpu", { threads: 1 });
  const warnings: string[] = [];
  const record = await executeRun(spec, {
    method: tinyWith(() => capabilities),
    dataset: TINY_DATASET,
    metrics: [],
    device,
    experiment: "tiny",
    dir,
    provenance: () => Promise.resolve(TINY_PROVENANCE),
    report: (event) => event.event === "warning" && warnings.push(event.text),
  });
  assert.ok(record.status === "completed");
  assert.deepEqual(RUN_RECORD.parse(record), record);
  return { record, warnings };
}

Deno.test("executeRun() records the health of each chain after the last step, and warns once a limit before", () =>
  withTempDir(async (dir) => {
    const { record, warnings } = await runTiny(dir, { langevinChains: CHAINS });
    const { chainHealth: health = [] } = record;
    assert.deepEqual(health.map(({ chain, count, dimension }) => [chain, count, dimension]), [
      ["still", 17, 16],
      ["growing", 17, 16],
    ]);
    const stabilities = health.map(({ stability }) => stability?.quantile90 ?? NaN);
    // Precisions 1, and 12 after 3 epochs of 4 steps; float32 differences err by 1e-4.
    [0.2, 2.4].forEach((exact, i) => assert.ok(Math.abs(stabilities[i] / exact - 1) < 1e-3));
    assert.deepEqual(health.map((one) => judgeChain(one).verdict), ["healthy", "unstable"]);
    // After 4 and 8 steps of training, on fewer images; after the last epoch there is the measurement above.
    const watched = record.epochs.map(({ chainHealth }) =>
      chainHealth?.map(({ chain, stability }) => [chain, Number(stability?.quantile90.toFixed(2))])
    );
    assert.deepEqual(watched, [
      [["still", 0.2], ["growing", 0.8]],
      [["still", 0.2], ["growing", 1.6]],
      undefined,
    ]);
    assert.deepEqual(warnings, [
      "the growing chain inflates variances up to 1.7 times: its step size 0.2 times the largest curvature is 0.80, and must be well below 2",
      "the growing chain inflates variances up to 5.0 times: its step size 0.2 times the largest curvature is 1.6, and must be well below 2",
    ]);
  }));

Deno.test("executeRun() follows a chain by its own rule, and records what a chain on images reaches", () =>
  withTempDir(async (dir) => {
    // From 1/2 down the slope 1 by 0.2 a step, clipped at 0: U = x_1 + ... + x_16 falls from 8 to 0 in three steps.
    const chain: NonNullable<Model["langevinChains"]>[number] = {
      name: "images",
      steps: 5,
      prepare: (_state, { images }) => {
        const start = tf.fill<tf.Rank.R2>([images.shape[0], 16], 0.5);
        return {
          start,
          stepSize: 0.2,
          energy: (z) => tf.sum<tf.Tensor1D>(z, 1),
          move: (z, { gradient }) => tf.maximum(tf.sub(z, tf.mul(gradient, 0.2)), 0),
          images: { data: tf.onesLike(start), range: [0, 1] },
        };
      },
    };
    const { record: { chainHealth: [health] = [] } } = await runTiny(dir, {
      langevinChains: [chain],
    });
    assert.ok(!("acceptance" in health) && !("virial" in health));
    assert.ok(Math.abs(health.stability?.largest ?? NaN) < 1e-3);
    const of = (mean: number) => ({ mean, standardError: 0 });
    assert.deepEqual(health.images, {
      energy: { data: of(16), start: of(8), end: of(0) },
      gradientNorm: { start: 4, end: 4 },
      saturated: { data: 1, start: 0, end: 1 },
      distance: 0.5,
    });
  }));

Deno.test("executeRun() says nothing of chains where the model has none", () =>
  withTempDir(async (dir) => {
    const { record, warnings } = await runTiny(dir, {});
    assert.ok(!("chainHealth" in record));
    assert.deepEqual(warnings, []);
  }));

import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { RUN_RECORD } from "../experiment/record_schema.ts";
import { resolveRuns } from "../experiment/spec.ts";
import { openDevice } from "../engine/device.ts";
import { withTempDir } from "../testing/temp_dir.ts";
import {
  TINY_DATASET,
  TINY_EXPERIMENT,
  TINY_METHOD,
  TINY_METRIC,
  TINY_TABLES,
  tinyWith,
} from "../testing/tiny.ts";
import type { Method, Metric } from "../core/types.ts";
import type { RunRecord } from "../core/records.ts";
import { removeCheckpoints } from "./checkpoint_files.ts";
import { executeRun } from "./run.ts";

const TINY = TINY_METHOD.build(
  { image: TINY_DATASET.image, trainCount: 17, batchSize: 4 },
  TINY_METHOD.defaults,
);

/** The tiny method, its samples in a second way too (`same`: the very same way), in a third that is 0.1 darker, and in one without a number. */
const METHOD: Method = tinyWith(() => ({
  alternatives: [
    { name: "same", label: "Tiny again", sample: TINY.sample },
    {
      name: "darker",
      label: "Tiny, darker",
      sample: (state, request, noise) => tf.relu(tf.sub(TINY.sample(state, request, noise), 0.1)),
      // 2 bits for each of six dimensions.
      logDensity: (_state, images) => tf.fill([images.shape[0]], -2 * 6 * Math.LN2),
    },
    {
      name: "broken",
      label: "Tiny, broken",
      sample: (state, request, noise) => tf.mul(TINY.sample(state, request, noise), NaN),
    },
  ],
}));

async function run(dir: string, stopAfter = Infinity): Promise<RunRecord> {
  const [spec] = resolveRuns(TINY_EXPERIMENT, { ...TINY_TABLES, methods: { tiny: METHOD } });
  await using device = await openDevice("tfjs-cpu", { threads: 1 });
  return await executeRun(spec, {
    method: METHOD,
    dataset: TINY_DATASET,
    metrics: [TINY_METRIC as Metric],
    device,
    experiment: "tiny",
    dir,
    provenance: (datasetSha256) =>
      Promise.resolve({
        commit: null,
        dirty: null,
        lockSha256: "",
        versions: {},
        device: "",
        cpu: "",
        cores: 1,
        jobs: 1,
        os: "",
        datasetSha256,
        metricSha256: {},
      }),
    report(event) {
      if (event.event === "epoch" && event.record.epoch + 1 >= stopAfter) throw new Error("killed");
    },
  });
}

Deno.test("executeRun() scores every alternative of a model, before and after training, with the noise of its own samples", () =>
  withTempDir(async (dir) => {
    const record = await run(dir);
    assert.ok(record.status === "completed");
    assert.deepEqual(RUN_RECORD.parse(record), record);
    const { alternatives = {}, scores, untrained } = record;
    assert.deepEqual(alternatives.same, { label: "Tiny again", scores, untrained });
    const { bitsPerDim } = alternatives.darker;
    assert.ok(Math.abs((bitsPerDim?.mean ?? NaN) - 2) < 1e-6);
    assert.equal(bitsPerDim?.standardError, 0);
    // Samples are within 6 levels of the real mean, so 25.5 levels below it after training; 0.6 levels for rounding and clipping.
    const { darker } = alternatives;
    assert.ok(Math.abs(darker.scores.gap - 25.5) < 6.6, `${darker.scores.gap}`);
    assert.ok(darker.untrained.gap > untrained.gap);
    const grid = (name: string) => Deno.readFile(`${dir}/${name}.png`);
    assert.deepEqual(await grid("samples_same"), await grid("samples"));
    assert.notDeepEqual(await grid("samples_darker"), await grid("samples"));
  }));

Deno.test("executeRun() completes where only an alternative's samples are not finite, and says so", () =>
  withTempDir(async (dir) => {
    const record = await run(dir);
    assert.ok(record.status === "completed");
    assert.deepEqual(record.alternatives?.broken, {
      label: "Tiny, broken",
      scores: {},
      untrained: {},
      error: "samples became NaN",
    });
    const files = [...Deno.readDirSync(dir)].map(({ name }) => name);
    assert.ok(files.includes("samples_darker.png") && !files.includes("samples_broken.png"));
  }));

Deno.test("executeRun() resumed keeps the alternatives' scores of the initial state", () =>
  withTempDir(async (dir) => {
    await assert.rejects(run(dir, 2), /killed/);
    const resumed = await run(dir);
    assert.equal(resumed.epochs[2].warmup, true, "it resumed");
    await removeCheckpoints(dir);
    const whole = await run(dir);
    assert.ok(resumed.status === "completed" && whole.status === "completed");
    assert.ok(whole.alternatives?.darker.untrained.gap !== undefined);
    assert.deepEqual(resumed.alternatives, whole.alternatives);
    assert.deepEqual(resumed.decodedScores, whole.decodedScores);
  }));

import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { metropolisStep } from "../../methods/samplers/metropolis.ts";
import type { JointDensity } from "../core/types.ts";
import type { RunRecord } from "../core/records.ts";
import { openDevice } from "../engine/device.ts";
import { RUN_RECORD } from "../experiment/record_schema.ts";
import { resolveRuns, runId, type Tables } from "../experiment/spec.ts";
import { executeRun } from "../run/run.ts";
import { withTempDir } from "../testing/temp_dir.ts";
import {
  TINY_DATASET,
  TINY_EXPERIMENT,
  TINY_METHOD,
  TINY_PROVENANCE,
  TINY_TABLES,
  tinyWith,
} from "../testing/tiny.ts";
import { costOf, estimateRun, planLikelihoods } from "./likelihood.ts";
import { openStore } from "./store.ts";
import { LIKELIHOOD_FILE, openLikelihoods, readLikelihoods } from "./likelihood_store.ts";

const SIGMA = 0.2;

/** x ~ N(mean, SIGMA^2) whatever z is: the posterior is the prior, and log p(x) needs no integral. */
const JOINT: JointDensity<{ readonly mean: tf.Tensor; readonly steps: tf.Scalar }> = {
  dim: 2,
  drawLatents: (_state, count, noise) => noise.split("z").normal([count, 2]),
  drawImages: ({ mean }, z, noise) =>
    tf.add(mean, tf.mul(noise.normal([z.shape[0], 2, 3, 1]), SIGMA)),
  logLikelihood: ({ mean }, images, z) => {
    const squares = tf.sum<tf.Tensor1D>(tf.square(tf.div(tf.sub(images, mean), SIGMA)), [1, 2, 3]);
    const constant = 6 * Math.log(SIGMA * Math.sqrt(2 * Math.PI));
    // Times 0, so that there is a gradient to take.
    const nothing = tf.mul(tf.sum<tf.Tensor1D>(z, 1), 0);
    return tf.add(tf.sub(tf.mul(squares, -0.5), constant), nothing);
  },
};

const SIMULATED = tinyWith<{ readonly mean: tf.Tensor; readonly steps: tf.Scalar }>(() => ({
  joint: JOINT,
}));
const TABLES: Tables = { ...TINY_TABLES, methods: { tiny: SIMULATED } };
const [SPEC] = resolveRuns({ ...TINY_EXPERIMENT, metrics: [] }, TABLES);
const SETTINGS = { images: 4, temperatures: 50, chains: 3 };

/** The code that trained, unchanged. */
const CODE = {
  readCode: () => Promise.resolve({ "methods/tiny.ts": "1" }),
  acceptCode: false,
};

/** A finished run of the tiny method in the folder `dir` of a sweep. */
async function finishedRun(dir: string): Promise<RunRecord> {
  await using device = await openDevice("tfjs-cpu", { threads: 1 });
  const own = `${dir}/${runId(SPEC)}`;
  await Deno.mkdir(own);
  return await executeRun(SPEC, {
    method: SIMULATED,
    dataset: TINY_DATASET,
    metrics: [],
    device,
    experiment: "tiny",
    dir: own,
    provenance: () => Promise.resolve(TINY_PROVENANCE),
    modules: () => Promise.resolve({ "methods/tiny.ts": "1" }),
    report: () => {},
  });
}

Deno.test("a run of a model with a joint density is calibrated, and its likelihood estimated once", () =>
  withTempDir(async (dir) => {
    const record = await finishedRun(dir);
    assert.deepEqual(RUN_RECORD.parse(record), record);
    assert.ok(record.status === "completed" && record.calibration?.infer.tests);
    const { images, priorIsExact, infer, fromTruth } = record.calibration;
    assert.deepEqual([images, priorIsExact, infer.notFinite, fromTruth], [512, true, 0, undefined]);
    // p(x | z) does not depend on z: all of its differences are ties.
    assert.equal(infer.tests?.logLikelihood.ties, 512);
    assert.ok((infer.tests?.squaredNorm.p ?? 0) > 2e-4);

    await using device = await openDevice("tfjs-cpu", { threads: 1 });
    const options = {
      tables: TABLES,
      dir,
      settings: SETTINGS,
      device,
      transition: metropolisStep,
      ...CODE,
    };
    const plan = await planLikelihoods([record], options);
    assert.deepEqual([plan.pending.length, plan.done, plan.leftOut], [1, 0, []]);
    const cost = await costOf(plan.pending, options);
    assert.ok(cost.passes === 3 * 4 * 3 * 50 && cost.seconds > 0, JSON.stringify(cost));
    const calls: number[] = [];
    using store = await openLikelihoods(dir);
    const result = await estimateRun(
      plan.pending[0],
      { ...options, store },
      (done, of) => calls.push(done / of),
    );
    assert.equal(calls.at(-1), 1);
    const { test, simulated: { gap } } = result.likelihood;
    assert.ok(test.standardError < 1e-4 && Math.abs(gap.mean) < 1e-3, "h is a constant");
    assert.deepEqual(await readLikelihoods(dir), [result]);

    const again = await planLikelihoods([record], options);
    assert.deepEqual([again.pending.length, again.done], [0, 1]);
    const other = { ...options, settings: { ...SETTINGS, chains: 4 } };
    assert.equal((await planLikelihoods([record], other)).pending.length, 1);
  }));

Deno.test("planLikelihoods() says what it leaves out", () =>
  withTempDir(async (dir) => {
    const record = await finishedRun(dir);
    const plan = async (tables: Tables, path = dir) =>
      (await planLikelihoods([record], { tables, dir: path, settings: SETTINGS, ...CODE })).leftOut
        .join();
    assert.match(await plan(TINY_TABLES), /tiny: its model has no joint density/);
    const refusing = {
      ...TINY_METHOD,
      build: () => {
        throw new RangeError("rate is gone");
      },
    };
    assert.match(
      await plan({ ...TABLES, methods: { tiny: refusing } }),
      /cannot be built: rate is gone/,
    );
    assert.match(await plan(TABLES, `${dir}/elsewhere`), /has no checkpoint of its end/);
    const edited = {
      ...{ tables: TABLES, dir, settings: SETTINGS },
      readCode: () => Promise.resolve({ "methods/tiny.ts": "2" }),
    };
    const { leftOut } = await planLikelihoods([record], { ...edited, acceptCode: false });
    assert.match(leftOut.join(), /seed 0: methods\/tiny\.ts changed since it was trained/);
    const accepted = await planLikelihoods([record], { ...edited, acceptCode: true });
    assert.equal(accepted.pending.length, 1);
  }));

Deno.test("readLikelihoods() takes the last line of a run and its settings, and refuses what it did not write", () =>
  withTempDir(async (dir) => {
    const estimate = { mean: -1, standardError: 0.1 };
    const result = {
      schema: 1,
      id: "0123456789ab",
      settings: SETTINGS,
      likelihood: {
        dimensions: 6,
        test: { ...estimate, imagesError: 0.2, largestError: 0.3 },
        simulated: { lower: estimate, upper: estimate, gap: estimate },
        normaliser: null,
        curvature: 1,
        acceptance: 0.7,
      },
      seconds: 1,
      device: "here",
      startedAt: "2026-01-02T03:04:05.678Z",
    } as const;
    assert.deepEqual(await readLikelihoods(dir), []);
    using store = await openLikelihoods(dir);
    await store.append(result);
    await store.append({ ...result, settings: { ...SETTINGS, images: 9 } });
    await store.append({ ...result, seconds: 2 });
    assert.deepEqual((await readLikelihoods(dir)).map(({ seconds }) => seconds), [2, 1]);
    await Deno.writeTextFile(`${dir}/${LIKELIHOOD_FILE}`, '{"schema":1}\n');
    await assert.rejects(() => readLikelihoods(dir), /likelihood.jsonl line 1 is not a likelihood/);
    await Deno.writeTextFile(`${dir}/${LIKELIHOOD_FILE}`, "nonsense\n");
    await assert.rejects(() => readLikelihoods(dir), /line 1 is not JSON/);
  }));

Deno.test("openLikelihoods() admits one process at a time, and none beside a sweep", () =>
  withTempDir(async (dir) => {
    {
      using _store = await openLikelihoods(dir);
      await assert.rejects(openLikelihoods(dir), /^Error: .* is in use by process \d+ on /);
      await assert.rejects(openStore(dir), /^Error: .* is in use by process \d+ on /);
    }
    using _next = await openLikelihoods(dir);
  }));

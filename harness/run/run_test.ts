import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { withTempDir } from "../testing/temp_dir.ts";
import { orderKey, shuffledRows } from "../core/row_order.ts";
import {
  CHECKPOINT_FILE,
  loadCheckpoint,
  removeCheckpoints,
  saveCheckpoint,
} from "./checkpoint_files.ts";
import { createImageSet } from "../core/image_set.ts";
import { openDevice } from "../engine/device.ts";
import type { RunEvent } from "./events.ts";
import { RUN_RECORD } from "../experiment/record_schema.ts";
import { initialise } from "./initial_state.ts";
import { BOUNDS } from "../metrics/likelihood_bounds.ts";
import { executeRun } from "./run.ts";
import type { RunContext } from "./run_context.ts";
import { problemOf, resolveRuns } from "../experiment/spec.ts";
import {
  TINY_DATASET,
  TINY_EXPERIMENT,
  TINY_METHOD,
  TINY_METRIC,
  TINY_PROVENANCE,
  TINY_TABLES,
  tinyWith,
} from "../testing/tiny.ts";
import type { Dataset, HostArrays, Latents, Metric, Split, Tree } from "../core/types.ts";
import type { Divergence, EpochRecord, Experiment, RunRecord } from "../core/records.ts";

/** Runs the tiny experiment in `dir`; after `stopAfter` epochs it throws, like a process killed there. */
async function run(
  dir: string,
  { change = {}, metric = TINY_METRIC, stopAfter = Infinity, report = () => {}, ...context }:
    & {
      change?: Partial<Experiment>;
      metric?: Metric<number>;
      stopAfter?: number;
      report?: (event: RunEvent) => void;
    }
    & Partial<
      Pick<
        RunContext,
        "method" | "dataset" | "stop" | "checkpointSeconds" | "provenance" | "load"
      >
    > = {},
): Promise<RunRecord> {
  const [spec] = resolveRuns({ ...TINY_EXPERIMENT, ...change }, TINY_TABLES);
  await using device = await openDevice("tfjs-cpu", { threads: 1 });
  return await executeRun(spec, {
    method: TINY_METHOD,
    dataset: TINY_DATASET,
    metrics: [metric as Metric],
    device,
    experiment: "tiny",
    dir,
    provenance: () => Promise.resolve(TINY_PROVENANCE),
    ...context,
    report(event) {
      report(event);
      if (event.event === "epoch" && event.record.epoch + 1 >= stopAfter) throw new Error("killed");
    },
  });
}

/** Creates the folder `dir` and returns it. */
async function makeFolder(dir: string): Promise<string> {
  await Deno.mkdir(dir);
  return dir;
}

const sumSeconds = (epochs: readonly EpochRecord[]) =>
  epochs.reduce((total, { seconds }) => total + seconds, 0);

Deno.test("executeRun() learns, scores and writes its files", () =>
  withTempDir(async (dir) => {
    const record = await run(dir);
    assert.deepEqual(RUN_RECORD.parse(record), record);
    assert.ok(record.status === "completed");
    assert.equal(record.epochs.length, 3);
    assert.deepEqual(record.epochs.map(({ warmup }) => warmup), [true, false, false]);
    assert.ok(record.epochs[2].metrics.loss < record.epochs[0].metrics.loss);
    const steps = record.epochs.map(({ metrics }) => metrics.step);
    assert.deepEqual(steps, [1.5, 5.5, 9.5], "means of the global steps 0 to 3, 4 to 7, 8 to 11");
    // 12 steps at rate 0.5 leave 2^-12 of the error of the mean; jitter of 1e-3 a step is 0.3 grey levels.
    // Samples have a standard deviation of 25 levels over 780 pixels: 0.9 for their mean, less by clipping.
    assert.ok(record.scores.gap < 6, `gap ${record.scores.gap}`);
    assert.ok(record.untrained.gap > 30, `untrained gap ${record.untrained.gap}`);
    const files = [...Deno.readDirSync(dir)].map(({ name }) => name).sort();
    assert.deepEqual(files, [
      "checkpoint.previous.safetensors",
      CHECKPOINT_FILE,
      "epochs.jsonl",
      "interpolations.png",
      "reconstructions.png",
      "samples.png",
    ]);
    const lines = (await Deno.readTextFile(`${dir}/epochs.jsonl`)).trimEnd().split("\n");
    assert.deepEqual(lines.map((line) => JSON.parse(line)), record.epochs);
  }));

Deno.test("executeRun() updates the chains of the rows in each batch and of no other rows", () =>
  withTempDir(async (dir) => {
    const { spec } = await run(dir);
    const model = TINY_METHOD.build(problemOf(spec, TINY_DATASET), TINY_METHOD.defaults);
    const { chains: start } = await initialise(spec, { model, trainCount: 17 });
    const end = (await loadCheckpoint(dir))?.chains.visits;
    assert.deepEqual(end?.shape, [17, 2]);
    const visits = start.visits.data.map((value, i) => Math.round(end.data[i] - value));
    const seen = new Float32Array(34);
    for (let epoch = 0; epoch < 3; epoch++) {
      const rows = shuffledRows(orderKey(spec.seed, spec.dataset), epoch, 17);
      for (const row of rows.slice(0, 16)) seen.fill(seen[2 * row] + 1, 2 * row, 2 * row + 2);
    }
    assert.deepEqual(visits, seen);
  }));

Deno.test("executeRun() has clocks that sum to the total time, and a training clock that sums its epochs", () =>
  withTempDir(async (dir) => {
    const start = performance.now();
    const { seconds, epochs } = await run(dir);
    const whole = (performance.now() - start) / 1000;
    const sum = Object.values(seconds).reduce((a, b) => a + b);
    // Outside the clocks: opening the device and the last moments of the call.
    assert.ok(sum <= whole && sum > 0.5 * whole, `${sum} of ${whole} s`);
    assert.ok(seconds.train > 0);
    assert.ok(Math.abs(seconds.train - sumSeconds(epochs)) < 1e-9);
  }));

Deno.test("executeRun() killed after any epoch resumes to the same bits", () =>
  withTempDir(async (dir) => {
    const inDir = async (name: string, options: { stopAfter?: number } = {}) => {
      await Deno.mkdir(`${dir}/${name}`, { recursive: true });
      return await run(`${dir}/${name}`, options);
    };
    const whole = await inDir("whole");
    const expected = await loadCheckpoint(`${dir}/whole`);
    for (const stopAfter of [1, 2, 3]) {
      const name = `stopped_${stopAfter}`;
      await assert.rejects(inDir(name, { stopAfter }), /killed/);
      const resumed = await inDir(name);
      const actual = await loadCheckpoint(`${dir}/${name}`);
      assert.deepEqual(actual?.state, expected?.state);
      assert.deepEqual(actual?.chains, expected?.chains);
      assert.ok(resumed.status === "completed" && whole.status === "completed");
      assert.deepEqual(resumed.scores, whole.scores);
      assert.deepEqual(resumed.untrained, whole.untrained);
      assert.ok(Math.abs(resumed.seconds.train - sumSeconds(resumed.epochs)) < 1e-9);
      assert.deepEqual(resumed.epochs.map((e) => e.metrics), whole.epochs.map((e) => e.metrics));
      assert.deepEqual(
        resumed.epochs.map(({ warmup }) => warmup),
        [0, 1, 2].map((epoch) => epoch === 0 || epoch === stopAfter),
      );
      assert.deepEqual(
        await Deno.readFile(`${dir}/${name}/samples.png`),
        await Deno.readFile(`${dir}/whole/samples.png`),
      );
    }
  }));

Deno.test("executeRun() stopped after any step saves a checkpoint there and resumes to the same bits", () =>
  withTempDir(async (dir) => {
    // Jittered metrics, so that a sum in another order would show.
    const whole = await run(await makeFolder(`${dir}/whole`));
    const expected = await loadCheckpoint(`${dir}/whole`);
    assert.ok(whole.status === "completed");
    for (let stopAt = 1; stopAt <= 12; stopAt++) { // of four steps an epoch
      const stopped = await makeFolder(`${dir}/stopped_${stopAt}`);
      const controller = new AbortController();
      let steps = 0;
      const report = ({ event }: RunEvent) =>
        void (event === "step" && ++steps === stopAt && controller.abort(new Error("stop")));
      await assert.rejects(run(stopped, { stop: controller.signal, report }), /stop/);
      assert.equal(steps, stopAt, "it ends with the step under way");
      const saved = await loadCheckpoint(stopped);
      assert.deepEqual(
        [saved?.epochs.length, saved?.partial?.steps],
        [Math.floor(stopAt / 4), stopAt % 4 || undefined],
      );
      let more = 0;
      const resumed = await run(stopped, {
        report: ({ event }) => void (more += +(event === "step")),
      });
      assert.equal(steps + more, 12, "no step is lost or repeated");
      const actual = await loadCheckpoint(stopped);
      assert.deepEqual([actual?.state, actual?.chains], [expected?.state, expected?.chains]);
      assert.ok(resumed.status === "completed");
      assert.deepEqual(resumed.scores, whole.scores);
      assert.deepEqual(resumed.epochs.map((e) => e.metrics), whole.epochs.map((e) => e.metrics));
      assert.ok(Math.abs(resumed.seconds.train - sumSeconds(resumed.epochs)) < 1e-9);
      assert.deepEqual(
        resumed.segments?.map(({ epoch, step }) => [epoch, step]),
        [[0, 0], [Math.floor(stopAt / 4), stopAt % 4]],
      );
    }
  }));

Deno.test("executeRun() killed inside an epoch repeats at most the steps since the last checkpoint in it", () =>
  withTempDir(async (dir) => {
    const whole = await run(await makeFolder(`${dir}/whole`));
    const killed = await makeFolder(`${dir}/killed`);
    let steps = 0;
    const report = ({ event }: RunEvent) => {
      if (event === "step" && ++steps === 7) throw new Error("killed");
    };
    await assert.rejects(run(killed, { checkpointSeconds: 0, report }), /killed/);
    assert.equal((await loadCheckpoint(killed))?.partial?.steps, 2, "of the second epoch");
    const resumed = await run(killed, { checkpointSeconds: 0 });
    assert.deepEqual(resumed.epochs.map((e) => e.metrics), whole.epochs.map((e) => e.metrics));
    assert.deepEqual(resumed.epochs.map(({ warmup }) => warmup), [true, true, false]);
    assert.deepEqual(
      (await loadCheckpoint(killed))?.state,
      (await loadCheckpoint(`${dir}/whole`))?.state,
    );
  }));

Deno.test("executeRun() killed while it scores between epochs does not repeat the epoch", () =>
  withTempDir(async (dir) => {
    const change = { scoreEvery: 1 };
    const whole = await run(await makeFolder(`${dir}/whole`), { change });
    const killed = await makeFolder(`${dir}/killed`);
    let trained = false;
    const report = (event: RunEvent) => {
      trained ||= event.event === "step" && event.step === 4;
      if (trained && event.event === "phase" && event.phase === "score") throw new Error("killed");
    };
    await assert.rejects(run(killed, { change, report }), /killed/);
    let steps = 0;
    const resumed = await run(killed, {
      change,
      report: ({ event }) => void (steps += +(event === "step")),
    });
    assert.equal(steps, 8);
    const scored = (record: RunRecord) =>
      record.epochs.map(({ metrics, scores }) => ({ metrics, scores }));
    assert.deepEqual(scored(resumed), scored(whole));
  }));

Deno.test("executeRun() keeps the machine of each process that trained a part of it", () =>
  withTempDir(async (dir) => {
    const on = (host: string, cpu: string) => ({
      provenance: () => Promise.resolve({ ...TINY_PROVENANCE, host, cpu }),
      load: () => 1.5,
    });
    await assert.rejects(run(dir, { ...on("node1", "fast"), stopAfter: 2 }), /killed/);
    const record = await run(dir, on("login", "slow"));
    assert.deepEqual(RUN_RECORD.parse(record), record);
    assert.deepEqual(
      record.segments?.map(({ epoch, step, machine }) => [epoch, step, machine.host, machine.cpu]),
      [[0, 0, "node1", "fast"], [2, 0, "login", "slow"]],
    );
    for (const { load, cpuSeconds } of record.epochs) {
      assert.equal(load, 1.5);
      assert.ok(cpuSeconds !== undefined && cpuSeconds > 0);
    }
    const again = await run(dir, on("other", "other"));
    assert.deepEqual(again.segments?.slice(0, 2), record.segments);
    assert.equal(again.segments?.[2].epoch, 3, "it trained nothing");
  }));

Deno.test("executeRun() scores samples between epochs if asked, off the training clock, and trains to the same bits", () =>
  withTempDir(async (dir) => {
    const inDir = async (name: string, change: Partial<Experiment>) => {
      await Deno.mkdir(`${dir}/${name}`);
      const record = await run(`${dir}/${name}`, { change });
      assert.ok(record.status === "completed");
      assert.deepEqual(RUN_RECORD.parse(record), record);
      return { record, saved: await loadCheckpoint(`${dir}/${name}`) };
    };
    const plain = await inDir("plain", { epochs: 5 });
    const scored = await inDir("scored", { epochs: 5, scoreEvery: 2 });
    assert.deepEqual(
      scored.record.epochs.map(({ scores }) => scores && Object.keys(scores)),
      [undefined, ["gap"], undefined, ["gap"], undefined],
    );
    assert.deepEqual(plain.record.epochs.map(({ scores }) => scores), Array(5).fill(undefined));
    assert.notEqual(plain.record.id, scored.record.id);
    assert.deepEqual(scored.record.scores, plain.record.scores);
    assert.deepEqual(scored.saved?.state, plain.saved?.state);
    assert.deepEqual(scored.saved?.chains, plain.saved?.chains);
    const [, second, , fourth] = scored.record.epochs.map(({ scores }) => scores?.gap ?? NaN);
    const { gap } = scored.record.untrained;
    assert.ok(second < gap && fourth < gap, `${second} and ${fourth}, ${gap} untrained`);
    assert.ok(
      Math.abs(scored.record.seconds.train - sumSeconds(scored.record.epochs)) < 1e-9,
    );
  }));

Deno.test("executeRun() ends as diverged with the epoch and the metric", () =>
  withTempDir(async (dir) => {
    const record = await run(dir, { change: { hyper: { tiny: { explodeAt: 6 } } } });
    assert.deepEqual(RUN_RECORD.parse(record), record);
    assert.ok(record.status === "diverged");
    assert.deepEqual([record.epoch, record.metric], [1, "loss"]); // step 6 of 4 an epoch
    assert.equal(record.epochs.length, 1);
    const { divergence } = record;
    assert.deepEqual([divergence?.step, divergence?.metrics], [3, { loss: null, step: 6 }]);
    assert.deepEqual(divergence?.lastFinite?.step, 5);
    assert.deepEqual(divergence?.norms?.step, 2); // from the checkpoint after epoch 1
    assert.ok((divergence?.norms?.change.mean ?? 0) > 0);
  }));

Deno.test("executeRun() records the same divergence after a stop at any step, and norms unless it was the step before", () =>
  withTempDir(async (dir) => {
    const change = { hyper: { tiny: { explodeAt: 7 } } }; // the last step of the second epoch
    const whole = await run(await makeFolder(`${dir}/whole`), { change });
    assert.ok(whole.status === "diverged");
    const { divergence } = whole;
    assert.ok(divergence?.norms);
    for (let stopAt = 1; stopAt <= 7; stopAt++) { // of four steps an epoch
      const stopped = await makeFolder(`${dir}/stopped_${stopAt}`);
      const controller = new AbortController();
      let steps = 0;
      const report = ({ event }: RunEvent) =>
        void (event === "step" && ++steps === stopAt && controller.abort(new Error("stop")));
      await assert.rejects(run(stopped, { change, stop: controller.signal, report }), /stop/);
      const resumed = await run(stopped, { change });
      assert.ok(resumed.status === "diverged");
      assert.deepEqual([resumed.epoch, resumed.metric], [1, "loss"]);
      const expected: Divergence = stopAt === 7 ? { ...divergence, norms: null } : divergence;
      assert.deepEqual(resumed.divergence, expected, `stopped at ${stopAt}`);
    }
  }));

Deno.test("executeRun() traces a divergence from a checkpoint that the same process saved inside the epoch", () =>
  withTempDir(async (dir) => {
    const change = { hyper: { tiny: { explodeAt: 7 } } };
    const whole = await run(await makeFolder(`${dir}/whole`), { change });
    assert.ok(whole.status === "diverged");
    const texts: string[] = [];
    const saving = await run(await makeFolder(`${dir}/saving`), {
      change,
      checkpointSeconds: 0,
      report: (event) => void (event.event === "warning" && texts.push(event.text)),
    });
    assert.ok(saving.status === "diverged");
    assert.deepEqual(saving.divergence, { ...whole.divergence, norms: null });
    assert.deepEqual(texts, [
      "diverged in epoch 2, step 4: training is repeated from epoch 2, step 4, to record norms",
    ]);
  }));

Deno.test("executeRun() ends as diverged at a metric beyond its limit, with its step and norms before it", () =>
  withTempDir(async (dir) => {
    const limited = tinyWith(() => ({ limits: { step: 5.5 } }));
    const record = await run(dir, { method: limited });
    assert.deepEqual(RUN_RECORD.parse(record), record);
    assert.ok(record.status === "diverged");
    assert.deepEqual([record.epoch, record.metric], [1, "step"]);
    const { divergence } = record;
    assert.deepEqual([divergence?.step, divergence?.metrics.step], [3, 6]);
    assert.deepEqual([divergence?.lastFinite?.step, divergence?.norms?.step], [5, 2]);
  }));

Deno.test("executeRun() asked to stop while it traces a divergence records it without norms", () =>
  withTempDir(async (dir) => {
    const controller = new AbortController();
    const texts: string[] = [];
    const record = await run(dir, {
      change: { hyper: { tiny: { explodeAt: 6 } } },
      stop: controller.signal,
      report(event) {
        if (event.event !== "warning") return;
        texts.push(event.text);
        if (event.text.startsWith("diverged")) controller.abort(new Error("stopped by SIGTERM"));
      },
    });
    assert.ok(record.status === "diverged");
    assert.deepEqual([record.divergence?.step, record.divergence?.norms], [3, null]);
    assert.equal(texts.at(-1), "no norms were recorded: stopped by SIGTERM");
  }));

Deno.test("executeRun() moves a damaged checkpoint aside, says so, and uses the previous one or starts again", () =>
  withTempDir(async (dir) => {
    const whole = await run(dir);
    const expected = await loadCheckpoint(dir);
    const path = `${dir}/${CHECKPOINT_FILE}`;
    const previous = `${dir}/checkpoint.previous.safetensors`;
    const damage = async (file: string) => {
      const bytes = await Deno.readFile(file);
      bytes[bytes.length - 1] ^= 0x40; // an exponent bit of the last weight
      await Deno.writeFile(file, bytes);
      return bytes;
    };
    const again = async () => {
      const warnings: string[] = [];
      const report = (event: RunEvent) => event.event === "warning" && warnings.push(event.text);
      const record = await run(dir, { report });
      assert.ok(record.status === "completed" && whole.status === "completed");
      assert.deepEqual(record.scores, whole.scores);
      const { state, chains } = await loadCheckpoint(dir) ?? {};
      assert.deepEqual([state, chains], [expected?.state, expected?.chains]);
      return { warnings, warmups: record.epochs.map(({ warmup }) => warmup) };
    };
    const damaged = await damage(path);
    const fromPrevious = await again();
    assert.deepEqual(fromPrevious.warmups, [true, false, true], "two epochs are kept");
    assert.match(fromPrevious.warnings.join(), /^moved .*, trying the previous one: .*checksum$/);
    assert.deepEqual(await Deno.readFile(`${path}.broken`), damaged);

    await damage(path);
    await Deno.writeTextFile(previous, "torn");
    const fromStart = await again();
    assert.deepEqual(fromStart.warmups, [true, false, false]);
    assert.match(fromStart.warnings[1], /starts from the first epoch: Not a checkpoint: 4 bytes$/);
  }));

Deno.test("executeRun() does not take a checkpoint whose arrays are not those of the method", () =>
  withTempDir(async (dir) => {
    await run(dir);
    const saved = await loadCheckpoint(dir);
    assert.ok(saved !== undefined);
    const { mean, ...rest } = saved.state;
    const wrong: [HostArrays, RegExp][] = [
      [{ ...rest, neam: mean }, /"mean" is absent, the method expects float32 \[2,3,1\]/],
      [{ ...rest, mean: { ...mean, shape: [3, 2, 1] } }, /"mean" is float32 \[3,2,1\]/],
      [
        { ...rest, mean: { ...mean, dtype: "int32", data: new Int32Array(mean.data.buffer) } },
        /"mean" is int32 \[2,3,1\]/,
      ],
      [{ ...saved.state, more: mean }, /"more" is float32 \[2,3,1\], the method expects absent/],
    ];
    for (const [state, message] of wrong) {
      await removeCheckpoints(dir);
      await saveCheckpoint(dir, { ...saved, state });
      const warnings: string[] = [];
      const report = (event: RunEvent) => event.event === "warning" && warnings.push(event.text);
      const record = await run(dir, { report });
      assert.equal(record.epochs.length, 3);
      assert.match(warnings.join(), message);
    }
  }));

Deno.test("executeRun() continues without an unavailable score and adds it later without training", () =>
  withTempDir(async (dir) => {
    const metric = { ...TINY_METRIC, available: () => Promise.resolve("no weights: fetch them") };
    const without = await run(dir, { metric });
    assert.ok(without.status === "completed");
    assert.deepEqual([without.scores, without.untrained], [{}, {}]);
    const phases: string[] = [];
    const later = await run(dir, {
      metric: { ...metric, available: () => Promise.resolve(null) },
      report: (event) => event.event === "phase" && phases.push(event.phase),
    });
    assert.ok(later.status === "completed");
    assert.deepEqual(Object.keys(later.scores), ["gap"]);
    assert.deepEqual(later.epochs, without.epochs);
    assert.deepEqual(phases, ["load", "compile", "reference", "score", "score"]);
  }));

Deno.test("executeRun() scores against the split that the metric names", () =>
  withTempDir(async (dir) => {
    const parts: string[] = [];
    const load = (split: Split) => (parts.push(split), TINY_DATASET.load(split));
    const [spec] = resolveRuns(TINY_EXPERIMENT, TINY_TABLES);
    await using device = await openDevice("tfjs-cpu", { threads: 1 });
    await executeRun(spec, {
      method: TINY_METHOD,
      dataset: { ...TINY_DATASET, load },
      metrics: [{ ...TINY_METRIC, against: "test" } as Metric],
      device,
      experiment: "tiny",
      dir,
      provenance: () => Promise.resolve(TINY_PROVENANCE),
      report: () => {},
    });
    assert.deepEqual(parts, ["train", "test", "test"]); // the last for the reconstructions
  }));

Deno.test("executeRun() does not score the initial state unless asked", () =>
  withTempDir(async (dir) => {
    const phases: string[] = [];
    const record = await run(dir, {
      change: { scoreUntrained: false },
      report: (event) => event.event === "phase" && phases.push(event.phase),
    });
    assert.ok(record.status === "completed");
    assert.deepEqual(record.untrained, {});
    // Once the samples, once the decoded encodings.
    assert.deepEqual(phases, ["load", "compile", "train", "reference", "score", "score"]);
  }));

Deno.test("executeRun() records bounds on the likelihood, also of the initial state, and their basis", () =>
  withTempDir(async (dir) => {
    // log N(x; mean, I) at every draw: the bound is exact, whatever k.
    const method = tinyWith(() => ({
      likelihood: {
        logWeight: (state, images) => {
          const square = tf.sum(tf.square(tf.sub(images, state.mean)), [1, 2, 3]);
          return tf.mul(tf.add(square, 6 * Math.log(2 * Math.PI)), -0.5);
        },
      },
    }));
    const tables = {
      ...TINY_TABLES,
      methods: { tiny: method },
      metrics: { ...TINY_TABLES.metrics, ...BOUNDS },
    };
    const metrics = ["gap", "nelbo", "niwae_10"];
    const [spec] = resolveRuns({ ...TINY_EXPERIMENT, metrics }, tables);
    await using device = await openDevice("tfjs-cpu", { threads: 1 });
    const record = await executeRun(spec, {
      method,
      dataset: TINY_DATASET,
      metrics: [TINY_METRIC as Metric, BOUNDS.nelbo, BOUNDS.niwae_10],
      device,
      experiment: "tiny",
      dir,
      provenance: () => Promise.resolve(TINY_PROVENANCE),
      report: () => {},
    });
    assert.ok(record.status === "completed");
    assert.deepEqual(RUN_RECORD.parse(record), record);
    const { scores, untrained, bounds = {} } = record;
    assert.deepEqual(Object.keys(scores), metrics);
    assert.deepEqual(Object.keys(untrained), metrics);
    const least = Math.log(2 * Math.PI) / 2; // were every image the mean
    // Images differ from their mean by at most 25 levels, 0.1: 0.005 nats.
    assert.ok(scores.nelbo > least && scores.nelbo < least + 0.005, `${scores.nelbo}`);
    assert.ok(Math.abs(scores.niwae_10 - scores.nelbo) < 1e-6);
    assert.ok(untrained.nelbo > scores.nelbo + 0.01);
    assert.deepEqual(Object.keys(bounds), ["nelbo", "niwae_10"]);
    const { standardError, ...rest } = bounds.niwae_10;
    assert.deepEqual(rest, { importanceSamples: 10, draws: 10, images: 17 });
    assert.ok(standardError > 0 && standardError < 0.005);
  }));

Deno.test("executeRun() does not reconstruct without latents", () =>
  withTempDir(async (dir) => {
    const method = tinyWith(() => ({ latents: undefined }));
    const [spec] = resolveRuns(TINY_EXPERIMENT, { ...TINY_TABLES, methods: { tiny: method } });
    await using device = await openDevice("tfjs-cpu", { threads: 1 });
    const record = await executeRun(spec, {
      method,
      dataset: TINY_DATASET,
      metrics: [TINY_METRIC as Metric],
      device,
      experiment: "tiny",
      dir,
      provenance: () => Promise.resolve(TINY_PROVENANCE),
      report: () => {},
    });
    assert.ok(record.status === "completed");
    assert.deepEqual(RUN_RECORD.parse(record), record);
    assert.ok(!("reconstructionError" in record) && !("decodedScores" in record));
    const files = [...Deno.readDirSync(dir)].map(({ name }) => name);
    assert.ok(files.includes("samples.png") && !files.includes("reconstructions.png"));
  }));

/** The tiny data set with one pixel in six of its training images hidden, and `value` in the place of each. */
async function hiding(value: number): Promise<Dataset> {
  const whole = await TINY_DATASET.load("train");
  const seen = Uint8Array.from({ length: whole.pixels.length }, (_, i) => Number(i % 7 > 0));
  const pixels = whole.pixels.map((pixel, i) => seen[i] === 1 ? pixel : value);
  const set = createImageSet({ image: whole.image, pixels, seen });
  return {
    ...TINY_DATASET,
    hidden: "train",
    load: (split) => Promise.resolve(split === "train" ? set : whole),
  };
}

Deno.test("executeRun() on images with hidden pixels learns the same bits whatever these were", () =>
  withTempDir(async (dir) => {
    // Learns the mean image, of all pixels: what it is given must not depend on hidden ones.
    const method = tinyWith<Tree>((hyper, problem) => {
      const { step, latents } = TINY_METHOD.build(problem, hyper);
      return {
        step: (state, batch, noise) => {
          const result = step(state, batch, noise);
          const share = tf.mean<tf.Scalar>(batch.seen ?? tf.zeros([1]));
          return { ...result, metrics: { ...result.metrics, share } };
        },
        partial: {
          needsPartialTraining: true,
          infer: (state, { images }, noise) => (latents as Latents).infer(state, images, noise),
        },
      };
    });
    const ends = [];
    for (const value of [0, 255]) {
      const folder = await makeFolder(`${dir}/${value}`);
      const record = await run(folder, { method, dataset: await hiding(value) });
      assert.ok(record.status === "completed");
      assert.deepEqual(RUN_RECORD.parse(record), record);
      ends.push({
        state: (await loadCheckpoint(folder))?.state,
        samples: await Deno.readFile(`${folder}/samples.png`),
        metrics: record.epochs.map(({ metrics }) => metrics),
      });
      const { inpainting } = record;
      assert.ok(inpainting !== undefined && inpainting.images === 17);
      // Images are bright: what was hidden is near the mean image if it is white, and far if it is black.
      assert.ok((inpainting.floors.meanImage > 0.3) === (value === 0), JSON.stringify(inpainting));
      assert.ok(record.epochs.every(({ metrics: { share } }) => share > 0.8 && share < 0.9));
      assert.ok([...Deno.readDirSync(folder)].some(({ name }) => name === "inpaintings.png"));
    }
    assert.deepEqual(ends[1], ends[0]);
  }));

Deno.test("executeRun() refuses a data set without the mask that it promises, or with one of another shape", () =>
  withTempDir(async (dir) => {
    const good = await hiding(0);
    const { seen: _, ...unmasked } = await good.load("train");
    const load = (set: typeof unmasked & { readonly seen?: Uint8Array }) => () =>
      Promise.resolve(set);
    await assert.rejects(
      run(dir, { dataset: { ...good, load: load(unmasked) } }),
      /^RangeError: The training images of bright have no mask$/,
    );
    await assert.rejects(
      run(dir, { dataset: { ...good, load: load({ ...unmasked, seen: new Uint8Array(6) }) } }),
      /^RangeError: The mask of 17 images of 2x3 must have 102 bytes, got 6$/,
    );
  }));

import assert from "node:assert/strict";
import { createProgress, describeOutcome } from "./progress.ts";
import { resolveRuns, runId } from "../experiment/spec.ts";
import type { Job } from "./sweep.ts";
import { TINY_EXPERIMENT, TINY_TABLES, tinyRecord } from "../testing/tiny.ts";
import type { EpochRecord, RunRecord } from "../core/records.ts";

const QUEUE = resolveRuns({ ...TINY_EXPERIMENT, seeds: [0, 1] }, TINY_TABLES).map((spec): Job => ({
  id: runId(spec),
  spec,
  experiment: "tiny",
  dir: "",
}));

const epoch = (index: number, seconds: number): EpochRecord => ({
  epoch: index,
  seconds,
  warmup: index === 0,
  steps: 4,
  metrics: { other: 1, loss: 0.123456 },
});

const completed = ({ spec }: Job): RunRecord => ({
  ...tinyRecord(spec),
  status: "completed",
  scores: { gap: 3.14159 },
  untrained: { gap: 100 },
});

/** Two runs of three epochs of 4 s, with 2 s before and 1 s after; the warm-up takes 6 s. */
function play(terminal: { columns: number } | undefined): string {
  let time = 1000;
  let text = "";
  const progress = createProgress({
    queue: QUEUE,
    paces: new Map(),
    jobs: 1,
    stepsPerEpoch: () => 4,
    write: (piece) => text += piece,
    terminal,
    now: () => time,
  });
  for (const job of QUEUE) {
    progress.start(job);
    progress.event(job, { event: "phase", phase: "compile" });
    time += 2;
    for (const [index, seconds] of [6, 4, 4].entries()) {
      progress.event(job, { event: "step", epoch: index, step: 2, metrics: { loss: 1 } });
      time += seconds;
      progress.event(job, { event: "epoch", record: epoch(index, seconds) });
    }
    time += 1;
    progress.record(job, completed(job));
  }
  progress.end();
  return text;
}

Deno.test("createProgress() prints one line per epoch and per run without a terminal", () => {
  assert.deepEqual(play(undefined).trimEnd().split("\n"), [
    // 8 steps left at 1.5 s and 2 s, then 12 steps and 2 s: 34 s.
    "[1/2] tiny bright seed 0: epoch 1/3, loss 0.1235, 6.00 s, about 34 s left",
    // Without the warm-up 1 s a step: 4 + 2 + 12 + 2.
    "[1/2] tiny bright seed 0: epoch 2/3, loss 0.1235, 4.00 s, about 20 s left",
    "[1/2] tiny bright seed 0: epoch 3/3, loss 0.1235, 4.00 s, about 16 s left",
    "[1/2] tiny bright seed 0: completed, gap 3.142 (untrained 100), 17 s",
    // Now a whole run is known: 3 s beside training.
    "[2/2] tiny bright seed 1: epoch 1/3, loss 0.1235, 6.00 s, about 15 s left",
    "[2/2] tiny bright seed 1: epoch 2/3, loss 0.1235, 4.00 s, about 7 s left",
    "[2/2] tiny bright seed 1: epoch 3/3, loss 0.1235, 4.00 s, about 3 s left",
    "[2/2] tiny bright seed 1: completed, gap 3.142 (untrained 100), 17 s",
  ]);
});

Deno.test("createProgress() overwrites one line of a terminal, within its width", () => {
  const text = play({ columns: 40 });
  const lines = text.split("\n");
  assert.equal(lines.length, 3, "a line that stays for each run, and the end");
  const live = text.split("\r\x1b[K").filter((piece) => piece !== "" && !piece.includes("\n"));
  assert.ok(live.length >= 12);
  for (const piece of live) assert.ok(piece.length <= 39, piece);
  assert.ok(live.some((piece) => piece.includes("epoch 2/3, ")));
  assert.ok(text.endsWith("\r\x1b[K"));
});

Deno.test("createProgress() prints the progress of scoring once a minute, and waits", () => {
  let time = 0;
  let text = "";
  const progress = createProgress({
    queue: QUEUE.slice(0, 1),
    paces: new Map(),
    jobs: 1,
    stepsPerEpoch: () => 4,
    write: (piece) => text += piece,
    terminal: undefined,
    now: () => time,
  });
  const [job] = QUEUE;
  progress.start(job);
  for (const phase of ["reference", "wait", "score"] as const) {
    progress.event(job, { event: "phase", phase });
    if (phase === "wait") continue;
    for (let done = 100; done <= 500; done += 100) {
      time += 20; // 100 images in 20 s
      progress.event(job, { event: "images", done, of: 500 });
    }
  }
  assert.deepEqual(text.trimEnd().split("\n"), [
    "[1/1] tiny bright seed 0: 300/500 real images scored, about 40 s for the rest",
    "[1/1] tiny bright seed 0: waiting for another run that computes the same statistics",
    "[1/1] tiny bright seed 0: 300/500 samples scored, about 40 s for the rest",
  ]);
});

Deno.test("describeOutcome() says how a run ended", () => {
  const [job] = QUEUE;
  const { scores: _scores, untrained: _untrained, ...base } = completed(job) as
    & RunRecord
    & { status: "completed" };
  assert.equal(
    describeOutcome({ ...base, status: "diverged", epoch: 1, metric: "loss" }),
    "diverged in epoch 2: loss was not finite",
  );
  const divergence = { step: 3, metrics: { loss: null, sigma: 9 }, lastFinite: null, norms: null };
  const diverged = { ...base, status: "diverged", epoch: 1, divergence } as const;
  assert.equal(
    describeOutcome({ ...diverged, metric: "loss" }),
    "diverged in epoch 2, step 3: loss was not finite",
  );
  assert.equal(
    describeOutcome({ ...diverged, metric: "sigma", limit: 8 }),
    "diverged in epoch 2, step 3: sigma was beyond its limit of 8",
  );
  assert.equal(describeOutcome({ ...base, status: "failed", error: "x" }), "failed: x");
  assert.equal(
    describeOutcome({ ...base, status: "interrupted", epochs: [epoch(0, 1)] }),
    "interrupted after 1 of 3 epochs",
  );
});

for (const terminal of [undefined, { columns: 40 }]) {
  Deno.test(`createProgress() keeps a warning in full ${terminal ? "on a terminal" : "in a log"}`, () => {
    let text = "";
    const progress = createProgress({
      queue: QUEUE,
      paces: new Map(),
      jobs: 1,
      stepsPerEpoch: () => 4,
      write: (piece) => text += piece,
      terminal,
    });
    progress.start(QUEUE[0]);
    progress.event(QUEUE[0], { event: "warning", text: "the prior chain is unstable" });
    assert.ok(text.endsWith("[1/2] tiny bright seed 0: warning: the prior chain is unstable\n"));
  });
}

import assert from "node:assert/strict";
import { withTempDir } from "../testing/temp_dir.ts";
import { loadCheckpoint } from "../run/checkpoint_files.ts";
import { selectRuns } from "./bench.ts";
import { childCommand } from "./child.ts";
import { resolveRuns } from "../experiment/spec.ts";
import { readResults } from "./store.ts";
import { TINY_EXPERIMENT, TINY_TABLES, tinyRecord } from "../testing/tiny.ts";
import type { RunRecord } from "../core/records.ts";

/** The VAE as small as it goes, three epochs of 20 steps. */
const ARGS = [
  ["bench", "--preset", "smoke", "--methods", "vae", "--epochs", "3", "--threads", "1"],
  ["--set", "vae.width=0.0625", "--set", "vae.featureDim=16", "--set", "vae.latentDim=4"],
].flat();

/** Starts the command line, which may write in `out` only. */
function start(argv: readonly string[], out: string): Deno.ChildProcess {
  const { path, args } = childCommand(argv, { read: [out], write: [out], anyLibrary: false });
  const mayStart = args.toSpliced(1, 0, `--allow-run=${path},git`);
  return new Deno.Command(path, { args: mayStart, stdout: "piped", stderr: "piped" }).spawn();
}

async function finish(child: Deno.ChildProcess) {
  const { code, stdout, stderr } = await child.output();
  return {
    code,
    stdout: new TextDecoder().decode(stdout),
    stderr: new TextDecoder().decode(stderr),
  };
}

async function finishErrors(child: Deno.ChildProcess) {
  const stderr = await new Response(child.stderr).text();
  return { code: (await child.status).code, stderr };
}

Deno.test("bench runs, skips completed runs, and report rebuilds its tables to the byte", () =>
  withTempDir(async (dir) => {
    const first = await finish(start([...ARGS, "--out", dir], dir));
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stdout, /\| VAE +\| VI \+ amortization +\| [\d.]+ \(n = 1\)/);
    assert.equal(first.stderr.match(/epoch \d\/3, loss [\d.]+, [\d.]+ s/g)?.length, 3);
    const read = () =>
      Promise.all(
        ["table.md", "table.json", "report.html", "results.jsonl"].map((name) =>
          Deno.readTextFile(`${dir}/${name}`)
        ),
      );
    const files = await read();
    assert.ok(first.stdout.startsWith(files[0]));

    const second = await finish(start([...ARGS, "--out", dir], dir));
    assert.equal(second.code, 0, second.stderr);
    assert.match(second.stderr, /^Skipping 1 of 1 runs/);
    assert.deepEqual(await read(), files);

    const [{ id }] = (await readResults(dir)).records;
    await Deno.mkdir(`${dir}/alone`);
    const alone = start(["run", `${dir}/${id}/spec.json`, "--out", `${dir}/alone`], dir);
    await alone.stdout.cancel(); // as when bench is killed
    const { code, stderr } = await finishErrors(alone);
    assert.deepEqual([code, stderr.trim()], [1, "Broken pipe (os error 32)"], "the run ends too");

    await Deno.remove(`${dir}/table.md`);
    await Deno.writeTextFile(`${dir}/table.json`, "stale");
    const report = await finish(start(["report", dir], dir));
    assert.equal(report.code, 0, report.stderr);
    assert.deepEqual(await read(), files);
  }));

Deno.test("bench interrupted during training resumes to the same bits", () =>
  withTempDir(async (root) => {
    const whole = `${root}/whole`;
    const stopped = `${root}/stopped`;
    assert.equal((await finish(start([...ARGS, "--out", whole], root))).code, 0);

    const child = start([...ARGS, "--out", stopped], root);
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      if (text.includes("epoch 1/3")) child.kill("SIGINT");
    }
    await child.stdout.cancel();
    assert.equal((await child.status).code, 130);
    const { records: [interrupted] } = await readResults(stopped);
    assert.equal(interrupted.status, "interrupted");
    assert.ok(interrupted.epochs.length >= 1 && interrupted.epochs.length < 3);

    assert.equal((await finish(start([...ARGS, "--out", stopped], root))).code, 0);
    const resumed = (await readResults(stopped)).records.at(-1);
    const [straight] = (await readResults(whole)).records;
    assert.ok(resumed?.status === "completed" && straight.status === "completed");
    assert.deepEqual(resumed.scores, straight.scores);
    const state = async (dir: string, { id }: RunRecord) =>
      (await loadCheckpoint(`${dir}/${id}`))?.state;
    assert.deepEqual(await state(stopped, resumed), await state(whole, straight));
  }));

Deno.test("bench --dry-run plans for a device that is not here, --probe opens it, and neither writes", () =>
  withTempDir(async (dir) => {
    const planned = start(
      [...ARGS, "--device", "pjrt:/nowhere.so", "--dry-run", "--out", dir],
      dir,
    );
    const plan = await finish(planned);
    assert.equal(plan.code, 0, plan.stderr);
    assert.match(plan.stdout, /pjrt:\/nowhere\.so with 1 thread\n1 run, .*--probe measures it/);

    const batches = ["--images", "1000", "--batch-size", "50"];
    const asked = [...ARGS, ...batches, "--seeds", "0..1", "--dry-run", "--probe", "--out", dir];
    const out = await finish(start(asked, dir));
    assert.equal(out.code, 0, out.stderr);
    assert.match(out.stdout, /^vae: .*width=0\.0625/);
    assert.equal(
      out.stdout.match(
        /vae fashion_4k seed \d: 3 epochs of 20 steps of 50 images, 0\.\d+ TFLOP a step/g,
      )?.length,
      2,
    );
    assert.match(
      out.stdout,
      /2 runs will take about .*\n {2}vae fashion_4k: .* s per step \(first steps/,
    );
    assert.deepEqual([...Deno.readDirSync(dir)], []);
  }));

Deno.test("selectRuns() skips runs whose last record is diverged, or completed with all scores", () => {
  const specs = resolveRuns({ ...TINY_EXPERIMENT, seeds: [0, 1, 2, 3, 4] }, TINY_TABLES);
  const base = (seed: number) => tinyRecord(specs[seed]);
  const records: RunRecord[] = [
    { ...base(0), status: "failed", error: "" },
    { ...base(0), status: "completed", scores: {}, untrained: {} },
    { ...base(1), status: "diverged", epoch: 0, metric: "loss" },
    { ...base(2), status: "failed", error: "" },
    { ...base(3), status: "interrupted" },
  ];
  const seeds = (options: { metrics: string[]; force: boolean }) =>
    selectRuns(specs, records, options).map(({ seed }) => seed);
  assert.deepEqual(seeds({ metrics: [], force: false }), [2, 3, 4]);
  assert.deepEqual(seeds({ metrics: [], force: true }), [0, 1, 2, 3, 4]);
  assert.deepEqual(seeds({ metrics: ["gap"], force: false }), [0, 2, 3, 4], "0 has no score yet");
});

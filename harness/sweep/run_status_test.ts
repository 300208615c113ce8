import assert from "node:assert/strict";
import type { RunRecord } from "../core/records.ts";
import { resolveRuns, runId } from "../experiment/spec.ts";
import { withTempDir } from "../testing/temp_dir.ts";
import { TINY_EXPERIMENT, TINY_TABLES, tinyRecord } from "../testing/tiny.ts";
import { writeRecordFile } from "./record_file.ts";
import { writeExperiment } from "./run_list.ts";
import { countStates, judge, readStatus } from "./run_status.ts";

const SPECS = resolveRuns({ ...TINY_EXPERIMENT, seeds: [0, 1, 2, 3] }, TINY_TABLES);
const base = tinyRecord(SPECS[0]);
const COMPLETED: RunRecord = { ...base, status: "completed", scores: { gap: 1 }, untrained: {} };
const FAILED: RunRecord = { ...base, status: "failed", error: "no memory" };

Deno.test("judge() counts a result first, then the queue, then a failure", () => {
  const none = { startedBySlurm: false, epochs: 0, lastLine: "" };
  const started = { startedBySlurm: true, epochs: 2, lastLine: "slurmstepd: error: killed" };
  const cases = [
    [{ record: COMPLETED, queued: "running", traces: started }, "done", "completed, gap 1"],
    [{ record: FAILED, queued: "waiting", traces: started }, "waiting", "2 epochs trained"],
    [{ record: FAILED, queued: undefined, traces: started }, "failed", "no memory"],
    [{ record: undefined, queued: "running", traces: started }, "running", "2 epochs trained"],
    [
      { record: undefined, queued: undefined, traces: started },
      "failed",
      "slurmstepd: error: killed",
    ],
    [
      { record: { ...base, status: "interrupted" }, queued: undefined, traces: none },
      "waiting",
      "",
    ],
    [{ record: undefined, queued: undefined, traces: none }, "waiting", ""],
  ] as const;
  for (const [facts, state, detail] of cases) assert.deepEqual(judge(facts), { state, detail });
});

Deno.test("readStatus() reads the folders of the last experiment, and changes nothing", () =>
  withTempDir(async (out) => {
    await writeExperiment(out, TINY_EXPERIMENT, SPECS);
    const [done, failed, killed] = SPECS.map((spec) => `${out}/${runId(spec)}`);
    for (const dir of [done, failed, killed]) await Deno.mkdir(dir);
    await writeRecordFile(done, COMPLETED);
    await writeRecordFile(failed, { ...FAILED, ...tinyRecord(SPECS[1]) });
    await Deno.writeTextFile(`${killed}/log.txt`, "starting\nout of memory\n");
    await Deno.writeTextFile(`${killed}/slurm_log`, `${out}/slurm/7_2.log\n`);
    await Deno.mkdir(`${out}/slurm`);
    await Deno.writeTextFile(`${out}/slurm/7_2.log`, "2026-01-02 03:04:05 exit code 1\n");
    const { runs } = await readStatus(out);
    assert.deepEqual(runs.map(({ state, detail }) => [state, detail]), [
      ["done", "completed, gap 1"],
      ["failed", "no memory"],
      ["failed", "out of memory"],
      ["waiting", ""],
    ]);
    assert.equal(countStates(runs), "4 runs: 1 done, 1 waiting, 2 failed");
    assert.deepEqual(
      [...Deno.readDirSync(out)].filter(({ isFile }) => isFile).map(({ name }) => name),
      [
        "experiment.json",
      ],
    );
  }));

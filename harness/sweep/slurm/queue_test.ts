import assert from "node:assert/strict";
import { withTempDir } from "../../testing/temp_dir.ts";
import { parseQueue, readSubmission, SLURM_FILE, writeSubmission } from "./queue.ts";

Deno.test("parseQueue() finds the runs of one script, and of two tasks of a run the running one", () => {
  const lines = [
    "12_0|RUNNING|/out a/sweep.sbatch",
    "13_0|PENDING|/out a/sweep.sbatch",
    "12_2|PENDING|/out a/sweep.sbatch",
    "12_3|COMPLETING|/out a/sweep.sbatch",
    "12_9|RUNNING|/out a/sweep.sbatch", // no such run
    "14_1|RUNNING|/other/sweep.sbatch",
    "15|RUNNING|bash",
    "",
  ];
  const queue = parseQueue(lines.join("\n"), {
    script: "/out a/sweep.sbatch",
    runs: ["a", "b", "c", "d"],
  });
  assert.deepEqual([...queue], [["a", "running"], ["c", "waiting"], ["d", "running"]]);
});

Deno.test("readSubmission() reads what writeSubmission() wrote, and refuses anything else", () =>
  withTempDir(async (out) => {
    assert.equal(await readSubmission(out), undefined);
    await writeSubmission(out, { runs: ["a"], arrayParallelism: 2 });
    assert.deepEqual(await readSubmission(out), { runs: ["a"], arrayParallelism: 2 });
    await Deno.writeTextFile(`${out}/${SLURM_FILE}`, "{");
    await assert.rejects(
      readSubmission(out),
      /slurm\.json is not a list of submitted runs .*: remove it/,
    );
  }));

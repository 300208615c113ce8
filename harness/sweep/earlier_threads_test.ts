import assert from "node:assert/strict";
import type { Experiment } from "../core/records.ts";
import { resolveRuns } from "../experiment/spec.ts";
import { withTempDir } from "../testing/temp_dir.ts";
import { TINY_EXPERIMENT, TINY_TABLES } from "../testing/tiny.ts";
import { withEarlierThreads } from "./earlier_threads.ts";
import { writeExperiment } from "./run_list.ts";

Deno.test("withEarlierThreads() continues with the threads of the folder, unless others are asked for", () =>
  withTempDir(async (out) => {
    const made: Experiment = { ...TINY_EXPERIMENT, device: "cpu", threads: 3 };
    await writeExperiment(out, made, resolveRuns(made, TINY_TABLES));
    const here = (experiment: Experiment, asked: boolean) =>
      withEarlierThreads(experiment, { out, tables: TINY_TABLES, asked });
    const now = { ...made, threads: 64 };

    const continued = await here(now, false);
    assert.equal(continued.experiment.threads, 3);
    assert.match(continued.notice ?? "", /^Using 3 threads per run, as the earlier runs/);

    const others = await here(now, true);
    assert.equal(others.experiment.threads, 64);
    assert.match(
      others.notice ?? "",
      /has the same runs with 3 threads: .*--threads 3 continues them$/,
    );

    for (
      const [experiment, what] of [
        [made, "equal threads"],
        [{ ...now, epochs: now.epochs + 1 }, "other runs"],
        [{ ...now, device: "cuda" }, "a device whose bits do not depend on threads"],
      ] as const
    ) {
      assert.deepEqual(await here(experiment, false), { experiment }, what);
    }
  }));

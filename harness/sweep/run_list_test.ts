import assert from "node:assert/strict";
import { resolveRuns, runId } from "../experiment/spec.ts";
import { withTempDir } from "../testing/temp_dir.ts";
import { TINY_EXPERIMENT, TINY_TABLES } from "../testing/tiny.ts";
import { EXPERIMENT_FILE, readRunList, writeExperiment } from "./run_list.ts";

Deno.test("readRunList() reads the runs of writeExperiment(), with the ids of their records", () =>
  withTempDir(async (dir) => {
    const runs = resolveRuns({ ...TINY_EXPERIMENT, seeds: [0, 1] }, TINY_TABLES);
    await writeExperiment(dir, TINY_EXPERIMENT, runs);
    assert.deepEqual(await readRunList(dir), runs.map((spec) => ({ id: runId(spec), spec })));
  }));

Deno.test("readRunList() is null without a file or a list in it, and refuses anything else", () =>
  withTempDir(async (dir) => {
    assert.equal(await readRunList(dir), null);
    const read = async (text: string) => {
      await Deno.writeTextFile(`${dir}/${EXPERIMENT_FILE}`, text);
      return await readRunList(dir);
    };
    assert.equal(await read(JSON.stringify(TINY_EXPERIMENT)), null);
    await assert.rejects(read("{"), /experiment\.json is not JSON .*: move it to another folder$/);
    await assert.rejects(read('{"runs":[{}]}'), /is not an experiment \(runs\.0\.\w+: .*\)/);
  }));

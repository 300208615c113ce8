import assert from "node:assert/strict";
import type { RunRecord, RunSpec } from "../core/records.ts";
import { type CodeReader, resumedCode, runCode } from "../experiment/run_code.ts";
import { resolveRuns, runId } from "../experiment/spec.ts";
import { openDevice } from "../engine/device.ts";
import { executeRun } from "../run/run.ts";
import { withTempDir } from "../testing/temp_dir.ts";
import {
  TINY_DATASET,
  TINY_EXPERIMENT,
  TINY_METHOD,
  TINY_METRIC,
  TINY_PROVENANCE,
  TINY_TABLES,
  tinyRecord,
} from "../testing/tiny.ts";
import { checkCode, compareCode } from "./code_check.ts";
import type { Metric } from "../core/types.ts";

const SPECS = resolveRuns({ ...TINY_EXPERIMENT, seeds: [0, 1] }, TINY_TABLES);
const OLD = { "methods/tiny.ts": "1", "harness/run/run.ts": "2" };
const EDITED = { ...OLD, "methods/tiny.ts": "3" };
const PIXELS = { bright: { train: "a", test: "b" } };

const reading = (modules: Record<string, string>): CodeReader => () => Promise.resolve(modules);

function completed(spec: RunSpec, modules?: Record<string, string>, pixels = PIXELS): RunRecord {
  const code = modules && runCode(modules, pixels.bright);
  return {
    ...tinyRecord(spec),
    status: "completed",
    scores: { gap: 1 },
    untrained: {},
    provenance: { ...TINY_PROVENANCE, ...code && { code } },
  };
}

/** Options with the current code `modules`. */
const options = (modules: Record<string, string>, records: readonly RunRecord[], out = "none") => ({
  out,
  records,
  tables: TINY_TABLES,
  pixels: PIXELS,
  readCode: reading(modules),
  force: false,
  acceptCode: false,
});

Deno.test("checkCode() refuses results of other code, by what changed, unless they are repeated or accepted", async () => {
  const records = [completed(SPECS[0], OLD), completed(SPECS[1], OLD)];
  await checkCode(SPECS, options(OLD, records));
  await assert.rejects(
    checkCode(SPECS, options(EDITED, records)),
    /tiny on bright, seeds 0, 1: methods\/tiny\.ts\. .*--methods tiny --force.*--accept-code/,
  );
  await checkCode(SPECS, { ...options(EDITED, records), force: true });
  await checkCode(SPECS, { ...options(EDITED, records), acceptCode: true });
});

Deno.test("checkCode() refuses a new seed beside an old one of other code, and not beside other settings", async () => {
  const records = [completed(SPECS[0], OLD)];
  await assert.rejects(checkCode([SPECS[1]], options(EDITED, records)), /seed 0: methods/);
  // --force repeats only what is asked for: the old seed would stand beside the new one.
  const forced = { ...options(EDITED, records), force: true };
  await assert.rejects(checkCode([SPECS[1]], forced), /seed 0: methods/);
  await checkCode([{ ...SPECS[1], epochs: 9 }], options(EDITED, records));
});

Deno.test("compareCode() counts records without a hash, and knows other pixels and other weights", async () => {
  const unknown = await compareCode(SPECS, options(OLD, [completed(SPECS[0])]));
  assert.deepEqual([unknown.changed, unknown.unknown], [[], 1]);
  const pixels = { bright: { train: "a", test: "z" } };
  const other = await compareCode(SPECS, options(OLD, [completed(SPECS[0], OLD, pixels)]));
  assert.match(other.changed.join(), /seed 0: the test images$/);
  const record = completed(SPECS[0], OLD);
  const provenance = record.provenance && { ...record.provenance, metricSha256: { gap: "cd" } };
  const weights = await compareCode(SPECS, options(OLD, [{ ...record, provenance }]));
  assert.match(weights.changed.join(), /the weights of gap/);
});

Deno.test("a run does not go on from weights of other code, unless that is accepted and recorded", () =>
  withTempDir(async (dir) => {
    const [spec] = SPECS;
    const own = `${dir}/${runId(spec)}`;
    await Deno.mkdir(own);
    await using device = await openDevice("tfjs-cpu", { threads: 1 });
    const run = (modules: Record<string, string>, { acceptCode = false, stop = false } = {}) =>
      executeRun(spec, {
        method: TINY_METHOD,
        dataset: TINY_DATASET,
        metrics: [TINY_METRIC as Metric],
        device,
        experiment: "tiny",
        dir: own,
        provenance: () => Promise.resolve(TINY_PROVENANCE),
        modules: reading(modules).bind(null, spec),
        acceptCode,
        report({ event }) {
          if (stop && event === "epoch") throw new Error("killed");
        },
      });
    await assert.rejects(run(OLD, { stop: true }), /killed/);
    const { sha256: pixels } = await TINY_DATASET.load("train");
    const current = {
      ...options(EDITED, [], dir),
      pixels: { bright: { train: pixels, test: pixels } },
    };
    await assert.rejects(checkCode(SPECS, current), /tiny on bright, seed 0: methods\/tiny\.ts/);
    await assert.rejects(run(EDITED), /trained before methods\/tiny\.ts changed: remove it/);
    const { provenance } = await run(EDITED, { acceptCode: true });
    const [old, now] = [OLD, EDITED].map((m) => runCode(m, { train: pixels, test: pixels }));
    assert.deepEqual(provenance?.code, { ...now, earlier: [old.sha256] });
    assert.deepEqual(resumedCode(old, provenance?.code).earlier, [now.sha256], "and back again");
  }));

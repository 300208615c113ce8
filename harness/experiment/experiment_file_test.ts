import assert from "node:assert/strict";
import { UsageError } from "../core/arguments.ts";
import type { Experiment } from "../core/records.ts";
import { TINY_EXPERIMENT, TINY_TABLES } from "../testing/tiny.ts";
import { readExperiment } from "./experiment_arguments.ts";
import { parseExperiment } from "./experiment_file.ts";
import { PRESETS } from "./presets.ts";
import { resolveRuns, runId } from "./spec.ts";

/** The experiment that `bench --config` resolves from a file that holds `value`, with `args` besides. */
function configured(value: unknown, args: Readonly<Record<string, string>> = {}): Experiment {
  const { name, preset } = parseExperiment(JSON.stringify(value), "/a/experiment.json");
  return readExperiment({ preset: name, ...args }, {
    tables: TINY_TABLES,
    presets: { [name]: preset },
    devices: ["tfjs-cpu"],
    cores: 16,
  }).experiment;
}

Deno.test("parseExperiment() of what bench writes gives the same runs", () => {
  const written = {
    ...TINY_EXPERIMENT,
    seeds: [3, 1],
    scoreEvery: 2,
    threads: 5,
    hyper: { "*@bright": { rate: 0.25 }, tiny: { note: "x" } },
  };
  const runs = resolveRuns(written, TINY_TABLES);
  const experiment = configured({ ...written, runs });
  assert.deepEqual(experiment, written);
  assert.deepEqual(resolveRuns(experiment, TINY_TABLES).map(runId), runs.map(runId));
});

Deno.test("parseExperiment(): arguments override the file", () => {
  const experiment = configured(TINY_EXPERIMENT, { seeds: "7", epochs: "9", threads: "2" });
  assert.deepEqual([experiment.seeds, experiment.epochs, experiment.threads], [[7], 9, 2]);
});

Deno.test("parseExperiment() reads every preset, once it is resolved", () => {
  for (const [name, preset] of Object.entries(PRESETS)) {
    const { about: _about, ...settings } = preset;
    const written = { methods: ["tiny"], ...settings, name, threads: 1 };
    const { about: _file, ...read } = parseExperiment(JSON.stringify(written), name).preset;
    assert.deepEqual({ ...read, name }, written);
  }
});

Deno.test("parseExperiment() takes paths of modules from the folder of the file", () => {
  const value = { ...TINY_EXPERIMENT, modules: ["./mine.ts", "/b/set.ts"] };
  const { modules } = parseExperiment(JSON.stringify(value), "/a/experiment.json");
  assert.deepEqual(modules, ["/a/mine.ts", "/b/set.ts"]);
});

Deno.test("parseExperiment() names the file and the first thing wrong with it, in one line", () => {
  const cases: [string, RegExp][] = [
    ["{", /^x\.json is not JSON: /],
    ["[]", /^x\.json is not an experiment .*: it: .*expected object/],
    [JSON.stringify({ ...TINY_EXPERIMENT, epochs: 0 }), /experiment\.json\): epochs: /],
    [JSON.stringify({ ...TINY_EXPERIMENT, epoch: 3 }), /: it: Unrecognized key: "epoch"$/],
    [JSON.stringify({ ...TINY_EXPERIMENT, seeds: ["0"] }), /: seeds\.0: /],
    [JSON.stringify({ ...TINY_EXPERIMENT, hyper: { lae: { a: null } } }), /: hyper\.lae\.a: /],
  ];
  for (const [text, message] of cases) {
    assert.throws(() => parseExperiment(text, "x.json"), (error: unknown) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.message, message);
      assert.ok(!error.message.includes("\n"), error.message);
      return true;
    });
  }
});

import assert from "node:assert/strict";
import {
  type ExperimentArguments,
  type KnownNames,
  readExperiment,
} from "./experiment_arguments.ts";
import { TINY_EXPERIMENT, TINY_TABLES } from "../testing/tiny.ts";
import { UsageError } from "../core/arguments.ts";

const { name: _name, methods: _methods, threads: _threads, ...rest } = TINY_EXPERIMENT;
const { tiny } = TINY_TABLES.methods;
const KNOWN: KnownNames = {
  tables: { ...TINY_TABLES, methods: { tiny, other: { ...tiny, name: "other" } } },
  presets: {
    small: { ...rest, about: "a test", hyper: { "*": { rate: 0.1 } } },
    future: { ...rest, about: "ahead", datasets: ["faces"], metrics: ["fid"] },
  },
  devices: ["cpu", "tfjs-cpu", "pjrt:PATH"],
  cores: 8,
};

const read = (args: Partial<ExperimentArguments>) =>
  readExperiment({ preset: "small", set: [], ...args }, KNOWN);

Deno.test("readExperiment() defaults to the preset, and to all methods", () => {
  const { experiment, jobs } = read({});
  assert.deepEqual(experiment, {
    ...rest,
    name: "small",
    methods: ["tiny", "other"],
    threads: 8,
    hyper: { "*": { rate: 0.1 } },
  });
  assert.equal(jobs, 1);
});

Deno.test("readExperiment() overrides the preset by every argument", () => {
  const { experiment, jobs } = read({
    methods: "other",
    datasets: "bright",
    seeds: "0..2",
    epochs: "9",
    batchSize: "5",
    images: "12",
    samples: "70",
    device: "cpu",
    jobs: "3",
    set: ["other.rate=0.75", "*.persistent=false"],
  });
  assert.deepEqual(experiment.methods, ["other"]);
  assert.deepEqual(experiment.seeds, [0, 1, 2]);
  assert.equal(experiment.epochs, 9);
  assert.equal(experiment.batchSize, 5);
  assert.equal(experiment.trainCount, 12);
  assert.equal(experiment.sampleCount, 70);
  assert.equal(experiment.device, "cpu");
  assert.equal(jobs, 3);
  assert.equal(experiment.threads, 2, "the jobs share the cores");
  assert.deepEqual(experiment.hyper, {
    "*": { rate: 0.1 },
    other: { rate: 0.75, persistent: false },
  });
});

Deno.test("readExperiment() prefers a setting of a method to one of all, whatever their order", () => {
  const orders = [["*.rate=0.5", "other.rate=2"], ["other.rate=2", "*.rate=0.5"]];
  for (const set of orders) {
    const { hyper } = read({ set }).experiment;
    assert.deepEqual([hyper.tiny, hyper.other], [{ rate: 0.5 }, { rate: 2 }]);
  }
});

Deno.test("readExperiment() refuses a method that is known to be wrong on the device, by name", () => {
  const methods = { tiny: { ...tiny, wrongOn: { cpu: "its slopes are off" } } };
  const known = { ...KNOWN, tables: { ...TINY_TABLES, methods } };
  assert.throws(
    () => readExperiment({ preset: "small", set: [], device: "cpu" }, known),
    { name: UsageError.name, message: /^tiny is wrong on cpu: its slopes are off; leave it out/ },
  );
  readExperiment({ preset: "small", set: [], device: "tfjs-cpu" }, known);
});

Deno.test("readExperiment() prefers a setting of the command line to one of the preset for the data set", () => {
  const hyper = { "tiny@bright": { rate: 0.3, note: "bright" }, "tiny@dark": { note: "dark" } };
  const presets = { small: { ...KNOWN.presets.small, hyper } };
  const set = ["tiny.rate=0.2"];
  const { experiment } = readExperiment({ preset: "small", set }, { ...KNOWN, presets });
  assert.deepEqual(experiment.hyper, {
    tiny: { rate: 0.2 },
    "tiny@bright": { note: "bright" },
    "tiny@dark": { note: "dark" },
  });
});

Deno.test("readExperiment() accepts a device with a path", () => {
  assert.equal(read({ device: "pjrt:lib/plugin.so" }).experiment.device, "pjrt:lib/plugin.so");
});

Deno.test("readExperiment() refuses each wrong argument in one line that lists the known names", () => {
  const cases: [Partial<ExperimentArguments>, RegExp][] = [
    [{ preset: "smal" }, /Unknown preset "smal": known presets are small, future; did you mean/],
    [{ methods: "tiny,gan" }, /Unknown method "gan": known methods are tiny, other$/],
    [{ datasets: "dark" }, /Unknown data set "dark": known data sets are bright$/],
    [{ seeds: "a" }, /Unknown seeds "a": write 0\.\.2/],
    [{ epochs: "0" }, /--epochs must be an integer >= 1, got "0"/],
    [{ samples: "1" }, /--samples must be >= 2, got 1: a score compares covariances/],
    [{ batchSize: "0" }, /--batch-size must be an integer >= 1, got "0"/],
    [{ images: "1.5" }, /--images must be an integer >= 1, got "1\.5"/],
    [{ threads: "two" }, /--threads must be an integer >= 1, got "two"/],
    [{ jobs: "-1" }, /--jobs must be an integer >= 1, got "-1"/],
    [{ device: "gpu" }, /Unknown device "gpu": known devices are cpu, tfjs-cpu, pjrt:PATH/],
    [{ device: "cuda:0" }, /Device "cuda:0" names a GPU .* CUDA_VISIBLE_DEVICES=0 with --device/],
    [{ device: "cuda1" }, /Device "cuda1" names a GPU .* CUDA_VISIBLE_DEVICES=1 with --device/],
    [{ device: "pjrt:" }, /Unknown device "pjrt:"/],
    [{ set: ["rate"] }, /Unknown setting "rate": write METHOD\.KEY=VALUE/],
    [{ set: ["gan.rate=1"] }, /Unknown method "gan"/],
    [
      { set: ["tiny.rat=1"] },
      /Unknown hyperparameter of tiny "rat": known hyperparameters of tiny are rate, /,
    ],
    [{ set: ["*.rat=1"] }, /Unknown hyperparameter of \* "rat"/],
    [
      { set: ["tiny.rate=x"] },
      /Hyperparameter tiny\.rate must be a finite decimal number \(default 0\.5\), got "x"/,
    ],
    [{ set: ["tiny.rate=0x10"] }, /must be a finite decimal number .* got "0x10"/],
    [
      { set: ["tiny.rate=1", "*.rate=2", "tiny.rate=3"] },
      /--set has tiny\.rate twice, tiny\.rate=1 and tiny\.rate=3: write one/,
    ],
    [{ methods: "other", set: ["tiny.rate=1"] }, /has no effect: the selected methods are other/],
    [{ preset: "future" }, /Preset "future" needs entries .* lacks: data set faces, metric fid/],
  ];
  for (const [args, pattern] of cases) {
    assert.throws(
      () => read(args),
      (error: unknown) =>
        error instanceof UsageError && pattern.test(error.message) && !error.message.includes("\n"),
      JSON.stringify(args),
    );
  }
});

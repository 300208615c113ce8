import assert from "node:assert/strict";
import { refuseIfStrict, threadsWarning, warningsOf } from "./warnings.ts";
import { resolveRuns, type Tables } from "./spec.ts";
import { TINY_EXPERIMENT, TINY_TABLES, tinyWith } from "../testing/tiny.ts";
import { UsageError } from "../core/arguments.ts";

const tables: Tables = {
  ...TINY_TABLES,
  methods: {
    tiny: tinyWith(({ rate }, { trainCount }) => ({
      warnings: rate > 0.3 ? [`rate ${rate} is high for ${trainCount} images`] : [],
    })),
  },
};

Deno.test("warningsOf() lists each warning once, with its method and data set", () => {
  const experiment = {
    ...TINY_EXPERIMENT,
    datasets: ["bright"],
    seeds: [0, 1, 2],
    trainCount: null,
  };
  const count = tables.datasets.bright.counts.train;
  assert.deepEqual(warningsOf(resolveRuns(experiment, tables), tables), [
    `tiny on bright: rate 0.5 is high for ${count} images`,
  ]);
  const careful = { ...experiment, hyper: { tiny: { rate: 0.1 } } };
  assert.deepEqual(warningsOf(resolveRuns(careful, tables), tables), []);
});

Deno.test("refuseIfStrict() refuses warnings only with --strict", () => {
  refuseIfStrict(["a"], false);
  refuseIfStrict([], true);
  assert.throws(
    () => refuseIfStrict(["a", "b"], true),
    new UsageError("Refused by --strict: a; b"),
  );
});

Deno.test("threadsWarning() speaks up for more threads than cores on the CPU, also of several runs", () => {
  const warn = (threads: number, jobs: number, device = "cpu") =>
    threadsWarning({ device, threads, jobs, cores: 2 });
  assert.match(warn(64, 1) ?? "", /^64 threads on 2 cores: .* at most --threads 2 is advised$/);
  assert.match(warn(2, 2) ?? "", /^2 runs of 2 threads on 2 cores: .* at most --threads 1 is/);
  assert.match(warn(1, 3) ?? "", /^3 runs of 1 thread on 2 cores/);
  for (const fits of [warn(2, 1), warn(1, 2), warn(64, 1, "cuda")]) assert.equal(fits, undefined);
});

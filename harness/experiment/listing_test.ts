import assert from "node:assert/strict";
import { listHyper, listTables } from "./listing.ts";
import { resolveRuns } from "./spec.ts";
import { TINY_EXPERIMENT, TINY_TABLES } from "../testing/tiny.ts";

Deno.test("listTables() lists every name, with defaults and deviations", () => {
  const preset = { ...TINY_EXPERIMENT, about: "a test", hyper: { tiny: { rate: 0.25 } } };
  const lines = listTables(TINY_TABLES, {
    presets: { small: preset },
    devices: { cpu: "the processor" },
    datasetForms: ["folder:PATH", "archive:FILE"],
  }).split("\n").map((line) => line.trim());
  for (
    const line of [
      "tiny: Tiny, mean image",
      "source: no paper",
      "tiny.rate = 0.5",
      "tiny.persistent = true",
      "Deviation: learns only a mean, being a test",
      "bright: Bright, 2x3x1, 17 training and 17 test images",
      "folder:PATH, archive:FILE: your own images",
      "gap: Gap, lower is better",
      "small: a test",
      "tiny.rate = 0.25",
      "cpu: the processor",
    ]
  ) assert.ok(lines.includes(line), `${line} is not in\n${lines.join("\n")}`);
});

Deno.test("listHyper() has one line per method, or per group of data sets", () => {
  const defaults = "rate=0.5 explodeAt=-1 persistent=true note=none";
  const [spec] = resolveRuns(TINY_EXPERIMENT, TINY_TABLES);
  const other = { ...spec, dataset: "dark" };
  assert.deepEqual(listHyper([spec, { ...spec, seed: 1 }, other]), [`tiny: ${defaults}`]);
  const slow = { ...other, hyper: { ...spec.hyper, rate: 0.25 } };
  assert.deepEqual(listHyper([spec, slow, { ...slow, dataset: "grey" }]), [
    `tiny on bright: ${defaults}`,
    `tiny on dark, grey: ${defaults.replace("0.5", "0.25")}`,
  ]);
});

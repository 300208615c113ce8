import assert from "node:assert/strict";
import { entryNames, listHyper, listJson, listTables } from "./listing.ts";
import { resolveRuns } from "./spec.ts";
import { TINY_EXPERIMENT, TINY_TABLES } from "../testing/tiny.ts";

const OTHERS = {
  presets: { small: { ...TINY_EXPERIMENT, about: "a test", hyper: { tiny: { rate: 0.25 } } } },
  devices: { cpu: "the processor" },
  datasetForms: ["folder:PATH", "archive:FILE"],
};

Deno.test("listTables() lists every name, with defaults and deviations", () => {
  const lines = listTables(TINY_TABLES, OTHERS).split("\n").map((line) => line.trim());
  for (
    const line of [
      "tiny: Tiny, mean image",
      "source: no paper",
      "tiny.rate = 0.5",
      "tiny.persistent = true",
      "Deviation: learns only a mean, being a test",
      "bright: Bright, 2x3x1, 17 training and 17 test images",
      "folder:PATH: your own images",
      "gap: Gap, lower is better",
      "small: a test",
      "tiny.rate = 0.25",
      "cpu: the processor",
    ]
  ) assert.ok(lines.includes(line), `${line} is not in\n${lines.join("\n")}`);
});

Deno.test("listTables() lists one entry, and names the known ones for another", () => {
  const text = listTables(TINY_TABLES, OTHERS, "gap");
  assert.equal(text, "Metrics\n  gap: Gap, lower is better\n");
  assert.throws(
    () => listTables(TINY_TABLES, OTHERS, "smal"),
    /^UsageError: Unknown entry "smal": known entries are tiny, .*; did you mean "small"\?$/,
  );
});

Deno.test("listJson() has the facts of every entry by kind and name", () => {
  const all = JSON.parse(listJson(TINY_TABLES, OTHERS));
  assert.deepEqual(Object.keys(all), ["methods", "datasets", "metrics", "presets", "devices"]);
  assert.equal(all.methods.tiny.defaults.rate, 0.5);
  assert.deepEqual(all.datasets.bright.image, { height: 2, width: 3, channels: 1 });
  assert.equal(all.presets.small.epochs, TINY_EXPERIMENT.epochs);
  assert.deepEqual(JSON.parse(listJson(TINY_TABLES, OTHERS, "tiny")), {
    methods: { tiny: all.methods.tiny },
  });
});

Deno.test("entryNames() leads from a name to the option of bench that takes it", () => {
  const { preset, methods, device } = entryNames(TINY_TABLES, OTHERS);
  assert.deepEqual([preset, methods, device], [["small"], ["tiny"], ["cpu"]]);
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

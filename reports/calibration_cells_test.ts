import assert from "node:assert/strict";
import type { Calibration, CalibrationTests, RankTest } from "../harness/core/records.ts";
import { exampleRecord, exampleTable } from "./example_records.ts";
import { toHtml } from "./html.ts";
import { toMarkdown } from "./markdown.ts";

const NAMES = ["logJoint", "logLikelihood", "gradient", "squaredNorm", "projection"];

/** Tests of 100 images in which every statistic but those of `wrong` is as it should be. */
function calibrationTests(
  wrong: Readonly<Record<string, Partial<RankTest>>> = {},
  notFinite = 0,
): CalibrationTests {
  const right: RankTest = {
    z: 0.5,
    p: 0.617,
    signP: 0.6,
    effect: 0.02,
    ties: 0,
    histogram: Array(20).fill(5),
  };
  const tests = Object.fromEntries(NAMES.map((name) => [name, { ...right, ...wrong[name] }]));
  return { notFinite, tests };
}

const exact = (infer: CalibrationTests): Calibration => ({
  images: 100,
  priorIsExact: true,
  infer,
});

const section = (markdown: string) =>
  /## Calibration of inference\n[^]*?(?=\n## )/.exec(markdown)?.[0] ?? "";

Deno.test("calibration: means over seeds, seeds rejected, histograms summed", () => {
  const wrong = {
    gradient: { z: -9.5, p: 2e-21, effect: -0.5, histogram: [100, ...Array(19).fill(0)] },
  };
  const table = exampleTable([
    exampleRecord({ spec: { seed: 0 }, calibration: exact(calibrationTests(wrong)) }),
    exampleRecord({ spec: { seed: 1 }, calibration: exact(calibrationTests()) }),
  ]);
  const [cell] = table.rows[0].calibration;
  assert.deepEqual([cell.start, cell.images, cell.n, cell.rejected], ["infer", 100, 2, 1]);
  const gradient = cell.statistics.find(({ statistic }) => statistic === "gradient");
  assert.ok(gradient);
  assert.deepEqual([gradient.z, gradient.effect, gradient.p], [-4.5, -0.24, 2e-21]);
  assert.deepEqual(gradient.histogram.slice(0, 2), [105, 5]);
  const text = section(toMarkdown(table));
  assert.match(text, /-0\.24 \(-4\.5, p < 1e-12\)/);
  assert.match(text, /0\.02 \(0\.5, p = 0\.62\)/);
  assert.match(text, /\| 1 of 2 /);
  assert.match(text, /N = 100: 95 % null band of an effect ±0\.1960, of the KS distance 0\.09800/);
  assert.doesNotMatch(text, /prior chain/);
  assert.match(toHtml({ table, rows: [] }), /Calibration of inference: ranks<\/h3>[^]*<svg/);
});

Deno.test("calibration: a draw that is not finite rejects, and is counted", () => {
  const table = exampleTable([
    exampleRecord({ calibration: exact(calibrationTests({}, 3)) }),
    exampleRecord({
      spec: { seed: 1 },
      calibration: exact({ notFinite: 100, tests: null }),
    }),
  ]);
  assert.equal(table.rows[0].calibration[0].rejected, 2);
  assert.match(section(toMarkdown(table)), /103 of 200 simulated images left out/);
});

Deno.test("calibration: many ties are named, a few are not", () => {
  const tests = calibrationTests({ projection: { ties: 40 }, gradient: { ties: 3 } });
  const text = section(toMarkdown(exampleTable([exampleRecord({ calibration: exact(tests) })])));
  assert.match(text, /40 of 100 values of u·z are equal for z and z′/);
  assert.doesNotMatch(text, /values of b\(x\)/);
});

Deno.test("calibration: chains from the true z have a line, and prior chains a caveat", () => {
  const calibration = {
    images: 100,
    priorIsExact: false,
    infer: calibrationTests(),
    fromTruth: calibrationTests(),
  };
  const text = section(toMarkdown(exampleTable([
    exampleRecord({ spec: { method: "lebm" }, calibration }),
  ])));
  assert.match(text, /LEBM +\| Fashion-MNIST 4k \| chain from the true z/);
  assert.match(text, /LEBM: z is drawn by the method's own prior chain/);
});

Deno.test("calibration: no section without a calibrated run", () => {
  const table = exampleTable([exampleRecord({ scores: { fd_fashion: 1 } })]);
  assert.doesNotMatch(toMarkdown(table), /Calibration/);
  assert.doesNotMatch(toHtml({ table, rows: [] }), /Calibration/);
});

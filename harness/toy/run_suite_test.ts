import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { bivariateGaussian } from "../../datasets/toy/bivariate_gaussian.ts";
import { standardNormal } from "../../datasets/toy/standard_normal.ts";
import { univariateGaussian } from "../../datasets/toy/univariate_gaussian.ts";
import { ald, aldAsPrinted } from "../../methods/toy/ald.ts";
import { aviDiagonal, aviFull } from "../../methods/toy/avi.ts";
import { ld } from "../../methods/toy/ld.ts";
import { psgald } from "../../methods/toy/psgld.ts";
import { openDevice } from "../engine/device.ts";
import { benchToy, partOf, runGated, type ToySuite } from "./run_suite.ts";
import { openTarget, runToy } from "./run_sampler.ts";
import type { GaussianTarget } from "../core/toy_types.ts";

const short = {
  ...bivariateGaussian,
  length: { chains: 16, steps: 2000, burnIn: 500, thin: 5 },
};
const SUITE: ToySuite = {
  targets: [short],
  samplers: [ld, aldAsPrinted, aviDiagonal, aviFull],
  fits: { diagonal: aviDiagonal, full: aviFull },
  gaps: [],
  chains: [],
  movers: [],
  convergence: { samplers: [{ sampler: ald, stepSize: 5e-4 }], target: univariateGaussian },
  normal: standardNormal,
};

Deno.test("benchToy() runs every sampler on every target, and reports in their order on two devices", async () => {
  await using first = await openDevice("cpu", { threads: 1 });
  await using second = await openDevice("cpu", { threads: 1 });
  const lines: string[] = [];
  const suite = { ...SUITE, samplers: SUITE.samplers.map((s) => ({ ...s, bias: undefined })) };
  const report = await benchToy(suite, {
    devices: [first, second],
    seed: 3,
    report: (line) => lines.push(line),
  });
  assert.deepEqual(report.runs.map(({ sampler }) => sampler), SUITE.samplers.map((s) => s.name));
  // Four runs and a trace.
  assert.equal(lines.length, 5);
  assert.match(lines[4], /^\[5\/5\] /);
  assert.equal(report.seed, 3);
  const [chain, printed, , full] = report.runs;
  assert.ok(
    chain.rows.some(({ verdict }) => verdict === "pass") && chain.note === null,
    JSON.stringify(chain.rows),
  );
  assert.ok(printed.rows.every(({ verdict }) => verdict === "shown") && printed.note !== null);
  const { least, largest } = printed.gram ?? { least: 0, largest: 0 };
  assert.ok(chain.gram === null && least > 0 && largest > 10 * least, `${least}, ${largest}`);
  assert.ok((printed.gram?.stability ?? 0) > 0);
  const cost = chain.rows.find(({ metric }) => metric === "gradients");
  assert.equal(cost?.value, 2000 * 16);
  const ess = chain.rows.find(({ metric }) => metric === "ess")?.value ?? NaN;
  const each = chain.rows.find(({ metric }) => metric === "gradients_per_draw")?.value ?? NaN;
  assert.ok(Math.abs(each * ess / (2000 * 16) - 1) < 1e-9);
  assert.equal(full.rows.at(-1)?.metric, "kl_over_diagonal");
  // A full covariance gains 0.255 nats here: 1/2 log(P_11 P_22 / det P) = 1/2 log(22.5 / 13.5).
  const gain = full.rows.at(-1)?.value ?? NaN;
  assert.ok(Math.abs(gain + Math.log(22.5 / 13.5) / 2) < 0.01, `${gain}`);
  assert.deepEqual(report.densities.map(({ posterior }) => posterior), [0, 1, 2]);
  assert.equal(report.convergence[0].stepSize, 5e-4);
  assert.deepEqual(report.bias, []);
});

Deno.test("runToy() draws no conclusion from K where a preconditioner scales the steps", async () => {
  await using device = await openDevice("cpu", { threads: 1 });
  const { gram } = await runToy(psgald, {
    ...await openTarget(short, device),
    device,
    seed: 0,
    overrides: { chains: 2, steps: 60, burnIn: 20 },
  });
  assert.deepEqual([gram?.rank, gram?.stability, gram?.slowest], [3, null, null]);
});

Deno.test("benchToy() refuses a broken target before any sampling", async () => {
  await using device = await openDevice("cpu", { threads: 1 });
  const broken: GaussianTarget = {
    ...short,
    name: "broken",
    logDensity: (z) => tf.log(tf.sum(z, 2)) as tf.Tensor2D,
  };
  const lines: string[] = [];
  await assert.rejects(
    benchToy({ ...SUITE, targets: [short, broken] }, {
      devices: [device],
      seed: 0,
      report: (line) => lines.push(line),
    }),
    /Target broken: the log density is NaN/,
  );
  assert.deepEqual(lines, []);
});

Deno.test("runGated() has the rows with a gate, and no others", async () => {
  await using device = await openDevice("cpu", { threads: 1 });
  const rows = await runGated(SUITE, { devices: [device], seed: 0, report: () => {} });
  assert.deepEqual([...new Set(rows.map(({ sampler }) => sampler))], ["ld", "avi_full"]);
  assert.ok(rows.every(({ verdict }) => verdict !== "shown"));
});

Deno.test("partOf() keeps what was named, and the experiments that need no more", () => {
  const suite = {
    ...SUITE,
    targets: [short, univariateGaussian],
    gaps: [{ sampler: ald, target: short }],
  };
  const names = (part: ToySuite) => ({
    targets: part.targets.map(({ name }) => name),
    samplers: part.samplers.map(({ name }) => name),
    gaps: part.gaps.length,
    convergence: part.convergence.samplers.length,
  });
  assert.deepEqual(names(partOf(suite, {})), names(suite));
  assert.deepEqual(names(partOf(suite, { targets: ["bivariate"], samplers: ["ld"] })), {
    targets: ["bivariate"],
    samplers: ["ld"],
    gaps: 0,
    convergence: 0,
  });
  const { gaps, convergence } = names(
    partOf(suite, { targets: ["bivariate", "univariate"], samplers: ["ald"] }),
  );
  assert.deepEqual([gaps, convergence], [1, 1]);
});

/** The check finds wrong samplers: each is one slip away from a right one. */
import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { openCores } from "../harness/toy/cores.ts";
import type { Sampler } from "../harness/core/toy_types.ts";
import { amortized } from "../methods/toy/amortized.ts";
import { direct } from "../methods/toy/direct.ts";
import { eulerMaruyama } from "../methods/toy/ld.ts";
import type { Integrator, Positions } from "../methods/toy/integrator.ts";
import { SAMPLERS } from "../methods/toy/mod.ts";
import { metropolisAdjusted } from "../methods/toy/metropolis.ts";
import { LONG_MEMORY, psgld, rmsPreconditioned } from "../methods/toy/psgld.ts";
import { checkRows } from "./check.ts";
import { compare, describeChanges, parseBaseline } from "../harness/toy/baseline.ts";

/** Euler and Maruyama's rule with the drift and the noise times these factors. */
function slipped(driftFactor: number, noiseFactor: number): Integrator {
  return {
    ...eulerMaruyama,
    step: ({ x }, { potential, draws, stepSize }) => {
      const drift = tf.mul(potential.gradient(x as Positions), stepSize * driftFactor);
      const noise = tf.mul(draws.xi, Math.sqrt(2 * stepSize) * noiseFactor);
      return { x: tf.add(tf.sub(x, drift), noise) };
    },
  };
}

/** RMSProp's preconditioner, left out of the noise or of the drift. */
function halfPreconditioned(where: "noise" | "drift"): Integrator {
  const right = rmsPreconditioned(LONG_MEMORY);
  return {
    ...right,
    step: (state, move) => {
      const next = right.step(state, move);
      const { stepSize, draws: { xi }, potential, moves } = move;
      const decay = tf.pow(LONG_MEMORY.alpha, tf.add(moves, 1));
      const scale = tf.sqrt(tf.div(next["psgld/v/x"], tf.sub(1, decay))); // about 1 / G
      const noise = tf.mul(xi, Math.sqrt(2 * stepSize));
      const own = tf.div(noise, tf.sqrt(scale));
      const drift = tf.mul(potential.gradient(state.x as Positions), stepSize);
      return where === "noise"
        ? { ...next, x: tf.add(next.x, tf.sub(noise, own)) }
        : { ...next, x: tf.add(tf.sub(state.x, drift), own) };
    },
  };
}

const described = { source: "", deviations: [] };
const asLd = (integrator: Integrator): Sampler =>
  direct(integrator, { ...described, name: "ld", label: "LD" });
const asAld = (integrator: Integrator): Sampler =>
  amortized(integrator, { ...described, name: "ald", label: "ALD", features: "whitened" });

const asPsgld = (integrator: Integrator): Sampler => ({
  ...direct(integrator, { ...described, name: "psgld", label: "pSGLD", settings: psgld.settings }),
  varianceRatio: psgld.varianceRatio,
});
/** At a step size where Euler's bias shows: 1 / (1 - 0.15 x 7.76 / 2) = 2.39 on the narrow axis. */
const asMala = (integrator: Integrator): Sampler =>
  direct(integrator, {
    ...described,
    name: "mala",
    label: "LD + MH",
    settings: () => ({ stepSize: 0.15 }),
  });

const WRONG: Readonly<Record<string, Sampler>> = {
  "noise scaled by sqrt(eta)": asLd(slipped(1, Math.SQRT1_2)),
  "amortized noise scaled by sqrt(eta)": asAld(slipped(1, Math.SQRT1_2)),
  "mean gradient of three points without the noise rescaled": asLd(slipped(1 / 3, 1)),
  "gradient's sign flipped": asLd(slipped(-1, 1)),
  "no noise": asLd(slipped(1, 0)),
  "noise without the preconditioner": asPsgld(halfPreconditioned("noise")),
  "drift without the preconditioner": asPsgld(halfPreconditioned("drift")),
  "Metropolis and Hastings that accept everything": asMala({
    ...metropolisAdjusted,
    step: (state, { draws, ...move }) =>
      metropolisAdjusted.step(state, {
        ...move,
        draws: { ...draws, threshold: tf.onesLike(draws.threshold) }, // log 0
      }),
  }),
};

async function rowsOf(options: Omit<Parameters<typeof checkRows>[0], "devices">) {
  await using cores = await openCores(1);
  return await checkRows({ ...options, devices: cores.devices });
}

const part = (name: string) => [{ target: "bivariate", samplers: [name] }];

for (const [slip, sampler] of Object.entries(WRONG)) {
  Deno.test(`checkRows() fails ${slip}`, async () => {
    const { name } = sampler;
    const rows = await rowsOf({ seed: 0, samplers: { [name]: sampler }, parts: part(name) });
    assert.ok(rows.some(({ verdict }) => verdict === "fail"), JSON.stringify(rows));
  });
}

for (
  const sampler of [
    SAMPLERS.ld,
    SAMPLERS.ald,
    SAMPLERS.psgld,
    SAMPLERS.psgald,
    asMala(metropolisAdjusted),
  ]
) {
  Deno.test(`checkRows() passes the right ${sampler.name}`, async () => {
    const { name } = sampler;
    const rows = await rowsOf({ seed: 1, samplers: { [name]: sampler }, parts: part(name) });
    assert.ok(rows.some(({ verdict }) => verdict === "pass"));
    assert.deepEqual(rows.filter(({ verdict }) => verdict === "fail"), []);
  });
}

Deno.test("checkRows() fails the noise scaled by sqrt(eta) between modes too", async () => {
  const rows = await rowsOf({
    seed: 0,
    samplers: { ld: asLd(slipped(1, Math.SQRT1_2)) },
    parts: [{
      target: "eight_gaussians",
      samplers: ["ld"],
      length: { steps: 4000, burnIn: 2000 },
    }],
  });
  const failed = rows.filter(({ verdict }) => verdict === "fail").map(({ metric }) => metric);
  assert.ok(failed.includes("within_mode_variance"), failed.join());
});

const ROW = {
  experiment: "bivariate",
  sampler: "ld",
  metric: "kl",
  value: 0.002,
  exact: 0.001,
  error: 0.0005,
  low: null,
  high: 0.004,
  verdict: "pass",
} as const;
const baseline = parseBaseline(JSON.stringify({ schema: 1, seed: 0, rows: [ROW] }));

Deno.test("compare() names the metric, its value and its bound", () => {
  const options = { baseline, deviations: 6 };
  assert.deepEqual(compare([ROW], options), []);
  assert.deepEqual(compare([{ ...ROW, value: 0.005, verdict: "fail" }], options), [
    "bivariate, ld: kl is 0.005, its bound is at most 0.004",
  ]);
  // 6 sqrt(2) x 0.0005 = 0.00424 from the baseline is too far, even within a wide gate.
  const [drift] = compare([{ ...ROW, value: 0.0063, high: 1 }], options);
  assert.match(drift, /kl is 0\.0063, its baseline is 0\.002 ± 0\.004243/);
  assert.deepEqual(compare([{ ...ROW, value: 0.0062, high: 1 }], options), []);
  assert.match(compare([], options)[0], /was not measured/);
  assert.match(compare([{ ...ROW, metric: "new" }, ROW], options)[0], /not in the baseline/);
});

Deno.test("compare() fails a value that is not finite", () => {
  const row = { ...ROW, value: null, verdict: "fail" } as const;
  assert.match(compare([row], { baseline, deviations: 6 })[0], /not finite/);
});

Deno.test("describeChanges() shows what --update accepts", () => {
  assert.deepEqual(
    describeChanges(baseline.rows, [{ ...ROW, value: 0.003 }, { ...ROW, metric: "ess" }]),
    ["  bivariate, ld: kl 0.002 -> 0.003", "+ bivariate, ld: ess 0.002"],
  );
});

Deno.test("parseBaseline() says what is wrong and how to mend it", () => {
  assert.throws(() => parseBaseline("{"), /no JSON.*--update/);
  assert.throws(
    () => parseBaseline('{"schema": 1, "seed": 0, "rows": [{}]}'),
    /rows\.0\.\w+.*--update/,
  );
});

/** The check finds wrong samplers: each is one slip away from a right one. */
import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { openCores } from "./cores.ts";
import type { Sampler } from "../core/toy_types.ts";
import { amortized } from "../../methods/toy/amortized.ts";
import { direct } from "../../methods/toy/direct.ts";
import { eulerMaruyama } from "../../methods/toy/ld.ts";
import type { Integrator, Positions } from "../../methods/toy/integrator.ts";
import { SAMPLERS } from "../../methods/toy/mod.ts";
import { metropolisAdjusted } from "../../methods/toy/metropolis.ts";
import { LONG_MEMORY, psgld, rmsPreconditioned } from "../../methods/toy/psgld.ts";
import { bivariateGaussian } from "../../datasets/toy/bivariate_gaussian.ts";
import { eightGaussians } from "../../datasets/toy/eight_gaussians.ts";
import { type CheckPart, runCheck, targetsOf } from "./regression_check.ts";

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
      const scale = tf.sqrt(tf.div(next.v, tf.sub(1, decay))); // about 1 / G
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

async function rowsOf({ seed, sampler, part }: {
  readonly seed: number;
  readonly sampler: Sampler;
  readonly part?: Omit<CheckPart, "samplers">;
}) {
  await using cores = await openCores(1);
  return await runCheck({
    parts: [{ target: "bivariate", ...part, samplers: [sampler.name] }],
    samplers: { [sampler.name]: sampler },
    targets: { bivariate: bivariateGaussian, eight_gaussians: eightGaussians },
    chains: [],
    movers: [],
    gaps: [],
  }, { seed, devices: cores.devices });
}

for (const [slip, sampler] of Object.entries(WRONG)) {
  Deno.test(`runCheck() fails ${slip}`, async () => {
    const rows = await rowsOf({ seed: 0, sampler });
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
  Deno.test(`runCheck() passes the right ${sampler.name}`, async () => {
    const rows = await rowsOf({ seed: 1, sampler });
    assert.ok(rows.some(({ verdict }) => verdict === "pass"));
    assert.deepEqual(rows.filter(({ verdict }) => verdict === "fail"), []);
  });
}

Deno.test("runCheck() fails the noise scaled by sqrt(eta) between modes too", async () => {
  const rows = await rowsOf({
    seed: 0,
    sampler: asLd(slipped(1, Math.SQRT1_2)),
    part: { target: "eight_gaussians", overrides: { steps: 4000, burnIn: 2000 } },
  });
  const failed = rows.filter(({ verdict }) => verdict === "fail").map(({ metric }) => metric);
  assert.ok(failed.includes("within_mode_variance"), failed.join());
});

for (const [slip, drift, noise] of [["drift", 0.9, 1], ["noise", 1, 1.1]] as const) {
  Deno.test(`runCheck() fails 10 % of the ${slip} on a grid by the mean energy`, async () => {
    const rows = await rowsOf({
      seed: 0,
      sampler: asLd(slipped(drift, noise)),
      part: { target: "eight_gaussians", overrides: { chains: 8, steps: 6000, burnIn: 2000 } },
    });
    const energy = rows.find(({ metric }) => metric === "energy");
    assert.equal(energy?.verdict, "fail", JSON.stringify(energy));
  });
}

Deno.test("targetsOf() is every target of a rule whose moves are checked, and those of the parts of another", () => {
  const suite = {
    parts: [
      { target: "bivariate", samplers: ["ld"] },
      { target: "eight_gaussians", samplers: ["ld", "mala"] },
    ],
    samplers: SAMPLERS,
    targets: { bivariate: bivariateGaussian, eight_gaussians: eightGaussians },
    chains: [],
    movers: [SAMPLERS.ld],
    gaps: [],
  };
  assert.deepEqual(targetsOf(suite, ["langevin"]), ["bivariate", "eight_gaussians"]);
  assert.deepEqual(targetsOf(suite, ["metropolis"]), ["eight_gaussians"]);
  assert.deepEqual(targetsOf(suite, ["mirror"]), []);
});

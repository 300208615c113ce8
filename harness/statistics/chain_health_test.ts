import assert from "node:assert/strict";
import { draws, keyOf } from "../core/noise.ts";
import {
  acceptanceAtBiasLimit,
  type ChainMeasurements,
  judgeChain,
  LEAST_ACCEPTANCE,
  summarizeChain,
  type Verdict,
} from "./chain_health.ts";
import { mean } from "./summary.ts";

/** Mean acceptance of independent draws z and z' of Euler's stationary distribution at eta lambda = 1, by simulation. */
function simulatedAcceptance(dimension: number, count: number): number {
  const normal = draws(keyOf(dimension), {
    counter: 0,
    count: 2 * dimension * count,
    kind: "normal",
  });
  const squares = (i: number) =>
    normal.subarray(i * dimension, (i + 1) * dimension).reduce((sum, x) => sum + x * x, 0);
  // The variance is 1 / (1 - 1/2) = 2, so that (eta / 4) (|g'|^2 - |g|^2) is half the difference of chi-squared variables.
  return mean(Array.from(
    { length: count },
    (_, i) => Math.min(1, Math.exp((squares(2 * i) - squares(2 * i + 1)) / 2)),
  ));
}

Deno.test("acceptanceAtBiasLimit() is the acceptance at eta L = 1, or a little less in few dimensions", () => {
  for (const [dimension, below] of [[8, 0.04], [32, 0.01], [128, 0.01]]) {
    const simulated = simulatedAcceptance(dimension, 20_000); // to 0.5 / sqrt(20,000) = 0.0035, four times
    const limit = acceptanceAtBiasLimit(dimension);
    assert.ok(
      limit < simulated + 0.014 && limit > simulated - below - 0.014,
      `${limit}, ${simulated}`,
    );
  }
  assert.ok(Math.abs(acceptanceAtBiasLimit(1e8) - LEAST_ACCEPTANCE) < 1e-4);
});

/** 100 healthy chains. */
const HEALTHY = {
  chain: "posterior",
  dimension: 32,
  steps: 20,
  stepSize: 0.01,
  curvature: Array.from({ length: 100 }, (_, i) => 10 + i / 10),
  acceptance: Array.from({ length: 100 }, (_, i) => 0.85 + 0.05 * (i % 2)),
  drift: Array.from({ length: 100 }, (_, i) => 4 * (i % 2) - 2),
  virial: Array.from({ length: 100 }, (_, i) => 32 + 16 * (i % 2) - 8),
} satisfies ChainMeasurements;

Deno.test("summarizeChain() gives quantiles, means, and standard errors; no test of rest for a single chain", () => {
  const { stability, acceptance, drift, virial, count } = summarizeChain(HEALTHY);
  assert.equal(count, 100);
  assert.ok(stability && virial && acceptance && drift);
  assert.ok(Math.abs(stability.quantile90 - 0.189) < 1e-12); // the 90th of 100 curvatures: 18.9
  assert.ok(Math.abs(stability.largest - 0.199) < 1e-12);
  assert.ok(Math.abs(acceptance.mean - 0.875) < 1e-12);
  assert.deepEqual([drift.mean, virial.mean], [0, 1]);
  // 0.25 either side: a deviation of 0.25 sqrt(100 / 99), over 10.
  assert.ok(Math.abs((virial.standardError ?? 0) - 0.025 * Math.sqrt(100 / 99)) < 1e-12);

  const one = { curvature: [1], acceptance: [0], drift: [99], virial: [99] };
  const single = summarizeChain({ ...HEALTHY, ...one });
  assert.deepEqual(single.acceptance, { mean: 0, standardError: null });
  assert.ok(!("drift" in single) && !("virial" in single));
  assert.equal(judgeChain(single).verdict, "healthy");
});

const CASES: readonly (readonly [what: string, Partial<ChainMeasurements>, Verdict])[] = [
  ["nothing wrong", {}, "healthy"],
  ["eta L of 0.99", { curvature: Array(100).fill(99) }, "healthy"],
  ["eta L of 1", { curvature: Array(100).fill(100) }, "biased"],
  ["eta L of 2", { curvature: Array(100).fill(200) }, "unstable"],
  [
    "eta L of 2 for a twentieth",
    { curvature: HEALTHY.curvature.map((l, i) => i < 5 ? 200 : l) },
    "healthy",
  ],
  ["acceptance 0.55 in 32 dimensions", { acceptance: Array(100).fill(0.55) }, "biased"],
  ["acceptance 0.45", { acceptance: Array(100).fill(0.45) }, "unstable"],
  ["acceptance 0.45 with a large error", {
    acceptance: HEALTHY.acceptance.map((_, i) => i % 2 * 0.9),
  }, "healthy"],
  ["drift of 5 nats", { drift: HEALTHY.drift.map((d) => d + 5) }, "not at rest"],
  ["drift of 3 nats: less than a tenth of the dimension", {
    drift: HEALTHY.drift.map((d) => d + 3),
  }, "healthy"],
  ["virial 1.15", { virial: HEALTHY.virial.map((v) => v * 1.15) }, "not at rest"],
  ["virial 0.85", { virial: HEALTHY.virial.map((v) => v * 0.85) }, "not at rest"],
  ["virial 1.09", { virial: HEALTHY.virial.map((v) => v * 1.09) }, "healthy"],
  [
    "a curvature that is not finite",
    { curvature: HEALTHY.curvature.map((l, i) => i ? l : NaN) },
    "unstable",
  ],
  ["an acceptance that is not finite", { acceptance: [...HEALTHY.acceptance, NaN] }, "unstable"],
  ["a drift that is not finite", { drift: [...HEALTHY.drift, Infinity] }, "unstable"],
  ["an energy that overflows", { virial: [...HEALTHY.virial, 1e300] }, "unstable"],
  ["too short and too long steps", {
    curvature: Array(100).fill(300),
    virial: HEALTHY.virial.map((v) => v * 9),
  }, "unstable"],
];

for (const [what, change, verdict] of CASES) {
  Deno.test(`judgeChain() ${what}: ${verdict}`, () => {
    const judgement = judgeChain(summarizeChain({ ...HEALTHY, ...change }));
    assert.equal(judgement.verdict, verdict, judgement.reasons.join());
    assert.equal(judgement.reasons.length > 0, verdict !== "healthy");
  });
}

Deno.test("judgeChain() judges a chain whose rule is not Langevin's by eta L alone", () => {
  const { acceptance: _acceptance, drift: _drift, virial: _virial, ...rest } = HEALTHY;
  const still = summarizeChain(rest);
  assert.ok(!("acceptance" in still || "drift" in still || "virial" in still));
  assert.equal(judgeChain(still).verdict, "healthy");
  const steep = summarizeChain({ ...rest, curvature: rest.curvature.map((l) => l * 1e3) });
  assert.equal(judgeChain(steep).verdict, "unstable");
});

Deno.test("summarizeChain() pools the measurements of chains on images, and has null for what is not finite", () => {
  const ofThree = (...values: number[]) => values;
  const { images } = summarizeChain({
    ...HEALTHY,
    images: {
      energy: { data: ofThree(1, 2, 3), start: ofThree(5, 5, 5), end: ofThree(1, NaN, 1) },
      gradientNorm: { start: ofThree(3, 4, 5), end: ofThree(Infinity, 1, 1) },
      saturated: { data: ofThree(0, 0, 0.3), start: ofThree(0, 0, 0), end: ofThree(1, 1, 1) },
      squaredDistance: ofThree(0.04, 0.04, 0.04),
    },
  });
  assert.deepEqual(images?.energy, {
    data: { mean: 2, standardError: 1 / Math.sqrt(3) },
    start: { mean: 5, standardError: 0 },
    end: null,
  });
  assert.deepEqual(images?.gradientNorm, { start: 4, end: null });
  assert.deepEqual(images?.saturated, { data: 0.09999999999999999, start: 0, end: 1 });
  assert.equal(images?.distance, 0.2);
});

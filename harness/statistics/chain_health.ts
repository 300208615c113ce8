/**
 * Whether a Langevin chain z' = z - eta g + sqrt(2 eta) xi, g = grad U(z), still samples exp(-U). Four numbers, each with its
 * distribution at rest and a threshold from theory. On a Gaussian of precision lambda the chain is an autoregression with the
 * factor 1 - eta lambda, which is where the thresholds are from.
 *
 * - Stability: the chain has a stationary distribution only for eta lambda < 2, and its variance is then 1 / (lambda (1 - eta
 *   lambda / 2)). L is the largest curvature of U.
 * - Acceptance: A = mean min(1, alpha), log alpha = U(z) - U(z') + (g + g').(z' - z) / 2 - (eta / 4) (|g'|^2 - |g|^2), the
 *   acceptance ratio of Metropolis-adjusted Langevin (Roberts and Tweedie 1996).
 * - Drift: U at the end of a chain minus U halfway has mean 0 over chains at rest, whatever U is.
 * - Virial: z'_i^2 and z_i^2 have equal means at rest, so that E[z.g - (eta / 2) |g|^2] = d, whatever U and eta are.
 *
 * @module
 */
import type { ChainHealth, Estimate, ImageChainHealth } from "../core/records.ts";
import { mean, sampleStd } from "./summary.ts";

/** eta L from which there is no stationary distribution. */
export const STABILITY_LIMIT = 2;

/** eta L from which variances in the stiffest direction are at least doubled: 1 / (1 - 1/2). */
export const BIAS_LIMIT = 1;

/** eta L from which training warns: variances a third too large, 1 / (1 - 1/4), while L grows as decoders learn. */
export const WARNING_LIMIT = 0.5;

/**
 * Standard errors beyond which a mean is not due to chance: 6e-5 of normal draws. A table of 7 methods, 3 chains, 3 seeds and
 * 3 tests has 200 of them, hence a false alarm in 80 tables.
 */
export const ERRORS = 4;

/** Share of the dimension below which the drift (in nats) and the error of the virial are too small to mark. */
export const TOLERANCE = 0.1;

/**
 * The least acceptance of a chain at rest. On a Gaussian all terms of log alpha but the last cancel, and the last one changes
 * sign when z and z' are exchanged, which leaves their distribution at rest as it is (the chain is a reversible
 * autoregression): half of the moves have log alpha >= 0, and are accepted.
 */
export const LEAST_ACCEPTANCE = 0.5;

/**
 * Acceptance on an isotropic Gaussian in `dimension` d dimensions at eta lambda = BIAS_LIMIT, where z' is independent of z: log
 * alpha = (chi - chi') / 2 with chi-squared variables of d degrees, about N(0, d), and E min(1, exp(s X)) = 1/2 + exp(s^2 / 2)
 * Phi(-s), of which this is Birnbaum's lower bound (1942). A chain at rest that accepts less has more than one direction
 * beyond the limit.
 */
export function acceptanceAtBiasLimit(dimension: number): number {
  return LEAST_ACCEPTANCE +
    Math.SQRT2 / Math.sqrt(Math.PI) / (Math.sqrt(dimension) + Math.sqrt(dimension + 4));
}

/** Verdicts from the best to the worst. */
export const VERDICTS = ["healthy", "not at rest", "biased", "unstable"] as const;

export type Verdict = typeof VERDICTS[number];

/** A verdict with what led to it, a few words each; empty for a healthy chain. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly reasons: readonly string[];
}

/** Judges a chain by the worst of its numbers. */
export function judgeChain(health: ChainHealth): Judgement {
  const found = [
    ...judgeStability(health),
    ...judgeAcceptance(health),
    ...judgeRest(health),
  ];
  const verdict = VERDICTS.findLast((verdict) => found.some((one) => one.verdict === verdict));
  return { verdict: verdict ?? "healthy", reasons: found.map(({ reason }) => reason) };
}

interface Finding {
  readonly verdict: Verdict;
  readonly reason: string;
}

function judgeStability({ stability }: ChainHealth): Finding[] {
  if (stability === null) return [{ verdict: "unstable", reason: "not finite" }];
  const reason = `step size × curvature ${stability.quantile90.toPrecision(3)}`;
  if (stability.quantile90 >= STABILITY_LIMIT) return [{ verdict: "unstable", reason }];
  if (stability.quantile90 >= BIAS_LIMIT) return [{ verdict: "biased", reason }];
  return [];
}

function judgeAcceptance({ acceptance, dimension }: ChainHealth): Finding[] {
  if (acceptance === undefined) return [];
  if (acceptance === null) return [{ verdict: "unstable", reason: "not finite" }];
  if (acceptance.standardError === null) return [];
  const most = acceptance.mean + ERRORS * acceptance.standardError;
  const reason = `acceptance ${acceptance.mean.toPrecision(3)}`;
  if (most < LEAST_ACCEPTANCE) return [{ verdict: "unstable", reason }];
  if (most < acceptanceAtBiasLimit(dimension)) return [{ verdict: "biased", reason }];
  return [];
}

function judgeRest({ drift, virial, dimension }: ChainHealth): Finding[] {
  const findings: Finding[] = [];
  if (drift === null || virial === null) {
    findings.push({ verdict: "unstable", reason: "not finite" });
  }
  if (drift && isFar(drift, { from: 0, tolerance: TOLERANCE * dimension })) {
    const reason = `energy drift ${drift.mean.toPrecision(3)} nats`;
    findings.push({ verdict: "not at rest", reason });
  }
  if (virial && isFar(virial, { from: 1, tolerance: TOLERANCE })) {
    findings.push({ verdict: "not at rest", reason: `virial ${virial.mean.toPrecision(3)}` });
  }
  return findings;
}

function isFar(
  { mean, standardError }: Estimate,
  { from, tolerance }: { readonly from: number; readonly tolerance: number },
): boolean {
  return Math.abs(mean - from) > Math.max(tolerance, ERRORS * (standardError ?? Infinity));
}

/** Measurements of chains, a number each. */
export interface ChainMeasurements
  extends Pick<ChainHealth, "chain" | "dimension" | "steps" | "stepSize"> {
  /** L, [count]. */
  readonly curvature: readonly number[];
  /** Mean of min(1, alpha) over the last half of the steps, [count]; absent, as the next two, unless the rule is Langevin's. */
  readonly acceptance?: readonly number[];
  /** U at the end minus U halfway, nats, [count]. */
  readonly drift?: readonly number[];
  /** Mean of z.g - (eta / 2) |g|^2 over the last half of the steps, [count]. */
  readonly virial?: readonly number[];
  /** Of a chain on images. */
  readonly images?: ImageMeasurements;
}

/** Measurements of chains on images: U, |grad U| and the share of saturated pixels of each image or chain. */
interface ImageMeasurements {
  readonly energy: Readonly<Record<"data" | "start" | "end", readonly number[]>>;
  readonly gradientNorm: Readonly<Record<"start" | "end", readonly number[]>>;
  readonly saturated: Readonly<Record<"data" | "start" | "end", readonly number[]>>;
  /** Mean over pixels of the squared way from start to end, in shares of the range. */
  readonly squaredDistance: readonly number[];
}

/** The numbers that a record keeps. */
export function summarizeChain(
  { chain, dimension, steps, stepSize, curvature, ...measured }: ChainMeasurements,
): ChainHealth {
  const count = curvature.length;
  const stability = curvature.map((l) => l * stepSize).sort((a, b) => a - b);
  return {
    chain,
    count,
    dimension,
    steps,
    stepSize,
    stability: stability.every(Number.isFinite)
      ? { quantile90: stability[Math.ceil(0.9 * count) - 1], largest: stability[count - 1] }
      : null,
    ...measured.acceptance && { acceptance: estimate(measured.acceptance) },
    // The numbers of a single chain have no spread to judge them by.
    ...count > 1 && measured.drift && { drift: estimate(measured.drift) },
    ...count > 1 && measured.virial && {
      virial: estimate(measured.virial.map((v) => v / dimension)),
    },
    ...measured.images && { images: summarizeImages(measured.images) },
  };
}

function summarizeImages(
  { energy, gradientNorm, saturated, squaredDistance }: ImageMeasurements,
): ImageChainHealth {
  return {
    energy: {
      data: estimate(energy.data),
      start: estimate(energy.start),
      end: estimate(energy.end),
    },
    gradientNorm: {
      start: finiteMean(gradientNorm.start),
      end: finiteMean(gradientNorm.end),
    },
    saturated: {
      data: finiteMean(saturated.data),
      start: finiteMean(saturated.start),
      end: finiteMean(saturated.end),
    },
    distance: finiteMean([Math.sqrt(mean(squaredDistance))]),
  };
}

/** Null where the mean is not finite. */
function finiteMean(values: readonly number[]): number | null {
  const found = mean(values);
  return Number.isFinite(found) ? found : null;
}

/** Null where a value, or their square, is not finite. */
function estimate(values: readonly number[]): Estimate | null {
  const deviation = sampleStd(values);
  const found = {
    mean: mean(values),
    standardError: deviation === null ? null : deviation / Math.sqrt(values.length),
  };
  return Number.isFinite(found.mean) && Number.isFinite(found.standardError ?? 0) ? found : null;
}

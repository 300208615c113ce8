/**
 * Decisions of a Metropolis test against their probabilities: a chain's proposals follow from its positions and normal draws, and so
 * does the probability of each to be accepted, wherever the chain is.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { createNoise, foldIn, keyOf } from "../core/noise.ts";
import type { ToyRow } from "../core/toy_report.ts";
import type { Sampler, Target } from "../core/toy_types.ts";
import type { Matrix, State } from "../core/types.ts";
import { cholesky, solveLower } from "../linalg/cholesky.ts";
import { evaluator, logRatioTerms, proposalFrom } from "./acceptance.ts";
import { largestRow } from "./known_values.ts";
import { type ChainOptions, initialState, resolveSettings } from "./run_chains.ts";

/** Moves of each chain, from a standard normal start. */
const MOVES = 16;
/** Decisions of all chains and points: with half of them open, a rate is known to 0.2 %. */
const DECISIONS = 100_000;
/** Terms of the log ratio that count as no more than this: a few proposals from far away decide nothing. */
const LARGEST_TERM = 3;
/** Added to the probability of a rejection in weights: decisions that are nearly certain are rare events, not evidence. */
const OPENNESS = 0.05;

/** Relative variance of what no linear combination of the terms should be trusted with. */
const COLLINEAR = 1e-3;

/**
 * `decisions` says how far the decisions are from their probabilities, as a normal score: chi-square of the correlations of what is
 * left with 1 and with the terms of the log ratio, so that a wrong constant in front of any of them shows.
 */
export async function runDecisions(
  sampler: Sampler,
  { target, device, seed }: Omit<ChainOptions, "overrides"> & { readonly target: Target },
): Promise<ToyRow> {
  const chains = Math.ceil(DECISIONS / (MOVES * target.points));
  const settings = resolveSettings(sampler, {
    target,
    overrides: { chains, steps: MOVES, burnIn: 0, thin: 1 },
  });
  const { stepSize } = settings;
  const key = foldIn(foldIn(foldIn(keyOf(seed), "decisions"), target.name), sampler.name);
  const start = await initialState(sampler, { target, settings, key });
  await using program = await device.compile(({ state: all, inputs }) => {
    const noise = createNoise(foldIn(key, "draws"), inputs.step as tf.Scalar);
    const parameters = Object.fromEntries(
      Object.keys(target.parameters).map((name) => [name, all[`target/${name}`]]),
    );
    const at = evaluator(target, parameters);
    let state: State = Object.fromEntries(
      Object.entries(all).filter(([name]) => !name.startsWith("target/")),
    );
    const accepted: tf.Tensor[] = [];
    const terms: tf.Tensor[] = [];
    for (let t = 0; t < MOVES; t++) {
      const draws = Object.fromEntries(
        Object.entries(sampler.draws(target, settings)).map(([name, { shape, kind }]) =>
          [name, noise.split(name, t)[kind](shape)] as const
        ),
      );
      const x = at(sampler.latents(state, target));
      const y = at(proposalFrom(x, draws.xi, stepSize));
      const before = countsOf(sampler, state);
      state = sampler.step(state, { target, parameters, settings, draws, step: tf.scalar(t) });
      accepted.push(tf.sub(countsOf(sampler, state), before));
      terms.push(tf.stack(logRatioTerms(x, y, stepSize), -1));
    }
    return { outputs: { accepted: tf.stack(accepted), terms: tf.stack(terms) } };
  }, {
    state: Object.fromEntries(
      Object.entries(start).map(([name, { shape, dtype }]) => [name, { shape, dtype }]),
    ),
    inputs: { step: { shape: [], dtype: "int32" } },
  });
  const { outputs: { accepted, terms } } = await program.run(await device.upload(start), {
    step: { shape: [], dtype: "int32", data: Int32Array.of(0) },
  });
  const score = scoreOf(accepted.data, terms.data);
  return { experiment: target.name, sampler: sampler.name, ...largestRow("decisions", score) };
}

/** The normal score of decisions, 0 or 1, whose log ratios are the sums of `terms` [decisions, terms]. */
function scoreOf(accepted: ArrayLike<number>, terms: ArrayLike<number>): number {
  const width = terms.length / accepted.length;
  const size = width + 1;
  const sums = Array<number>(size).fill(0);
  const covariance = sums.map(() => Array<number>(size).fill(0));
  for (let i = 0; i < accepted.length; i++) {
    const own = Array.from({ length: width }, (_, k) => terms[i * width + k]);
    const probability = Math.min(1, Math.exp(own.reduce((a, b) => a + b)));
    const weight = 1 / (1 - probability + OPENNESS);
    const features = [1, ...own].map((v) =>
      weight * Math.max(-LARGEST_TERM, Math.min(LARGEST_TERM, v))
    );
    const variance = probability * (1 - probability);
    features.forEach((feature, k) => {
      sums[k] += (accepted[i] - probability) * feature;
      for (let l = 0; l <= k; l++) covariance[k][l] += variance * feature * features[l];
    });
  }
  return normalScore(sums, covariance);
}

/** Chi-square of `sums` with the lower triangle of their covariance, by its cube root. Wilson and Hilferty 1931. */
function normalScore(sums: readonly number[], covariance: Matrix): number {
  const count = sums.length;
  const scale = sums.map((_, k) => Math.sqrt(covariance[k][k]));
  // Terms may depend on each other, as on a Gaussian: a little is added to each variance.
  const correlation = covariance.map((row, k) =>
    row.map((_, l) =>
      k === l ? 1 + COLLINEAR : covariance[Math.max(k, l)][Math.min(k, l)] / scale[k] / scale[l]
    )
  );
  const white = solveLower(cholesky(correlation), sums.map((sum, k) => sum / scale[k]));
  const square = white.reduce((sum, v) => sum + v * v, 0);
  const spread = 2 / (9 * count);
  return (Math.cbrt(square / count) - 1 + spread) / Math.sqrt(spread);
}

/** Proposals that each point has accepted so far, [chains * points]. */
function countsOf({ name, accepted }: Sampler, state: State): tf.Tensor {
  if (!accepted) throw new RangeError(`Sampler ${name} has no Metropolis test`);
  return accepted(state);
}

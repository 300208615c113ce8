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
import type { State } from "../core/types.ts";
import { evaluator, logProposalRatio, proposalFrom } from "./acceptance.ts";
import { largestRow } from "./known_values.ts";
import { initialState, resolveSettings } from "./run_chains.ts";
import type { SuiteOptions } from "./run_sampler.ts";

/** Moves of each chain, from a standard normal start. */
const MOVES = 16;
/** Decisions of all chains and points: with half of them open, a rate is known to 0.1 %. */
const DECISIONS = 200_000;
/** Changes of the energy that count as no more than this: a few proposals from far away decide nothing. */
const LARGEST_CHANGE = 3;

/**
 * `decisions` is the largest correlation of the decisions, less their probabilities, with 1, with the change of the energy and
 * with that of the proposal's density, in standard errors.
 */
export async function runDecisions(
  sampler: Sampler,
  { target, device, seed }: SuiteOptions & { readonly target: Target },
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
    const records: { accepted: tf.Tensor; energy: tf.Tensor; proposal: tf.Tensor }[] = [];
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
      records.push({
        accepted: tf.sub(countsOf(sampler, state), before),
        energy: tf.reshape(tf.sub(y.energy, x.energy), [-1]),
        proposal: tf.reshape(logProposalRatio(x, y, stepSize), [-1]),
      });
    }
    const stacked = (name: "accepted" | "energy" | "proposal") =>
      tf.stack(records.map((record) => record[name]));
    return {
      outputs: {
        accepted: stacked("accepted"),
        energy: stacked("energy"),
        proposal: stacked("proposal"),
      },
    };
  }, {
    state: Object.fromEntries(
      Object.entries(start).map(([name, { shape, dtype }]) => [name, { shape, dtype }]),
    ),
    inputs: { step: { shape: [], dtype: "int32" } },
  });
  const { outputs: { accepted, energy, proposal } } = await program.run(
    await device.upload(start),
    { step: { shape: [], dtype: "int32", data: Int32Array.of(0) } },
  );
  const bounded = (v: number) => Math.max(-LARGEST_CHANGE, Math.min(LARGEST_CHANGE, v));
  const sums = [0, 0, 0];
  const variances = [0, 0, 0];
  for (let i = 0; i < accepted.data.length; i++) {
    const probability = Math.min(1, Math.exp(proposal.data[i] - energy.data[i]));
    const features = [1, bounded(energy.data[i]), bounded(proposal.data[i])];
    features.forEach((feature, k) => {
      sums[k] += (accepted.data[i] - probability) * feature;
      variances[k] += probability * (1 - probability) * feature ** 2;
    });
  }
  const largest = Math.max(...sums.map((sum, k) => Math.abs(sum) / Math.sqrt(variances[k])));
  return { experiment: target.name, sampler: sampler.name, ...largestRow("decisions", largest) };
}

/** Proposals that each point has accepted so far, [chains * points]. */
function countsOf({ name, accepted }: Sampler, state: State): tf.Tensor {
  if (!accepted) throw new RangeError(`Sampler ${name} has no Metropolis test`);
  return accepted(state);
}

/**
 * Chains of the methods against the exact distribution of their ends, for each start.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import { createNoise, foldIn, keyOf } from "../core/noise.ts";
import { symmetricEigen } from "../linalg/symmetric_eigen.ts";
import type { ToyRow } from "../core/toy_report.ts";
import type { GaussianTarget, MethodChain } from "../core/toy_types.ts";
import type { HostArray } from "../core/types.ts";
import { expectedAcceptance } from "./acceptance.ts";
import { type Estimate, independent, knownRow, type Row } from "./known_values.ts";
import type { SuiteOptions } from "./suite_options.ts";

/** Coordinates of all chains and points that a call follows. */
const PER_CALL = 20_000;
/** 200,000 coordinates know a variance to 0.3 %. */
const CALLS = 10;

/** Runs `chain` from standard normal starts, and judges where its chains end. */
export async function runMethodChain(
  chain: MethodChain,
  { target, device, seed }: SuiteOptions & { readonly target: GaussianTarget },
): Promise<ToyRow[]> {
  const { points, dim } = target;
  const chains = Math.ceil(PER_CALL / (points * dim));
  const calls = await runCalls(chain, { target, device, seed, chains });
  const rows = displacementRows(calls, { chain, target });
  const stepSize = chain.proposalStepSize?.(target);
  if (stepSize !== undefined) {
    const [{ start: starts }] = calls;
    const expected = await expectedAcceptance(target, { starts, stepSize, joint: true, device });
    rows.push(acceptanceRow(calls, expected));
  }
  return rows.map((row) => ({ experiment: target.name, sampler: chain.name, ...row }));
}

/** Starts and ends of a call, [chains, points, dim], and the acceptance rate of each chain. */
interface Call {
  readonly start: HostArray;
  readonly end: HostArray;
  readonly acceptance?: HostArray;
}

async function runCalls(
  chain: MethodChain,
  { target, device, seed, chains }: SuiteOptions & {
    readonly target: GaussianTarget;
    readonly chains: number;
  },
): Promise<Call[]> {
  const shape = [chains, target.points, target.dim];
  const key = foldIn(foldIn(keyOf(seed), "method chain"), chain.name);
  await using program = await device.compile(({ inputs }) => {
    const noise = createNoise(key, inputs.step as tf.Scalar);
    const start = noise.split("start").normal(shape) as tf.Tensor3D;
    const { z, acceptance } = chain.run(start, { target, noise: noise.split("moves") });
    return { outputs: { start, end: z, ...(acceptance && { acceptance }) } };
  }, { state: {}, inputs: { step: { shape: [], dtype: "int32" } } });
  let state = await device.upload({});
  const calls: Call[] = [];
  for (let call = 0; call < CALLS; call++) {
    const step = { shape: [], dtype: "int32", data: Int32Array.of(call) } as const;
    const result = await program.run(state, { step });
    state = result.state;
    const { start, end, acceptance } = result.outputs;
    calls.push({ start, end, ...(acceptance && { acceptance }) });
  }
  return calls;
}

/**
 * `drift` is the slope of the displacements over their expected values, by weighted least squares; `noise` is the mean square of the
 * residuals over their variance.
 */
function displacementRows(
  calls: readonly Call[],
  { chain, target: { points, dim, answer } }: {
    readonly chain: MethodChain;
    readonly target: GaussianTarget;
  },
): Row[] {
  const { values, vectors } = symmetricEigen(answer.covariance);
  let [count, information, projection, squares] = [0, 0, 0, 0];
  for (const { start, end } of calls) {
    for (let at = 0; at < start.data.length; at += dim) {
      const mean = answer.means[at / dim % points];
      vectors.forEach((vector, k) => {
        const along = (f: (i: number) => number) => vector.reduce((sum, v, i) => sum + v * f(i), 0);
        const distance = along((i) => start.data[at + i] - mean[i]);
        const moved = along((i) => end.data[at + i] - start.data[at + i]);
        const expected = chain.displacement(distance, { precision: 1 / values[k], points });
        count++;
        information += expected.mean ** 2 / expected.variance;
        projection += expected.mean * moved / expected.variance;
        squares += (moved - expected.mean) ** 2 / expected.variance;
      });
    }
  }
  const noise = { value: squares / count, error: Math.sqrt(2 / count) };
  const drift = { value: projection / information, error: 1 / Math.sqrt(information) };
  return [
    ...(information > 0 ? [knownRow("drift", { ...drift, expected: 1, exact: null })] : []),
    knownRow("noise", { ...noise, expected: 1, exact: null }),
  ];
}

function acceptanceRow(calls: readonly Call[], expected: Estimate): Row {
  const rates = calls.flatMap(({ acceptance }) => acceptance ? [...acceptance.data] : []);
  const own = independent(rates);
  // Where nearly all proposals are accepted, one more or less is what can happen.
  const error = Math.hypot(own.error, 1 / rates.length, expected.error);
  return knownRow("acceptance", {
    value: own.value,
    error,
    expected: expected.value,
    exact: null,
  });
}

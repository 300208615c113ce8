/**
 * Writes what goes into one step of every method, for ci/parity/methods.py to make the same step in PyTorch:
 *
 *     deno run --allow-read --allow-env ci/parity/methods_inputs.ts > inputs.json
 *     python ci/parity/methods.py inputs.json fixtures/parity/methods.json
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { openDevice } from "../../harness/engine/device.ts";
import { createNoise, keyOf } from "../../harness/core/noise.ts";
import type { HostArray, Hyperparams, Method, Problem } from "../../harness/core/types.ts";
import { encodeArrays, recordNoise } from "../../methods/testing/replay.ts";
import {
  initialState,
  takeRows,
  toyHyper,
  toyImages,
  train,
} from "../../methods/testing/tiny_problem.ts";
import { METHODS } from "../../methods/mod.ts";

/** Colour images, so that no channel axis is 1; steps before the one that is compared, so that no optimizer slot is 0. */
const problem: Problem = {
  image: { height: 8, width: 8, channels: 3 },
  trainCount: 12,
  batchSize: 4,
};
const WARM_STEPS = 3;
const small: Hyperparams = { width: 0.03, featureDim: 100, inputDim: 6, learnSigma: true };

const CASES: readonly (readonly [keyof typeof METHODS, Hyperparams])[] = [
  ["vae", {}],
  ["vae", { likelihood: "discretized_logistic", nets: "mlp", width: 0.008 }],
  ["vae_flow", {}],
  ["abp", {}],
  ["dlgm", {}],
  ["lebm", { decay: 0.9 }],
  ["lae", { decayPower: 0.55, decaySteps: 2 }],
  ["lae", { learning: "ml", innerSteps: 3 }],
  // A step size at which some moves are rejected.
  ["lae", {
    variant: "neurips",
    nets: "mlp",
    likelihood: "discretized_logistic",
    width: 0.008,
    chainStepSize: 0.35,
  }],
];

const device = await openDevice("tfjs-cpu", { threads: 1 });
const images = toyImages(problem.trainCount, problem.image);
const cases = [];
for (const [name, overrides] of CASES) {
  const method = METHODS[name];
  const hyper = toyHyper(method, { ...small, ...overrides });
  const { state } = await train(method, {
    device,
    problem,
    hyper,
    images,
    seed: 1,
    steps: [0, WARM_STEPS],
    state: await initialState(method, { problem, hyper, seed: 1 }),
  });
  const rows = Int32Array.from([8, 1, 5, 10]);
  const step = Int32Array.of(WARM_STEPS);
  const inputs: Record<string, HostArray> = {
    images: takeRows(images, [...rows]),
    rows: { shape: [rows.length], dtype: "int32", data: rows },
    step: { shape: [], dtype: "int32", data: step },
  };
  const tensor = ({ data, shape, dtype }: HostArray) => tf.tensor(data, shape as number[], dtype);
  const stepTensor = tensor(inputs.step) as tf.Scalar;
  const { noise, draws } = recordNoise(createNoise(keyOf(2), stepTensor));
  const batch = {
    images: tensor(inputs.images) as tf.Tensor4D,
    rows: tensor(inputs.rows) as tf.Tensor1D,
    step: stepTensor,
    chains: {},
  };
  const entries = Object.entries(state).map(([name, array]) => [name, tensor(array)]);
  method.step(Object.fromEntries(entries), batch, hyper, noise);
  cases.push({
    name: [name, ...Object.entries(overrides).map(([k, v]) => `${k}=${v}`)].join(" "),
    method: name,
    problem,
    hyper,
    state: encodeArrays(state),
    inputs: encodeArrays(inputs),
    noise: encodeArrays(draws),
  });
}
console.log(JSON.stringify(cases));

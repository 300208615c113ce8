/**
 * Writes what goes into one step of every method, for ci/parity/methods.py to make the same step in PyTorch:
 *
 *     deno run --allow-read --allow-ffi=node_modules --allow-env ci/parity/methods_inputs.ts > inputs.json
 *     python ci/parity/methods.py inputs.json fixtures/parity/methods.json
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import { openDevice } from "../../harness/engine/device.ts";
import { createNoise, keyOf } from "../../harness/core/noise.ts";
import { unflatten } from "../../harness/core/tree.ts";
import type { HostArray, Hyperparams, Problem } from "../../harness/core/types.ts";
import { toTensor, toTensors } from "../../harness/core/host_arrays.ts";
import { encodeArrays, recordNoise } from "../../methods/testing/replay.ts";
import {
  initialState,
  takeRows,
  tinyHyper,
  tinyImages,
  train,
} from "../../methods/testing/tiny_problem.ts";
import { METHODS } from "../../methods/mod.ts";

/** Colour images, so that no channel axis is 1; steps before the one that is compared, so that no optimizer slot is 0. */
const COLOUR: Problem = {
  image: { height: 8, width: 8, channels: 3 },
  trainCount: 12,
  batchSize: 4,
  classCount: 3,
};
const WARM_STEPS = 3;
const small: Hyperparams = { width: 0.03, featureDim: 100, inputDim: 6, learnSigma: true };

/** Grey images with networks that other sizes do not have. */
const image28 = { height: 28, width: 28, channels: 1 };

const CASES: readonly (readonly [string, Hyperparams, Partial<Problem>?])[] = [
  ["vae", {}],
  ["vae", { likelihood: "discretized_logistic", nets: "mlp", width: 0.008 }],
  ["vae_flow", {}],
  ["abp", {}],
  ["dlgm", {}],
  ["lebm", { decay: 0.9 }],
  ["lae", { decayPower: 0.55, decaySteps: 2 }],
  ["lae", { learning: "ml", innerSteps: 3, temperature: 0 }],
  // A step size at which some moves are rejected.
  ["lae_neurips", {
    nets: "mlp",
    likelihood: "discretized_logistic",
    width: 0.008,
    chainStepSize: 0.35,
  }],
  // Some chains restart, some drifts and pixels are clipped.
  ["ebm", {
    nets: "xie2022",
    width: 0.016,
    bufferSize: 6,
    restart: 0.5,
    temperature: 1e-4,
    driftLimit: 0.02,
  }],
  ["iwae", { importanceSamples: 3 }],
  // A step that adds to the sums of the search, and one that chooses.
  ["sri", {}],
  ["sri", { nets: "mlp", width: 0.008, searchEvery: WARM_STEPS + 1, noise: false }],
  ["sri_layers", {}],
  ["hvae", { integratorSteps: 2 }],
  ["hvae", { integratorSteps: 2, tempering: "free" }],
  ["langevin_vae", { integratorSteps: 2, momentumNoise: 0.5 }],
  ["langevin_vae", { integratorSteps: 1, scheme: "euler" }],
  ["lfbm", { latentDim: 4, decay: 0.9, flowDepth: 2 }],
  // A gradient that is clipped, and rates that still rise.
  ["coopflow", {
    nets: "small_xie2021",
    width: 0.25,
    flowLearningRate: 0.02,
    energyLearningRate: 0.1,
    warmUpSteps: 10,
    energyPenalty: 0.1,
    temperature: 1e-4,
    driftLimit: 1e-3,
  }],
  ["coopflow", {
    nets: "small_xie2021",
    width: 0.25,
    dequantization: "variational",
    flowLearningRate: 0.02,
    energyLearningRate: 0.1,
    temperature: 1e-4,
    driftLimit: 1e-3,
  }, { image: { height: 8, width: 8, channels: 1 } }],
  ["coopvaebm", {
    klWeight: 3,
    decay: 0.9,
    energyPenalty: 0.1,
    energyLearningRate: 0.03,
    learningRate: 0.03,
  }],
  ["coopvaebm", {
    conditional: true,
    norm: "batch",
    energyLearningRate: 0.03,
    temperature: 1,
    driftLimit: 0.2,
    langevinStepSize: 1e-3,
  }],
  ["ebm", { nets: "xie2021", bufferSize: 4, energyPenalty: 0.1, learningRate: 0.03 }],
  ["coopvaebm", {
    width: 0.012,
    conditional: true,
    norm: "batch",
    energyLearningRate: 0.03,
    learningRate: 0.03,
  }, {
    image: image28,
  }],
];

const device = await openDevice("tfjs-cpu", { threads: 1 });
const cases = [];
for (const [name, overrides, own] of CASES) {
  const problem: Problem = { ...COLOUR, ...own };
  const images = tinyImages(problem.trainCount, problem.image);
  const method = METHODS[name];
  const known = Object.entries(small).filter(([key]) => key in method.defaults);
  const hyper = tinyHyper(method, { ...Object.fromEntries(known), ...overrides });
  const model = method.build(problem, hyper);
  const { state } = await train(model, {
    device,
    problem,
    images,
    seed: 1,
    steps: [0, WARM_STEPS],
    state: await initialState(model, 1),
  });
  const rows = Int32Array.from([8, 1, 5, 10]);
  const step = Int32Array.of(WARM_STEPS);
  const inputs: Record<string, HostArray> = {
    images: takeRows(images, [...rows]),
    rows: { shape: [rows.length], dtype: "int32", data: rows },
    step: { shape: [], dtype: "int32", data: step },
    labels: { shape: [rows.length], dtype: "int32", data: rows.map((row) => row % 3) },
  };
  const batch = {
    images: toTensor<tf.Tensor4D>(inputs.images),
    rows: toTensor<tf.Tensor1D>(inputs.rows),
    step: toTensor<tf.Scalar>(inputs.step),
    chains: {},
    labels: toTensor<tf.Tensor1D>(inputs.labels),
  };
  const { noise, draws } = recordNoise(createNoise(keyOf(2), batch.step));
  model.step(unflatten(toTensors(state)), batch, noise);
  cases.push({
    name: [
      name,
      ...Object.entries(overrides).map(([k, v]) => `${k}=${v}`),
      ...own?.image ? [`${own.image.height}x${own.image.width}`] : [],
    ].join(" "),
    method: name,
    problem,
    hyper,
    state: encodeArrays(state),
    inputs: encodeArrays(inputs),
    noise: encodeArrays(draws),
  });
}
console.log(JSON.stringify(cases));

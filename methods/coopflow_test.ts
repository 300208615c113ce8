/** CoopFlow against closed forms of its chain, and at its fixed points. */
import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { createNoise, draws, foldIn, keyOf } from "../harness/core/noise.ts";
import { unflatten } from "../harness/core/tree.ts";
import type { HostArray, HostArrays, Model, Problem } from "../harness/core/types.ts";
import { openDevice } from "../harness/engine/device.ts";
import { mean, sampleStd } from "../harness/statistics/summary.ts";
import { coopflow } from "./coopflow.ts";
import { toTensor, toTensors } from "../harness/core/host_arrays.ts";
import { dequantizer, type DequantizerParams } from "./parts/dequantizer.ts";
import { recordNoise, replayNoise } from "./testing/replay.ts";
import {
  entriesThatImagesChange,
  initialState,
  TINY_PROBLEM,
  tinyHyper,
  tinyImages,
  train,
} from "./testing/tiny_problem.ts";

const noiseOf = (seed: number) => createNoise(keyOf(seed), tf.scalar(0, "int32"));

/** Images of four pixels. */
const FOUR: Problem = {
  image: { height: 2, width: 2, channels: 1 },
  trainCount: 256,
  batchSize: 256,
};

/** Independent pixels, each uniform about its own mean: in the middle of the range, where clips do not matter. */
function fourPixels(): HostArray {
  const key = foldIn(keyOf(0), "four pixels");
  const uniform = draws(key, { counter: 0, count: FOUR.trainCount * 4, kind: "uniform" });
  const data = uniform.map((u, i) => 0.4 + 0.05 * (i % 4) + 0.2 * (u - 0.5));
  return { shape: [FOUR.trainCount, 2, 2, 1], dtype: "float32", data };
}

/** Trains from `from`, or the initial state, over the steps that `steps` gives, first and last (exclusive). */
async function trained(
  overrides: Partial<typeof coopflow.defaults>,
  steps: readonly [number, number],
  from?: HostArrays,
) {
  const hyper = tinyHyper(coopflow, { nets: "moments", ...overrides });
  const model: Model = coopflow.build(FOUR, hyper);
  await using device = await openDevice("cpu", { threads: 1 });
  const { state, history } = await train(model, {
    device,
    problem: FOUR,
    images: fourPixels(),
    seed: 0,
    steps,
    state: from ?? await initialState(model, 0),
  });
  return { model, state, history };
}

Deno.test("the chain moves the flow's samples along the affine closed form of f = a . x + b . x^2", async () => {
  await tf.setBackend("cpu");
  const [t, stepSize, a, b] = [6, 0.05, 0.2, -1.5];
  const model: Model = coopflow.build(
    FOUR,
    tinyHyper(coopflow, {
      nets: "moments",
      langevinSteps: t,
      langevinStepSize: stepSize,
      driftLimit: 10,
    }),
  );
  const flat = toTensors(await initialState(model, 0));
  const weight = tf.concat([tf.fill([4, 1], a), tf.fill([4, 1], b)]);
  const state = unflatten({ ...flat, "energy/net/0/weight": weight });
  const [flow] = model.alternatives ?? [];
  const [samples, proposals] = [model, flow].map(({ sample }) =>
    tf.sub(tf.mul(sample(state, { count: 50, chains: {} }, noiseOf(1)), 2), 1)
  );
  const [rest, factor] = [-a / (2 * b), (1 + 2 * b * stepSize) ** t];
  const expected = tf.add(tf.mul(tf.sub(proposals, rest), factor), rest);
  const [worst] = tf.max(tf.abs(tf.sub(samples, expected))).dataSync();
  assert.ok(worst < 1e-5, `off by ${worst}`);
});

Deno.test("step() teaches the flow without data: other images change the energy alone", async () => {
  const differ = await entriesThatImagesChange(coopflow);
  assert.ok(differ.length > 0);
  for (const name of differ) assert.match(name, /^(adam\/)?energy\//);
});

Deno.test("at T = 0 the flow learns from its own samples, and its likelihood of them does not drift", async () => {
  // Proposals are clipped to [-1, 1], a slow drift of its own: 0.01 bits in 200 steps at ten times this rate.
  const still = { langevinSteps: 0, warmUpSteps: 0, flowLearningRate: 1e-5 };
  const { history } = await trained(still, [0, 200]);
  // Each step's mean over 256 samples of the flow as it is: independent draws about one value, if it only walks.
  const bits = history.map(({ bitsPerDim }) => bitsPerDim);
  const [early, late] = [bits.slice(0, 100), bits.slice(100)];
  const error = Math.hypot(...[early, late].map((part) => (sampleStd(part) ?? NaN) / 10));
  const drift = mean(late) - mean(early);
  assert.ok(Math.abs(drift) <= 3 * error, `${drift} bits per dimension, standard error ${error}`);
});

Deno.test("at the fixed point the revised images have the data's means and second moments, though five steps without noise do not mix", async () => {
  const at = (energyLearningRate: number, flowLearningRate: number) => ({
    langevinSteps: 5,
    langevinStepSize: 0.25,
    driftLimit: 1,
    warmUpSteps: 0,
    energyLearningRate,
    flowLearningRate,
  });
  // Long steps reach the fixed point, steps a tenth as long come to rest there.
  const near = await trained(at(0.03, 5e-3), [0, 200]);
  const { model, state } = await trained(at(0.003, 5e-4), [200, 300], near.state);
  const count = 4000;
  const tree = unflatten(toTensors(state));
  const samples = tf.reshape(model.sample(tree, { count, chains: {} }, noiseOf(3)), [count, 4]);
  const { data } = fourPixels();
  const images = tf.tensor2d(Float32Array.from(data), [FOUR.trainCount, 4]);
  for (const power of [1, 2]) {
    const [own, wanted] = [samples, images].map((x) => tf.mean(tf.pow(x, power), 0).dataSync());
    const spread = tf.moments(tf.pow(samples, power), 0).variance.sqrt().dataSync();
    own.forEach((value, i) => {
      const tolerance = 0.02 * wanted[i] + 3 * spread[i] / Math.sqrt(count);
      const off = Math.abs(value - wanted[i]);
      assert.ok(off <= tolerance, `moment ${power} of pixel ${i} is off by ${off}, > ${tolerance}`);
    });
  }
});

Deno.test("the flow's likelihood bounds p(x) of the grey levels from below, with uniform and with learned noise", async () => {
  await tf.setBackend("cpu");
  const modelOf = (dequantization: string): Model =>
    coopflow.build(FOUR, tinyHyper(coopflow, { nets: "moments", dequantization }));
  const [uniform, learned] = ["uniform", "variational"].map(modelOf);
  const flat = toTensors(await initialState(learned, 0));
  // The noise between levels becomes far from uniform, and different for each pixel.
  const moved = Object.entries(flat).map(([name, w]) => {
    const xi = noiseOf(6).split(name).normal(w.shape);
    return [name, name.startsWith("adam") ? w : tf.add(w, tf.mul(xi, 0.05))] as const;
  });
  const state = unflatten(Object.fromEntries(moved));
  const image = tf.tensor4d([0, 51, 128, 255].map((level) => level / 255), [1, 2, 2, 1]);
  const logWeights = (model: Model, count: number, noise = noiseOf(7)): Float32Array => {
    const [flow] = model.alternatives ?? [];
    assert.ok(flow.logDensity);
    return flow.logDensity(state, tf.tile(image, [count, 1, 1, 1]), noise).dataSync<"float32">();
  };
  // p(x): the integral of the density over the levels, 256^-4 wide, by the midpoints of 4^4 cells.
  const cells = 4 ** 4;
  const grid = Float32Array.from({ length: cells * 4 }, (_, i) => {
    const [cell, pixel] = [Math.floor(i / 4), i % 4];
    return (Math.floor(cell / 4 ** pixel) % 4 + 0.5) / 4;
  });
  const levels = { shape: [cells, 2, 2, 1], dtype: "float32", data: grid } as const;
  const middles = logWeights(uniform, cells, replayNoise(noiseOf(7), { levels }));
  const exact = Math.log(mean([...middles].map((log) => Math.exp(log))));
  const count = 2000;
  const weights = [...logWeights(uniform, count)].map((log) => Math.exp(log - exact));
  const error = (sampleStd(weights) ?? NaN) / Math.sqrt(count);
  assert.ok(error < 0.01 && Math.abs(mean(weights) - 1) < 4 * error, `${mean(weights)}`);
  // Learned: a draw u of q(u | x) has the weight p(v) / q(u | x), and q is a density (methods/parts/dequantizer_test.ts).
  const { noise, draws } = recordNoise(noiseOf(8));
  const ofLearned = logWeights(learned, count, noise);
  const { u, logDensity } = dequantizer(FOUR.image, {
    channels: 8,
    blocks: 2,
    attention: false,
    components: 0,
    weightNorm: false,
    auxiliaryChannels: 3,
  }).draw(state.dequantizer as DequantizerParams, {
    images: tf.tile(image, [count, 1, 1, 1]),
    xi: toTensor(draws.levels),
  });
  const atDraws = {
    levels: { shape: u.shape, dtype: "float32", data: u.dataSync<"float32">() },
  } as const;
  const ofDraws = logWeights(uniform, count, replayNoise(noiseOf(8), atDraws));
  const logQ = logDensity.dataSync();
  for (const [i, log] of ofLearned.entries()) {
    // Float32 keeps a sum of some 30 nats to 1e-5.
    assert.ok(Math.abs(log - (ofDraws[i] - logQ[i])) < 1e-4, `${log} of draw ${i}`);
  }
  assert.ok(mean([...logQ]) > 0.1, "the noise is far from uniform");
  for (const logs of [weights.map(Math.log), [...ofLearned].map((log) => log - exact)]) {
    const tolerance = 4 * (sampleStd(logs) ?? NaN) / Math.sqrt(count);
    assert.ok(mean(logs) < tolerance, `${mean(logs)} nats above log p(x)`);
  }
});

Deno.test("the noise between grey levels is learned at the published size, and there alone unless asked for", () => {
  const isLearned = (overrides: Partial<typeof coopflow.defaults>) => {
    const model: Model = coopflow.build(
      TINY_PROBLEM,
      tinyHyper(coopflow, { width: 0.02, ...overrides }),
    );
    return "dequantizer" in model.init(noiseOf(0));
  };
  assert.ok(isLearned({ nets: "xie2022" }));
  assert.ok(isLearned({ nets: "small", dequantization: "variational" }));
  assert.ok(!isLearned({ nets: "xie2022", dequantization: "uniform" }));
  for (const nets of ["small", "small_xie2021", "moments"]) assert.ok(!isLearned({ nets }), nets);
});

Deno.test("CoopFlow(Pre): the flow alone learns from data, then the energy alone, then both, each by its own count of steps", async () => {
  await tf.setBackend("cpu");
  const rates = { energyLearningRate: 0.01, flowLearningRate: 0.002 };
  const overrides = { flowOnlySteps: 1, energyOnlySteps: 1, warmUpSteps: 0, ...rates };
  const model: Model = coopflow.build(TINY_PROBLEM, tinyHyper(coopflow, overrides));
  const { trainCount, image } = TINY_PROBLEM;
  const images = tinyImages(trainCount, image);
  const dark = { ...images, data: images.data.map((v) => v / 2) };
  await using device = await openDevice("cpu", { threads: 1 });
  const stepFrom = async (state: HostArrays, step: number, seen = images) =>
    (await train(model, {
      device,
      problem: TINY_PROBLEM,
      images: seen,
      seed: 0,
      steps: [step, step + 1],
      state,
    })).state;
  /** The largest change of the parameters, and of Adam's means, of `part`. */
  const changes = (before: HostArrays, after: HostArrays, part: string) =>
    [`${part}/`, `adam/${part}/`].map((start) =>
      Math.max(
        ...Object.keys(before).filter((name) => name.startsWith(start)).flatMap((name) =>
          Array.from(after[name].data, (value, i) => Math.abs(value - before[name].data[i]))
        ),
      )
    );
  const states = [await initialState(model, 0)];
  for (const step of [0, 1, 2]) states.push(await stepFrom(states[step], step));
  const [flow, energy] = ["flow", "energy"].map((part) =>
    [0, 1, 2].map((step) => changes(states[step], states[step + 1], part))
  );
  assert.deepEqual([energy[0], flow[1]], [[0, 0], [0, 0]]);
  for (const change of [flow[0], energy[1], flow[2], energy[2]].flat()) assert.ok(change > 0);
  // The first step of Adam moves a parameter by its rate, whatever the gradient; later ones by another way.
  const isFirst = (change: number, rate: number) => Math.abs(change / rate - 1) < 1e-3;
  assert.ok(isFirst(flow[0][0], rates.flowLearningRate), `${flow[0]}`);
  assert.ok(isFirst(energy[1][0], rates.energyLearningRate), `${energy[1]}`);
  const [own] = changes(states[1], await stepFrom(states[0], 0, dark), "flow");
  assert.ok(own > 0, "the flow does not see the data in its own steps");
});

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs";
import { createNoise, keyOf } from "../harness/core/noise.ts";
import { flatten, unflatten } from "../harness/core/tree.ts";
import type { Hyperparams, Method, Problem } from "../harness/core/types.ts";
import { openDevice } from "../harness/engine/device.ts";
import { conformanceOf, SMALL_PROBLEM } from "../harness/testing/conformance.ts";
import { METHODS } from "./mod.ts";
import { initialState, tinyHyper } from "./testing/tiny_problem.ts";

/** Values of hyperparameters that change a step, by method; every method is also tested at its defaults. */
const VARIANTS: Readonly<Record<string, readonly Hyperparams[]>> = {
  vae: [
    { likelihood: "discretized_logistic" },
    { nets: "mlp" },
    { nets: "mlp", optimizer: "sgd" },
    { nets: "linear" },
  ],
  abp: [{ persistent: true, learnSigma: true }],
  lae: [
    { learning: "ml", innerSteps: 3 },
    { chainCount: 5, decayPower: 0.55 },
    { nets: "linear" },
  ],
  hvae: [{ tempering: "free" }],
  langevin_vae: [{ scheme: "euler", momentumNoise: 1, nets: "mlp" }],
  sri: [{ searchEvery: 0, noise: false }, { searchEvery: 2, nets: "mlp" }],
  coopflow: [
    { nets: "small", langevinSteps: 0 },
    { nets: "small", warmUpSteps: 0, temperature: 1 },
    { nets: "small", dequantization: "variational" },
  ],
  coopvaebm: [{ conditional: true }, { norm: "batch", temperature: 1 }, { nets: "moments" }],
  lfbm: [{ learnSigma: true, flowDepth: 1, nets: "mlp" }],
  lae_neurips: [{ nets: "mlp", likelihood: "discretized_logistic", chainStepSize: 1e-6 }],
};

for (const method of Object.values(METHODS)) {
  for (const hyper of [{}, ...VARIANTS[method.name] ?? []]) {
    for (const { name, run } of conformanceOf(method, { hyper })) Deno.test(name, run);
  }
}

/** Images of 28x28, for which these have networks of their own. */
const OF_28: Readonly<Record<string, Hyperparams>> = {
  coopvaebm: { width: 0.03, norm: "batch" },
  ebm: { width: 0.03, nets: "xie2021" },
};

for (const [name, hyper] of Object.entries(OF_28)) {
  const problem = { ...SMALL_PROBLEM, image: { height: 28, width: 28, channels: 1 } };
  for (const { name: test, run } of conformanceOf(METHODS[name], { hyper, problem })) {
    Deno.test(`28x28 ${test}`, run);
  }
}

Deno.test("METHODS: each key is the method's name, and VARIANTS names methods of the table", () => {
  for (const [name, method] of Object.entries(METHODS)) assert.equal(method.name, name);
  for (const name of Object.keys(VARIANTS)) assert.ok(name in METHODS, name);
});

/** The values that `method` knows for the hyperparameter `nets`, as its error lists them; none if it has no such choice. */
function familiesOf(method: Method): string[] {
  if (!("nets" in method.defaults)) return [];
  try {
    method.build(SMALL_PROBLEM, { ...method.defaults, nets: "" });
  } catch (error) {
    return (error as Error).message.replace(/.*known values are /, "").split(", ");
  }
  throw new Error(`${method.name} builds without networks`);
}

Deno.test("METHODS: image sizes of the paper work with every family of networks that each has", async () => {
  await tf.setBackend("cpu");
  await using device = await openDevice("cpu", { threads: 1 });
  const smallest = {
    width: 0.02,
    priorSteps: 1,
    langevinSteps: 1,
    sampleSteps: 1,
    bufferSize: 2,
    flowDepth: 1,
    flowBlocks: 1,
  };
  for (const method of Object.values(METHODS)) {
    for (const [size, nets] of [32, 64].flatMap((s) => familiesOf(method).map((n) => [s, n]))) {
      const image = { height: Number(size), width: Number(size), channels: 3 };
      const hyper = withKnown(method, { ...smallest, nets });
      const model = method.build({ image, trainCount: 10, batchSize: 2 }, hyper);
      const inputs = { draw: { shape: [], dtype: "int32" } } as const;
      // Traced, not run: a flow at its published size takes minutes in eager mode.
      await using _program = await device.compile(({ state, inputs }) => {
        const noise = createNoise(keyOf(0), inputs.draw as tf.Scalar);
        const images = model.sample(unflatten(state), { count: 2, chains: {} }, noise);
        assert.deepEqual(images.shape, [2, size, size, 3], `${method.name} ${nets}`);
        return { outputs: { images } };
      }, { state: await initialState(model, 0), inputs });
    }
  }
});

/** The defaults of `method` under those of `overrides` that it has. */
function withKnown(method: Method, overrides: Hyperparams): Hyperparams {
  const known = Object.entries(overrides).filter(([key]) => key in method.defaults);
  return { ...method.defaults, ...Object.fromEntries(known) };
}

/** Values that no method may accept for a hyperparameter of this name, and the beginning of the error. */
const REFUSED: readonly (readonly [name: RegExp, value: number | string, message: string])[] = [
  [
    /^(latentDim|featureDim|inputDim|innerSteps|flowCount|chainSteps|importanceSamples|layerCount|flowDepth|testSteps)$/,
    0,
    "must be an integer >= 1, got 0",
  ],
  [/(?<!decay)(Steps|Count|Dim|Samples)$/, 1.5, "must be an integer >= "],
  [/(?<!decay)(Steps|Count|Dim|Samples)$/, -1, "must be an integer >= "],
  [/^(width|sigma|decay|damping)$/, 0, "must be > 0, got 0"],
  [/([sS]tepSize|[lL]earningRate)$/, 0, "must be > 0, got 0"],
  [/([sS]tepSize|[lL]earningRate)$/, -1, "must be > 0, got -1"],
  [/([sS]tepSize|[lL]earningRate)$/, Infinity, "must be > 0, got Infinity"],
  [/^(energyPenalty|decayPower|temperature)$/, -1, "must be >= 0, got -1"],
  [/^restart$/, 2, "must be in [0, 1], got 2"],
  [/^sigma$/, 4, "must be in [0.001, 3], got 4"],
];

Deno.test("build() refuses what cannot work, in one line that names the hyperparameter", () => {
  let refusals = 0;
  for (const method of Object.values(METHODS)) {
    const good = withKnown(method, { width: 0.125 });
    const refuse = (overrides: Hyperparams, start: string, problem: Problem = SMALL_PROBLEM) => {
      assert.throws(
        () => method.build(problem, { ...good, ...overrides }),
        (error) => error instanceof RangeError && error.message.startsWith(start),
        `${method.name} ${JSON.stringify(overrides)}: not "${start}..."`,
      );
      refusals++;
    };
    method.build(SMALL_PROBLEM, good);
    for (const [pattern, value, message] of REFUSED) {
      for (const key of Object.keys(good).filter((key) => pattern.test(key))) {
        refuse({ [key]: value }, `${key} ${message}`);
      }
    }
    for (const key of Object.keys(good).filter((key) => typeof good[key] === "string")) {
      refuse({ [key]: "nothing" }, `Unknown ${key} "nothing": known values are `);
    }
    if ("nets" in good) {
      // CoopVAEBM has networks for 28x28.
      for (const side of method.name === "coopvaebm" ? [20] : [20, 28]) {
        const odd = { ...SMALL_PROBLEM, image: { height: side, width: side, channels: 1 } };
        refuse({}, `No network for images of ${side}x${side}: known sizes are `, odd);
      }
    }
  }
  assert.ok(refusals > 100, `only ${refusals} refusals were tried`);
});

Deno.test("lae warns how far variances shrink without enough features, lae_neurips of a batch", () => {
  const problem = { ...SMALL_PROBLEM, trainCount: 4000, batchSize: 100 };
  const warningsOf = (method: Method, hyper: Hyperparams) =>
    method.build(problem, { ...method.defaults, ...hyper }).warnings;
  const { lae, lae_neurips } = METHODS;
  assert.deepEqual(warningsOf(lae, { featureDim: 100 }), [
    "100 encoder features for 4000 rows: variances shrink to 2.5 % on average",
    "100 latent sampler features for 4000 prior chains: variances shrink to 2.5 % on average",
  ]);
  assert.deepEqual(warningsOf(lae, { featureDim: 100, temperature: 10 }), [
    "100 encoder features for 4000 rows: variances shrink to 25 % on average",
    "100 latent sampler features for 4000 prior chains: variances shrink to 25 % on average",
  ]);
  assert.deepEqual(warningsOf(lae, { featureDim: 100, chainCount: 100, temperature: 0 }), [
    "100 encoder features for 4000 rows: at temperature 40 variances are right on average, chains are not independent",
  ]);
  assert.equal(warningsOf(lae, { featureDim: 1000, chainCount: 1000 })?.length, 1);
  assert.deepEqual(warningsOf(lae, { featureDim: 4000 }), []);
  assert.deepEqual(warningsOf(lae_neurips, { featureDim: 100 }), []);
  assert.deepEqual(warningsOf(lae_neurips, { featureDim: 99 }), [
    "99 encoder features for 100 rows a batch: variances shrink to 99 % on average",
  ]);
});

/** Entries of the state that training leaves as they are, by method; all others move. */
const FROZEN: Readonly<Record<string, RegExp>> = {
  abp: /^logSigma$/,
  dlgm: /^logSigma$/,
  lebm: /^logSigma$|energy\/1\/bias$/, // the level of the energy cancels in its loss
  lae: /^(features|sampler)\//,
  sri: /^(logSigma|stepScale)$/, // the step size moves every searchEvery steps
  sri_layers: /^(logSigma|stepScale)$/,
  coopflow: /energy\/([mv]\/)?head\/0\/bias$/, // as of lebm
  coopvaebm: /energy\/([mv]\/)?net\/2\/bias$/, // as of lebm
  lfbm: /^logSigma$|^pivots\//,
};

Deno.test("step() moves every entry of the state but those that are frozen", async () => {
  await tf.setBackend("cpu");
  for (const method of Object.values(METHODS)) {
    const hyper = withKnown(method, { ...tinyHyper(method), integratorSteps: 1 });
    const model = method.build(SMALL_PROBLEM, hyper);
    tf.tidy(() => {
      const noise = createNoise(keyOf(0), tf.scalar(0, "int32"));
      const { height, width, channels } = SMALL_PROBLEM.image;
      const before = model.init(noise.split("init"));
      let state = before;
      for (let t = 0; t < 2; t++) {
        const step = tf.scalar(t, "int32");
        const images = createNoise(keyOf(1), step).uniform<tf.Tensor4D>([
          8,
          height,
          width,
          channels,
        ]);
        const batch = { images, rows: tf.range(0, 8, 1, "int32"), step, chains: {} };
        state = model.step(state, batch, createNoise(keyOf(2), step)).state;
      }
      const after = flatten(state);
      for (const [name, tensor] of Object.entries(flatten(before))) {
        const [a, b] = [tensor.dataSync(), after[name].dataSync()];
        const moved = a.some((value, i) => value !== b[i]);
        const frozen = FROZEN[method.name]?.test(name) ?? false;
        assert.equal(moved, !frozen, `${method.name}: ${name} ${moved ? "moved" : "did not move"}`);
      }
    });
  }
});

Deno.test("deviations agree with the comments that begin with Deviation", () => {
  const files = [".", "parts", "samplers"].flatMap((room) =>
    readdirSync(`${import.meta.dirname}/${room}`)
      .filter((file) => file.endsWith(".ts") && !file.endsWith("_test.ts"))
      .map((file) => `${room}/${file}`)
  );
  const comments = files.flatMap((file) => {
    const text = readFileSync(`${import.meta.dirname}/${file}`, "utf8");
    return [...text.matchAll(/(?:\/\/|\*) Deviation: (.*)/g)].map((match) => match[1].trim());
  });
  const listed = new Set(Object.values(METHODS).flatMap((method) => method.deviations));
  assert.deepEqual(new Set(comments), listed);
});

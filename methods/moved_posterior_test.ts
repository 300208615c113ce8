/** The Hamiltonian VAE and the Langevin-VAE against closed forms: one latent, one pixel, and a posterior N(1, 1/4). */
import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { createNoise, keyOf } from "../harness/core/noise.ts";
import { flatten, unflatten } from "../harness/core/tree.ts";
import type { HostArrays, Hyperparams, Method, Model } from "../harness/core/types.ts";
import { hvae } from "./hvae.ts";
import { langevin_vae } from "./langevin_vae.ts";
import { toTensor, toTensors } from "../harness/core/host_arrays.ts";
import {
  initialState,
  takeRows,
  TINY_PROBLEM,
  tinyHyper,
  tinyImages,
} from "./testing/tiny_problem.ts";
import { vae } from "./vae.ts";

const problem = { image: { height: 1, width: 1, channels: 1 }, trainCount: 1, batchSize: 1 };
const small = { nets: "linear", latentDim: 1, sigma: 1 };

/** x = sqrt(3) z + e and x = 4 / sqrt(3): the posterior has precision 4 and mean 1. */
const SLOPE = Math.sqrt(3);
const PIXEL = 4 / SLOPE;
/** log N(x; 0, 4). */
const EVIDENCE = -0.5 * (PIXEL ** 2 / 4 + Math.log(2 * Math.PI * 4));

/** The model and its initial state with this decoder, and q_0 = N(0.2, 1). */
async function knownModel<H extends Hyperparams>(method: Method<H>, overrides: Hyperparams) {
  const model = method.build(problem, { ...method.defaults, ...small, ...overrides });
  const state: Record<string, HostArrays[string]> = { ...await initialState(model, 0) };
  const set = (name: string, ...values: number[]) =>
    state[name] = { ...state[name], data: Float32Array.from(values) };
  set("decoder/0/weight", SLOPE);
  set("decoder/0/bias", 0);
  set("encoder/0/weight", 0, 0);
  set("encoder/0/bias", 0.2, Math.log(Math.E - 1));
  return { model, state };
}

/** Log weights of `count` draws, less the evidence: the mean is minus the gap of the bound. */
async function gaps(
  { model, state }: { readonly model: Model; readonly state: HostArrays },
  count: number,
) {
  await tf.setBackend("cpu");
  const weights = tf.tidy(() => {
    const images = tf.fill([count, 1, 1, 1], (PIXEL + 1) / 2) as tf.Tensor4D;
    const noise = createNoise(keyOf(3), tf.scalar(0, "int32"));
    assert.ok(model.likelihood !== undefined);
    const weights = model.likelihood.logWeight(unflatten(toTensors(state)), images, noise);
    return weights.dataSync() as Float32Array;
  });
  const mean = weights.reduce((a, b) => a + b, 0) / count - EVIDENCE;
  const variance = weights.reduce((sum, w) => sum + (w - EVIDENCE - mean) ** 2, 0) / count;
  return { mean, error: Math.sqrt(variance / count) };
}

/** log of the normaliser of exp(-a (z - mu)^2 / 2) with a = 4, of which the ELBOs in the table are bounds. */
const LOG_Z = 0.5 * Math.log(2 * Math.PI / 4);

// ELBOs in closed form: moments of the linear dynamics from q_0 and N(0, T_0).
const langevin = (integratorSteps: number, integratorStepSize: number, friction: number) =>
  [langevin_vae as unknown as Method, { integratorSteps, integratorStepSize, friction }] as const;
const hamilton = (integratorSteps: number, tempering: string) =>
  [hvae as unknown as Method, { integratorSteps, integratorStepSize: 0.2, tempering }] as const;
const CASES: readonly (readonly [readonly [Method, Hyperparams], Hyperparams, number])[] = [
  [langevin(0, 0.1, 1), {}, -1.861061],
  [langevin(5, 0.1, 0.5), { scheme: "euler" }, -1.401049],
  [langevin(5, 0.1, 0.5), { scheme: "verlet" }, -1.599834],
  [langevin(5, 0.1, 0.5), { scheme: "euler", momentumNoise: 1 }, -1.631494],
  [langevin(5, 0.1, 0.5), { scheme: "verlet", momentumNoise: 1 }, -1.805278],
  [langevin(5, 0.2, 1), { scheme: "euler" }, -0.631685],
  [langevin(5, 0.2, 1), { scheme: "verlet" }, -0.47914],
  [langevin(5, 0.2, 1), { scheme: "euler", momentumNoise: 1 }, -1.380743],
  [langevin(5, 0.2, 1), { scheme: "verlet", momentumNoise: 1 }, -1.08127],
  [langevin(10, 0.1, 1), { scheme: "euler" }, -0.50261],
  [langevin(10, 0.1, 1), { scheme: "verlet" }, -0.462114],
  [langevin(10, 0.1, 1), { scheme: "euler", momentumNoise: 1 }, -1.162742],
  [langevin(10, 0.1, 1), { scheme: "verlet", momentumNoise: 1 }, -1.054564],
  [hamilton(1, "off"), {}, -1.844109],
  [hamilton(5, "off"), {}, -1.770955],
  [hamilton(5, "free"), {}, -0.724462],
];

Deno.test("logWeight() has the exact ELBO as mean, and none is above the evidence", async () => {
  for (const [[method, hyper], more, elbo] of CASES) {
    const name = `${method.name} ${JSON.stringify({ ...hyper, ...more })}`;
    const { mean, error } = await gaps(await knownModel(method, { ...hyper, ...more }), 20_000);
    const expected = elbo - LOG_Z;
    assert.ok(Math.abs(mean - expected) < 4 * error, `${name}: ${mean} +- ${error}, ${expected}`);
    assert.ok(mean < 4 * error, `${name}: ${mean} above the evidence`);
  }
});

Deno.test("step() has minus the exact ELBO as mean loss", async () => {
  const [[method, hyper], , elbo] = CASES[6];
  const count = 4000;
  const { model, state } = await knownModel(method, hyper);
  await tf.setBackend("cpu");
  const loss = tf.tidy(() => {
    const step = tf.scalar(0, "int32");
    const images = tf.fill([count, 1, 1, 1], (PIXEL + 1) / 2) as tf.Tensor4D;
    const batch = { images, rows: tf.zeros([count], "int32") as tf.Tensor1D, step, chains: {} };
    return model.step(unflatten(toTensors(state)), batch, createNoise(keyOf(4), step)).metrics.loss
      .dataSync()[0];
  });
  const { error } = await gaps({ model, state }, count);
  assert.ok(Math.abs(-loss - EVIDENCE - (elbo - LOG_Z)) < 4 * error, `${loss}`);
});

Deno.test("logWeight() without steps equals the VAE's", async () => {
  await tf.setBackend("cpu");
  const images = toTensor<tf.Tensor4D>(tinyImages(4, TINY_PROBLEM.image));
  const shared = { sigma: 0.5 };
  const state = unflatten(
    toTensors(await initialState(vae.build(TINY_PROBLEM, tinyHyper(vae, shared)), 0)),
  );
  const weightsOf = <H extends Hyperparams>(method: Method<H>, overrides: Partial<H>) => {
    const model = method.build(TINY_PROBLEM, tinyHyper(method, overrides));
    const { dynamics } = model.init(createNoise(keyOf(0), tf.scalar(0, "int32")));
    const noise = createNoise(keyOf(1), tf.scalar(0, "int32"));
    return [...model.likelihood!.logWeight({ ...state, dynamics }, images, noise).dataSync()];
  };
  const expected = weightsOf(vae, shared);
  for (
    const weights of [
      weightsOf(langevin_vae, { ...shared, integratorSteps: 0 }),
      weightsOf(hvae, { ...shared, integratorSteps: 0 }),
    ]
  ) {
    // The momentum adds and subtracts its density: 3 log sqrt(2 pi) in sums of 100 nats.
    weights.forEach((w, i) => assert.ok(Math.abs(w - expected[i]) < 1e-4, `${weights}`));
  }
});

// Through nested gradients of swish and tanh, which TensorFlow.js alone gets wrong by half.
for (const method of [langevin_vae, hvae] as unknown as Method[]) {
  Deno.test(`${method.name} step() differentiates through its dynamics as differences do`, async () => {
    const model = method.build(
      TINY_PROBLEM,
      tinyHyper(method, { integratorSteps: 2, integratorStepSize: 0.2, sigma: 0.5 }),
    );
    const state = await initialState(model, 0);
    // Larger outputs than initial ones, so that tanh is curved.
    state["decoder/2/weight"] = {
      ...state["decoder/2/weight"],
      data: Float32Array.from(state["decoder/2/weight"].data, (w) => 6 * w),
    };
    await tf.setBackend("cpu");
    const images = toTensor<tf.Tensor4D>(
      takeRows(tinyImages(32, TINY_PROBLEM.image), [0, 1]),
    );
    const stepAt = (arrays: HostArrays) => {
      const step = tf.scalar(0, "int32");
      const batch = { images, rows: tf.range(0, 2, 1, "int32"), step, chains: {} };
      return model.step(unflatten(toTensors(arrays)), batch, createNoise(keyOf(1), step));
    };
    const slots = tf.tidy(() => {
      const next = flatten(stepAt(state).state);
      return Object.fromEntries(Object.entries(next).map(([k, t]) => [k, t.dataSync().slice()]));
    });
    const names = [
      ...Object.keys(state).filter((name) => name.startsWith("dynamics/")),
      "decoder/1/weight",
      "encoder/2/bias",
    ];
    for (const name of names) {
      // Along the gradient itself, so that the slope is its length. Adam's first slot is half the gradient.
      const gradient = Array.from(slots[`adam/m/${name}`], (m) => 2 * m);
      const length = Math.hypot(...gradient);
      const lossAt = (h: number) =>
        tf.tidy(() =>
          stepAt({
            ...state,
            [name]: {
              ...state[name],
              data: Float32Array.from(state[name].data, (w, i) => w + h * gradient[i] / length),
            },
          }).metrics.loss.dataSync()[0]
        );
      const slopeAt = (h: number) => (lossAt(h) - lossAt(-h)) / (2 * h);
      const slope = (4 * slopeAt(0.05) - slopeAt(0.1)) / 3;
      // Float32 rounds a loss of 60 nats to 1e-5, and so the slope to some 3e-4.
      const error = Math.abs(slope - length);
      assert.ok(error < 5e-3 * length + 1e-3, `${name}: ${length}, by differences ${slope}`);
    }
  });
}

Deno.test("build() refuses dynamics that cannot work, in one line", () => {
  const refuse = (method: Method, overrides: Hyperparams, message: string) =>
    assert.throws(
      () => method.build(problem, { ...method.defaults, ...small, ...overrides }),
      (error) => error instanceof RangeError && error.message === message,
    );
  const [h, l] = [hvae, langevin_vae] as unknown as Method[];
  refuse(h, { integratorStepSize: 0.5 }, "integratorStepSize must be < 0.5, got 0.5");
  refuse(h, { startTemperature: 1 }, "startTemperature must be > 1, got 1");
  refuse(l, { friction: 0 }, "friction must be > 0, got 0");
  refuse(l, { momentumNoise: -1 }, "momentumNoise must be >= 0, got -1");
});

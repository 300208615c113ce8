import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs";
import { openDevice } from "../harness/engine/device.ts";
import { createNoise, keyOf } from "../harness/core/noise.ts";
import type { Device, HostArrays, Hyperparams, Method, Problem } from "../harness/core/types.ts";
import { initialState, TOY, toyHyper, toyImages, train } from "./testing/tiny_problem.ts";
import { METHODS } from "./mod.ts";

/** Every method, with its defaults and with each word that changes its step. */
const CASES: readonly (readonly [Method, Hyperparams])[] = [
  ...Object.values(METHODS).map((method) => [method, {}] as const),
  [METHODS.vae, { likelihood: "discretized_logistic" }],
  [METHODS.vae, { nets: "mlp" }],
  [METHODS.vae, { nets: "mlp", optimizer: "sgd" }],
  [METHODS.vae, { nets: "linear" }],
  [METHODS.abp, { persistent: true, learnSigma: true }],
  [METHODS.lae, { learning: "ml", innerSteps: 3 }],
  [METHODS.lae, { chainCount: 5, decayPower: 0.55 }],
  [METHODS.lae, { nets: "linear" }],
  [
    METHODS.lae,
    {
      variant: "neurips",
      nets: "mlp",
      likelihood: "discretized_logistic",
      chainStepSize: 1e-6,
      sgdLearningRate: 1e-3,
    },
  ],
];

const images = toyImages(TOY.trainCount, TOY.image);
const cpu = await openDevice("cpu", { threads: 1 });

function each(
  criterion: string,
  test: (method: Method, hyper: Hyperparams) => void | Promise<void>,
) {
  for (const [method, overrides] of CASES) {
    const words = Object.entries(overrides).map(([k, v]) => ` ${k}=${v}`).join("");
    Deno.test(`${method.name}${words} ${criterion}`, () =>
      test(method, toyHyper(method, overrides)));
  }
}

async function run(
  method: Method,
  { hyper, seed = 0, steps = [0, 3] as const, state, problem = TOY, device = cpu }: {
    hyper: Hyperparams;
    seed?: number;
    steps?: readonly [number, number];
    state?: HostArrays;
    problem?: Problem;
    device?: Device;
  },
) {
  const start = state ?? await initialState(method, { problem, hyper, seed });
  return await train(method, { device, problem, hyper, seed, images, steps, state: start });
}

each(
  "step() with the same seed gives the same bits, with another seed others",
  async (method, hyper) => {
    const first = await run(method, { hyper });
    assert.deepEqual(await run(method, { hyper }), first);
    const other = await run(method, { hyper, seed: 1 });
    assert.notDeepEqual(other.state["decoder/0/weight"].data, first.state["decoder/0/weight"].data);
  },
);

each("step() goes on from a saved state as if it had not stopped", async (method, hyper) => {
  const whole = await run(method, { hyper, steps: [0, 3] });
  const half = await run(method, { hyper, steps: [0, 2] });
  const rest = await run(method, { hyper, steps: [2, 3], state: half.state });
  assert.deepEqual(rest.state, whole.state);
  assert.deepEqual(rest.metrics, whole.metrics);
});

each(
  "step() keeps names, shapes and types of the state, and moves all but what is frozen",
  async (method, hyper) => {
    const before = await initialState(method, { problem: TOY, hyper, seed: 0 });
    const { state: after, metrics } = await run(method, { hyper });
    const spec = (state: HostArrays) =>
      Object.fromEntries(
        Object.entries(state).map(([k, { shape, dtype }]) => [k, { shape, dtype }]),
      );
    assert.deepEqual(spec(after), spec(before));
    const frozen = (name: string) =>
      ["image", "trainCount", "inputs"].includes(name) ||
      (hyper.variant !== "neurips" && /^(features|sampler)\//.test(name)) ||
      (name === "logSigma" && !hyper.learnSigma) ||
      // The level of the energy cancels in LEBM's loss.
      (method.name === "lebm" && name.endsWith("energy/1/bias"));
    for (const name of Object.keys(before)) {
      const same = Buffer.from(before[name].data.buffer).equals(
        Buffer.from(after[name].data.buffer),
      );
      assert.equal(same, frozen(name), `${name} ${same ? "did not move" : "moved"}`);
    }
    for (const [name, value] of Object.entries(metrics)) assert.ok(Number.isFinite(value), name);
    assert.ok("loss" in metrics && "squaredError" in metrics && "sigma" in metrics);
  },
);

each("step() lowers the loss within 40 steps", async (method, hyper) => {
  const faster = {
    ...hyper,
    ...("learningRate" in hyper ? { learningRate: 3e-3 } : { stepSize: 3e-3 }),
  };
  const first = await run(method, { hyper: faster, steps: [0, 1] });
  const last = await run(method, { hyper: faster, steps: [0, 40] });
  assert.ok(last.metrics.squaredError < 0.8 * first.metrics.squaredError);
});

each("step(), infer() take a batch of one", async (method, hyper) => {
  const problem = { ...TOY, batchSize: 1 };
  const { metrics } = await run(method, { hyper, problem, steps: [0, 1] });
  assert.ok(Number.isFinite(metrics.loss));
});

each(
  "sample(), infer(), decode() give images in [0, 1] and latents, for any count",
  async (method, hyper) => {
    const arrays = await initialState(method, { problem: TOY, hyper, seed: 0 });
    tf.tidy(() => {
      const state = Object.fromEntries(
        Object.entries(arrays).map((
          [k, a],
        ) => [k, tf.tensor(a.data, a.shape as number[], a.dtype)]),
      );
      const noise = createNoise(keyOf(0), tf.scalar(0, "int32"));
      for (const count of [1, 5]) {
        const samples = method.sample(state, count, hyper, noise.split("sample", count));
        assert.deepEqual(samples.shape, [count, 8, 8, 1]);
        const latents = method.infer(state, samples, hyper, noise.split("infer", count));
        assert.deepEqual(latents.shape, [count, hyper.latentDim]);
        // Latents far out, so that the decoder leaves the range unless it is cut.
        const decoded = method.decode(state, tf.mul(latents, 100), hyper);
        for (const pictures of [samples, decoded]) {
          const values = pictures.dataSync();
          assert.ok(values.every((v) => v >= 0 && v <= 1));
          assert.ok(values.some((v) => v !== values[0]));
        }
      }
    });
  },
);

each("step() compiled equals eager after 3 steps", async (method, hyper) => {
  await using tfjs = await openDevice("tfjs-cpu", { threads: 1 });
  const eager = await run(method, { hyper, device: tfjs });
  const compiled = await run(method, { hyper });
  for (const [name, { data }] of Object.entries(eager.state)) {
    // Float32 sums in another order: 1e-7 an operation, times some 1e3 terms; 1e-4 of the entry's largest value bounds it.
    const other = compiled.state[name].data;
    const values = Array.from(data);
    const scale = Math.max(1e-6, ...values.map(Math.abs));
    const worst = Math.max(...values.map((value, i) => Math.abs(value - other[i])));
    assert.ok(worst <= 1e-4 * scale, `${name} differs by ${worst / scale}`);
  }
});

Deno.test("init(), sample() and infer() make images of the paper's sizes with both families of nets", async () => {
  await tf.setBackend("cpu");
  for (const size of [32, 64]) {
    for (const nets of ["table2", "pang2020"]) {
      for (const method of [METHODS.lebm, METHODS.lae]) {
        tf.tidy(() => {
          const hyper = toyHyper(method, { width: 0.02, nets, posteriorSteps: 1 });
          const image = { height: size, width: size, channels: 3 };
          const noise = createNoise(keyOf(0), tf.scalar(0, "int32"));
          const problem = { image, trainCount: 10, batchSize: 2 };
          method.check?.(problem, hyper);
          const state = method.init(problem, hyper, noise.split("init"));
          const images = method.sample(state, 2, hyper, noise.split("sample"));
          assert.deepEqual(images.shape, [2, size, size, 3]);
          const latents = method.infer(state, images, hyper, noise.split("infer"));
          assert.deepEqual(latents.shape, [2, hyper.latentDim]);
        });
      }
    }
  }
});

Deno.test("warnings() of lae predicts how far variances shrink without enough features", () => {
  const problem = { ...TOY, trainCount: 4000, batchSize: 100 };
  const warn = (hyper: Hyperparams) =>
    METHODS.lae.warnings?.(problem, { ...METHODS.lae.defaults, ...hyper });
  assert.deepEqual(warn({ featureDim: 100 }), [
    "100 encoder features for 4000 rows: variances shrink to 2.5 % on average",
    "100 sampler features for 4000 prior chains: variances shrink to 2.5 % on average",
  ]);
  assert.equal(warn({ featureDim: 1000, chainCount: 1000 })?.length, 1);
  assert.deepEqual(warn({ featureDim: 4000 }), []);
  assert.deepEqual(warn({ featureDim: 100, variant: "neurips" }), []);
});

Deno.test("check() refuses what cannot work, in one line", () => {
  for (const method of Object.values(METHODS)) {
    const good = toyHyper(method);
    const refuse = (overrides: Hyperparams, message: RegExp, problem = TOY) => {
      assert.throws(
        () => method.check?.(problem, { ...good, ...overrides }),
        (error) => error instanceof RangeError && message.test(error.message),
        `${method.name} ${JSON.stringify(overrides)}`,
      );
    };
    method.check?.(TOY, good);
    refuse({ latentDim: 0 }, /^latentDim 0 is not an integer of at least 1$/);
    refuse({ latentDim: 2.5 }, /^latentDim 2.5 /);
    refuse({ width: 0 }, /^width 0 /);
    refuse({ sigma: 4 }, /^sigma 4 is outside/);
    refuse({ nets: "resnet" }, /^Unknown nets "resnet"/);
    if ("optimizer" in good) refuse({ optimizer: "lbfgs" }, /^Unknown optimizer "lbfgs"/);
    refuse({ likelihood: "poisson" }, /^Unknown likelihood "poisson"/);
    for (const name of ["energyPenalty", "decayPower"].filter((name) => name in good)) {
      refuse({ [name]: -1 }, new RegExp(`^${name} -1 is a negative number`));
    }
    const counts = Object.keys(good).filter((k) => /(?<!decay)(Steps|Count|Dim)$/.test(k));
    for (const name of counts) {
      refuse({ [name]: -1 }, new RegExp(`^${name} -1 `));
      refuse({ [name]: 1.5 }, new RegExp(`^${name} 1.5 is not an integer`));
    }
    const odd = { ...TOY, image: { height: 28, width: 28, channels: 1 } };
    refuse({}, /^No network for images of 28x28/, odd);
    for (
      const name of Object.keys(good).filter((k) => /(StepSize|stepSize|[lL]earningRate)$/.test(k))
    ) {
      refuse({ [name]: 0 }, new RegExp(`^${name} 0 is not a positive number$`));
      refuse({ [name]: -1 }, new RegExp(`^${name} -1 `));
      refuse({ [name]: NaN }, new RegExp(`^${name} NaN `));
    }
  }
});

Deno.test("METHODS has the rows of Table 1 in its order", () => {
  assert.deepEqual(Object.keys(METHODS), ["vae", "vae_flow", "abp", "dlgm", "lebm", "lae"]);
  for (const [name, method] of Object.entries(METHODS)) assert.equal(method.name, name);
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

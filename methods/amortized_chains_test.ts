/** `Model.amortized` of LAE and of its NeurIPS version: against theory at rest, and against a training step. */
import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { createImageSet } from "../harness/core/image_set.ts";
import { createNoise, keyOf } from "../harness/core/noise.ts";
import { flatten } from "../harness/core/tree.ts";
import type { AmortizedChains, Batch, HostArrays, Model, Tree } from "../harness/core/types.ts";
import { openDevice } from "../harness/engine/device.ts";
import { measureAmortization } from "../harness/run/amortization.ts";
import { lae } from "./lae.ts";
import { lae_neurips } from "./lae_neurips.ts";
import { toTensor } from "../harness/core/host_arrays.ts";
import { initialState, TINY_PROBLEM, tinyHyper, tinyImages } from "./testing/tiny_problem.ts";

const ROWS = 16;
const PIXELS = 4;
const LATENTS = 64;
const MOVES = 100;
/** eta of the amortized chains, and eta K, K = 16 the one eigenvalue of G G' that is not zero. */
const ETA = 1 / 64;
const FALL = ETA * ROWS;
/** eta of the free chains. */
const FREE_ETA = 0.05;

// Row i is the sign of each bit of i, so that the columns are orthogonal, G' G = 16 I, and every leverage is 4 / 16. Linear nets
// make the pixels the features. With a decoder of zeros the posterior is the prior, N(-w, I) for the energy w z: a constant that the
// features, orthogonal to it, cannot follow.
const image = { height: 1, width: PIXELS, channels: 1 };
const images = createImageSet({
  image,
  pixels: Uint8Array.from(
    { length: ROWS * PIXELS },
    (_, k) => Math.floor(k / PIXELS) >> (k % PIXELS) & 1 ? 255 : 0,
  ),
});

const PROBLEM = { image, trainCount: ROWS, batchSize: ROWS };
const LINEAR = { nets: "linear", latentDim: LATENTS, posteriorStepSize: FREE_ETA };
const DAMPING = 1e6; // so large that the preconditioner is constant: algorithm 2 as printed

/** Models whose amortized chains have the step size ETA. */
const MODELS: Readonly<Record<string, Model>> = {
  lae: lae.build(PROBLEM, {
    ...lae.defaults,
    ...LINEAR,
    inputDim: 4,
    damping: DAMPING,
    stepSize: ETA * ROWS * DAMPING,
  }),
  lae_neurips: lae_neurips.build(PROBLEM, {
    ...lae_neurips.defaults,
    ...LINEAR,
    chainStepSize: ETA * ROWS,
    metropolis: false,
  }),
};

/** The capability `amortized` of `model`. */
function amortizedOf<S extends Tree>({ amortized }: Model<S>): AmortizedChains<S> {
  if (amortized === undefined) throw new TypeError("The model has no amortized chains");
  return amortized;
}

/** Diagnostics of `model` at the stationary distribution of its chains. */
async function measure(model: Model) {
  const start = await initialState(model, 0);
  // Phi' = (1 - eta K) Phi + sqrt(2 eta) xi has the variance 2 eta / (1 - (1 - eta K)^2); it starts with 1 / d.
  const deviation = Math.sqrt(2 * ETA / (1 - (1 - FALL) ** 2));
  const state: HostArrays = Object.fromEntries(
    Object.entries(start).map(([name, array]) => {
      const factor = name === "phi"
        ? deviation * Math.sqrt(PIXELS)
        : name === "energy/0/weight"
        ? 3 * Math.sqrt(LATENTS) // from deviation 1 / sqrt(fan in) to 3
        : /^(decoder|energy)/.test(name)
        ? 0
        : 1;
      return [name, { ...array, data: array.data.map((v) => v * factor) }];
    }),
  );
  await using device = await openDevice("cpu", { threads: 1 });
  return await measureAmortization(await device.upload(state), {
    device,
    amortized: amortizedOf(model),
    images,
    trainCount: ROWS,
    batchSize: ROWS,
    epochs: 3,
    orderKey: keyOf(1),
    key: keyOf(2),
  });
}

/** The ratio that theory gives for a leverage of 4 / 16. */
function expectedRatio(): number {
  const rho = 1 - FALL;
  let time = 1; // of the mean of MOVES moves, in moves
  for (let k = 1; k < MOVES; k++) time += 2 * (1 - k / MOVES) * rho ** k;
  // Stationary variance h / (1 - eta K / 2), of which a window about its own mean sees (MOVES - time) / (MOVES - 1).
  const amortized = PIXELS / ROWS / (1 - FALL / 2) * (MOVES - time) / (MOVES - 1);
  // Free chains from one place, 1 / eta steps of w' = (1 - eta) w + sqrt(2 eta) xi.
  const steps = Math.ceil(1 / FREE_ETA);
  const free = 2 * FREE_ETA * (1 - (1 - FREE_ETA) ** (2 * steps)) / (1 - (1 - FREE_ETA) ** 2);
  return amortized / free;
}

for (const [name, model] of Object.entries(MODELS)) {
  Deno.test(`measureAmortization() of ${name} finds leverages, and the variance that they predict`, async () => {
    await tf.setBackend("cpu");
    const { features, rows, rank, leverage, varianceRatio, moves } = await measure(model);
    assert.deepEqual([features, rows, rank, moves], [PIXELS, ROWS, PIXELS, MOVES]);
    for (const h of Object.values(leverage)) assert.ok(Math.abs(h - PIXELS / ROWS) < 1e-12);
    // The probes' z are linear in 4 x 64 independent chains of some 100 / 7 independent moves each, the free ones in 8 x 64 x 7
    // degrees of freedom: sqrt(2 / 3600 + 2 / 3600) = 3.3 %, four times.
    const ratio = expectedRatio(); // about 0.3
    assert.ok(
      varianceRatio !== null && Math.abs(varianceRatio / ratio - 1) < 0.13,
      `measured ${varianceRatio}, theory ${ratio}`,
    );
  });
}

/** The largest difference between two states in each tensor that differs, by name. */
function differences(a: Tree, b: Tree): Record<string, number> {
  const [flatA, flatB] = [flatten(a), flatten(b)];
  const pairs = Object.keys(flatA).map((name) =>
    [name, Number(tf.max(tf.abs(tf.sub(flatA[name], flatB[name]))).dataSync()[0])] as const
  );
  return Object.fromEntries(pairs.filter(([, difference]) => difference > 0));
}

const STEP = 3;

// A step of lae_neurips has chainSteps + 1 moves, all of one minibatch and before anything learned changes.
const MOVE_CASES: readonly {
  readonly name: string;
  readonly model: Model;
  /** Where the step takes each move's noise from. */
  readonly paths: readonly (readonly (string | number)[])[];
}[] = [
  { name: "lae", model: lae.build(TINY_PROBLEM, tinyHyper(lae)), paths: [[]] },
  {
    name: "lae decayPower=0.5 decaySteps=2",
    model: lae.build(TINY_PROBLEM, tinyHyper(lae, { decayPower: 0.5, decaySteps: 2 })),
    paths: [[]],
  },
  {
    name: "lae_neurips chainSteps=1",
    model: lae_neurips.build(TINY_PROBLEM, tinyHyper(lae_neurips, { chainSteps: 1 })),
    paths: [["move", 0], ["move", 1]],
  },
];

for (const { name, model, paths } of MOVE_CASES) {
  Deno.test(`amortized.move() of ${name} moves Phi as a training step does, and nothing else`, async () => {
    await tf.setBackend("cpu");
    const step = tf.scalar(STEP, "int32");
    const noise = () => createNoise(keyOf(5), step);
    const start = model.init(createNoise(keyOf(4), tf.scalar(0, "int32")));
    const batch: Batch = {
      images: toTensor(tinyImages(TINY_PROBLEM.batchSize, TINY_PROBLEM.image)),
      rows: tf.range(0, TINY_PROBLEM.batchSize, 1, "int32"),
      step,
      chains: {},
    };
    const trained = model.step(start, batch, noise()).state;
    const moved = paths.reduce(
      (state, path) => amortizedOf(model).move(state, batch, noise().split(...path)),
      start,
    );
    const changed = Object.keys(differences(start, moved));
    assert.ok(changed.includes("phi"));
    assert.ok(changed.every((name) => name === "phi" || name === "psgld/v/phi"), `${changed}`);
    // The same float32 operations, but for the sum of the loss with terms that do not depend on Phi.
    const distance = differences(trained, moved).phi ?? 0;
    const length = differences(start, moved).phi;
    assert.ok(distance <= 1e-5 * length, `${distance} of ${length}`);
  });
}

import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { measureAmortization } from "../harness/run/amortization.ts";
import { openDevice } from "../harness/engine/device.ts";
import { createNoise, keyOf } from "../harness/core/noise.ts";
import { createImageSet } from "../harness/core/image_set.ts";
import type { Batch, HostArrays, Hyperparams, Method, State } from "../harness/core/types.ts";
import { initialState, TOY, toyHyper, toyImages } from "./testing/tiny_problem.ts";
import { lae } from "./lae.ts";
import { amortizedChains } from "./lae_chain_freedom.ts";

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

/** Diagnostics of LAE with `overrides` at the stationary law of its chains. */
async function measure(overrides: Hyperparams) {
  const problem = { image, trainCount: ROWS, batchSize: ROWS };
  const damping = 1e6; // so large that the preconditioner is constant: algorithm 2 as printed
  const hyper = {
    ...lae.defaults,
    nets: "linear",
    latentDim: LATENTS,
    inputDim: 4,
    damping,
    stepSize: ETA * ROWS * damping,
    posteriorStepSize: FREE_ETA,
    chainStepSize: ETA * ROWS,
    metropolis: false,
    ...overrides,
  };
  lae.check?.(problem, hyper);
  const start = await initialState(lae as never, { problem, hyper, seed: 0 });
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
    amortized: lae.amortized as never,
    hyper,
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

for (const overrides of [{}, { variant: "neurips" }] as readonly Hyperparams[]) {
  const words = Object.entries(overrides).map(([k, v]) => ` ${k}=${v}`).join("");
  Deno.test(`measureAmortization() of lae${words} finds leverages, and the variance that they predict`, async () => {
    await tf.setBackend("cpu");
    const { features, rows, rank, leverage, varianceRatio, moves } = await measure(overrides);
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

/** What differs between two states, by name, and by how much at most. */
function differences(a: State, b: State): Record<string, number> {
  const pairs = Object.keys(a).map((name) =>
    [name, Number(tf.max(tf.abs(tf.sub(a[name], b[name]))).dataSync()[0])] as const
  );
  return Object.fromEntries(pairs.filter(([, difference]) => difference > 0));
}

const METHOD = lae;
const STEP = 3;

// Of the NeurIPS variant a step has chainSteps + 1 moves, all of one minibatch and before anything learned changes.
const MOVE_CASES: readonly {
  readonly overrides: Hyperparams;
  /** Where the step takes each move's noise from. */
  readonly paths: readonly (readonly (string | number)[])[];
}[] = [
  { overrides: {}, paths: [[]] },
  { overrides: { decayPower: 0.5, decaySteps: 2 }, paths: [[]] },
  { overrides: { variant: "neurips", chainSteps: 1 }, paths: [["move", 0], ["move", 1]] },
];

for (const { overrides, paths } of MOVE_CASES) {
  const words = Object.entries(overrides).map(([k, v]) => ` ${k}=${v}`).join("");
  Deno.test(`amortizedChains.move() of lae${words} moves Phi as a training step does, and nothing else`, async () => {
    await tf.setBackend("cpu");
    const hyper = toyHyper(METHOD, overrides) as typeof lae.defaults;
    const step = tf.scalar(STEP, "int32");
    const noise = () => createNoise(keyOf(5), step);
    const start: State = lae.init(TOY, hyper, createNoise(keyOf(4), tf.scalar(0, "int32")));
    const images = toyImages(TOY.batchSize, TOY.image);
    const batch: Batch = {
      images: tf.tensor4d(images.data, images.shape as [number, number, number, number]),
      rows: tf.range(0, TOY.batchSize, 1, "int32"),
      step,
      chains: {},
    };
    const trained = lae.step(start, batch, hyper, noise()).state;
    let moved = start;
    for (const path of paths) {
      moved = amortizedChains.move(moved, batch, hyper, noise().split(...path));
    }
    const changed = Object.keys(differences(start, moved));
    assert.ok(changed.includes("phi"));
    assert.ok(changed.every((name) => name === "phi" || name === "psgld/v/phi"), `${changed}`);
    // The same float32 operations, but for the sum of the loss with terms that do not depend on Phi.
    const distance = differences(trained, moved).phi ?? 0;
    const length = differences(start, moved).phi;
    assert.ok(distance <= 1e-5 * length, `${distance} of ${length}`);
  });
}

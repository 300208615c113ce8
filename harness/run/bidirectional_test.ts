/** Bounds on log p(x) of linear-Gaussian models, where it is known: the model of the table in evaluation.md, 2.3. */
import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { NET_DEFAULTS } from "../../methods/parts/architectures.ts";
import { gaussianJoint } from "../../methods/parts/joint_density.ts";
import { observationModel } from "../../methods/parts/observation_model.ts";
import { metropolisStep } from "../../methods/samplers/metropolis.ts";
import { createImageSet } from "../core/image_set.ts";
import { fixedNormals, foldIn, keyOf } from "../core/noise.ts";
import type { HostArrays, ImageSet, JointDensity, Matrix } from "../core/types.ts";
import { openDevice } from "../engine/device.ts";
import { cholesky, logDeterminant, solveLower } from "../linalg/cholesky.ts";
import { dot } from "../linalg/matrix.ts";
import { geometricTemperatures, logMeanExp, reverseBound } from "../statistics/annealing.ts";
import { mean } from "../statistics/summary.ts";
import { compileAnnealer, type Transition } from "./annealing.ts";
import { bidirectional, passesOf } from "./bidirectional.ts";

const [DIM, PIXELS, SIGMA] = [8, 64, 0.3];
const IMAGES = 32;

/** A, [PIXELS][DIM], of N(0, 0.25 / DIM). */
const MATRIX = fixedNormals("matrix", { rows: PIXELS, width: DIM })
  .map((row) => row.map((v) => v * Math.sqrt(0.25 / DIM)));

const STATE: HostArrays = {
  "decoder/0/weight": {
    shape: [DIM, PIXELS],
    dtype: "float32",
    data: Float32Array.from(
      { length: DIM * PIXELS },
      (_, i) => MATRIX[i % PIXELS][Math.floor(i / PIXELS)],
    ),
  },
  "decoder/0/bias": { shape: [PIXELS], dtype: "float32", data: new Float32Array(PIXELS) },
  logSigma: { shape: [], dtype: "float32", data: Float32Array.of(Math.log(SIGMA)) },
};

const JOINT = gaussianJoint(
  observationModel({ height: 1, width: PIXELS, channels: 1 }, {
    ...NET_DEFAULTS,
    nets: "linear",
    latentDim: DIM,
    likelihood: "gaussian",
    sigma: SIGMA,
    learnSigma: false,
  }),
  DIM,
) as JointDensity;

/** Images of the model in 256 levels. */
const TEST_IMAGES: ImageSet = createImageSet({
  image: { height: 1, width: PIXELS, channels: 1 },
  pixels: Uint8Array.from(
    fixedNormals("latents", { rows: IMAGES, width: DIM }).flatMap((z, i) => {
      const e = fixedNormals(`pixels ${i}`, { rows: 1, width: PIXELS })[0];
      return MATRIX.map((row, p) => {
        const x = dot(row, z) + SIGMA * e[p];
        return Math.round(255 * Math.min(1, Math.max(0, (x + 1) / 2)));
      });
    }),
  ),
});

/** log N(x; A m, A S A' + sigma^2 I) of each of `rows` for the prior N(m, S). */
function logEvidences(
  rows: Matrix,
  { m, S }: { readonly m: readonly number[]; readonly S: Matrix },
): number[] {
  const covariance = MATRIX.map((a, p) =>
    MATRIX.map((b, q) => dot(a, S.map((row) => dot(row, b))) + (p === q ? SIGMA ** 2 : 0))
  );
  const factor = cholesky(covariance);
  const centre = MATRIX.map((row) => dot(row, m));
  const constant = logDeterminant(covariance) + PIXELS * Math.log(2 * Math.PI);
  return rows.map((x) => {
    const whitened = solveLower(factor, x.map((v, p) => v - centre[p]));
    return -0.5 * (dot(whitened, whitened) + constant);
  });
}

/** Their mean over the test images. */
function exactLogLikelihood(prior: Parameters<typeof logEvidences>[1]): number {
  const rows = Array.from(
    { length: IMAGES },
    (_, i) =>
      [...TEST_IMAGES.pixels.subarray(i * PIXELS, (i + 1) * PIXELS)].map((v) => 2 * v / 255 - 1),
  );
  return mean(logEvidences(rows, prior));
}

const identity = Array.from(
  { length: DIM },
  (_, i) => Array.from({ length: DIM }, (_, j) => Number(i === j)),
);
const STANDARD = { m: Array(DIM).fill(0), S: identity };

async function estimate(
  { joint = JOINT, transition = metropolisStep, temperatures, chains = 16 }: {
    joint?: JointDensity;
    transition?: Transition;
    temperatures: number;
    chains?: number;
  },
) {
  await using device = await openDevice("cpu", { threads: 1 });
  const { likelihood } = await bidirectional(await device.upload(STATE), {
    device,
    joint,
    transition,
    key: foldIn(keyOf(0), "bidirectional"),
    testImages: TEST_IMAGES,
    images: IMAGES,
    temperatures,
    chains,
  });
  return likelihood;
}

Deno.test("bidirectional() is exact within 0.1 nat on the table's model, and bounds from both sides", async () => {
  const { test, simulated, curvature, acceptance, normaliser, dimensions } = await estimate({
    temperatures: 1000,
  });
  const exact = exactLogLikelihood(STANDARD);
  // The table: mean error -0.01, RMS error of one image 0.14, so that the mean of 32 is known to 0.025.
  assert.ok(Math.abs(test.mean - exact) < 0.1, `${test.mean}, exact ${exact}`);
  assert.ok(test.mean < exact + 4 * test.standardError, `${test.mean} above ${exact}`);
  assert.ok(test.largestError < 0.5 && test.standardError < 0.05);
  // Mean upper minus mean lower: +0.15 for one reverse chain; several chains and 32 images know it to 0.04.
  assert.ok(simulated.gap.mean > -4 * simulated.gap.standardError, `gap ${simulated.gap.mean}`);
  assert.ok(simulated.gap.mean < 0.3, `gap ${simulated.gap.mean}`);
  assert.ok(acceptance > 0.55 && acceptance < 0.85, `acceptance ${acceptance}`);
  const largest = 38; // the table's
  assert.ok(curvature > 0.5 * largest && curvature < 2 * largest, `curvature ${curvature}`);
  assert.equal(normaliser, null);
  assert.equal(dimensions, PIXELS);
});

Deno.test("bidirectional() knows log Z of a quadratic energy within 0.05 nat, and log p(x) under that prior", async () => {
  // tilt(z) = -z'Bz/2 - c'z with a diagonal B: the prior is N(-(I + B)^-1 c, (I + B)^-1).
  const B = Array.from({ length: DIM }, (_, j) => 0.5 + 0.4 * j);
  const c = Array.from({ length: DIM }, (_, j) => 0.3 * (j % 2 ? -1 : 1));
  const tilt: JointDensity["tilt"] = (_state, z) =>
    tf.neg(
      tf.sum(tf.mul(z, tf.add(tf.mul(z, tf.tensor1d(B.map((b) => b / 2))), tf.tensor1d(c))), 1),
    );
  const { test, normaliser, simulated } = await estimate({
    joint: { ...JOINT, tilt },
    temperatures: 300,
  });
  const logZ = B.reduce((sum, b, j) => sum - 0.5 * Math.log(1 + b) + 0.5 * c[j] ** 2 / (1 + b), 0);
  assert.ok(normaliser);
  const { lower, upper } = normaliser;
  assert.ok(Math.abs(lower.mean - logZ) < 0.05, `${lower.mean}, exact ${logZ}`);
  assert.ok(Math.abs(upper.mean - logZ) < 0.05, `${upper.mean}, exact ${logZ}`);
  const S = identity.map((row, j) => row.map((v) => v / (1 + B[j])));
  const exact = exactLogLikelihood({ m: c.map((v, j) => -v / (1 + B[j])), S });
  assert.ok(Math.abs(test.mean - upper.mean - exact) < 0.15, `${test.mean - upper.mean}, ${exact}`);
  assert.ok(simulated.gap.mean > -4 * simulated.gap.standardError && simulated.gap.mean < 0.5);
});

Deno.test("passesOf() counts chains times transitions: up for both sets of images, down once", () => {
  assert.equal(passesOf({ images: 32, temperatures: 1000, chains: 16 }), (4 + 4 + 1) * 128_000);
  assert.equal(passesOf({ images: 4, temperatures: 100, chains: 16 }), 3 * 6400);
});

/** Errors of log weights going up and down on 512 images whose log p(x) is known, one chain each. */
async function annealKnown(transition: Transition) {
  const rows = 512;
  const latents = fixedNormals("truth", { rows, width: DIM });
  const images = latents.map((z, i) => {
    const [e] = fixedNormals(`noise ${i}`, { rows: 1, width: PIXELS });
    return MATRIX.map((row, p) => dot(row, z) + SIGMA * e[p]);
  });
  const array = (shape: readonly number[], values: Matrix) =>
    ({ shape, dtype: "float32", data: Float32Array.from(values.flat()) }) as const;
  const chains = {
    start: array([rows, DIM], latents),
    images: array([rows, 1, PIXELS, 1], images.map((row) => row.map((x) => (x + 1) / 2))),
  };
  await using device = await openDevice("cpu", { threads: 1 });
  const state = await device.upload(STATE);
  await using annealer = await compileAnnealer(device, {
    state,
    logRatio: (state, z, images) => JOINT.logLikelihood(state, images as tf.Tensor4D, z),
    transition,
    key: keyOf(1),
    chains,
  });
  const path = {
    betas: geometricTemperatures(300, 38),
    stepSize: (beta: number) => 0.6 / (1 + 38 * beta),
  };
  const down = await annealer.run(state, { ...chains, direction: "down" }, path);
  const start = array([rows, DIM], fixedNormals("prior", { rows, width: DIM }));
  const up = await annealer.run(down.state, { ...chains, start, direction: "up" }, path);
  const exact = logEvidences(images, STANDARD);
  const errors = (weights: Float64Array) => exact.map((value, i) => weights[i] - value);
  return { up: errors(up.logWeights), down: errors(down.logWeights) };
}

Deno.test("run() of an annealer: log p(x) lies between up and down, and both identities hold", async () => {
  const { up, down } = await annealKnown(metropolisStep);
  // The table: +0.48 from above for one chain at 300 temperatures, and about as much from below; known to 0.04.
  assert.ok(mean(down) > 0 && mean(down) < 0.9, `${mean(down)} from above`);
  assert.ok(mean(up) < 0 && mean(up) > -0.9, `${mean(up)} from below`);
  // E exp(w - log p) = 1 going up, E exp(log p - w) = 1 going down.
  for (const ratio of [logMeanExp(up), reverseBound(down)]) {
    assert.ok(Math.abs(ratio.value) < 4 * ratio.standardError, `${ratio.value}`);
    assert.ok(ratio.standardError < 0.08, `${ratio.standardError}`);
  }
});

Deno.test("run() of an annealer is wrong with a transition that always accepts, and with the sign of beta turned", async () => {
  const always: Transition = (current, evaluate, { stepSize, xi }) => {
    const w = tf.add(
      tf.sub(current.w, tf.mul(current.gradient, stepSize)),
      tf.mul(xi, tf.sqrt(tf.mul(stepSize, 2))),
    ) as tf.Tensor2D;
    return { position: evaluate(w), accepted: tf.ones([w.shape[0]]) };
  };
  // U = |w|^2 / 2 - beta h becomes |w|^2 - U = |w|^2 / 2 + beta h.
  const turn = ({ w, energy, gradient }: Parameters<Transition>[0]) => ({
    w,
    energy: tf.sub(tf.sum<tf.Tensor1D>(tf.square(w), 1), energy) as tf.Tensor1D,
    gradient: tf.sub(tf.mul(w, 2), gradient) as tf.Tensor2D,
  });
  const turned: Transition = (current, evaluate, move) =>
    metropolisStep(turn(current), (w) => turn(evaluate(w)), move);
  for (const [name, transition] of Object.entries({ always, turned })) {
    const { up } = await annealKnown(transition);
    assert.ok(!(Math.abs(mean(up)) < 2), `${name}: ${mean(up)}`); // the right one: within 0.9
  }
});

/** On a linear-Gaussian model, whose posterior is known: right inference passes, wrong inference is caught at the stated power. */
import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { NET_DEFAULTS } from "../../methods/parts/architectures.ts";
import { chainFromStart, gaussianJoint } from "../../methods/parts/joint_density.ts";
import { observationModel, type ObservationParams } from "../../methods/parts/observation_model.ts";
import { halfSquaredNorm } from "../../methods/parts/standard_normal.ts";
import { foldIn, keyOf } from "../core/noise.ts";
import type { HostArrays, JointDensity, Latents } from "../core/types.ts";
import { openDevice } from "../engine/device.ts";
import { LEVEL } from "../statistics/symmetry_tests.ts";
import { calibrate, type CALIBRATION_STATISTICS } from "./calibration.ts";

/** Posterior precisions of the table in evaluation.md, 1.3: 32 values from 2 to 100, evenly in the logarithm. */
const PRECISIONS = Array.from({ length: 32 }, (_, j) => 2 * 50 ** (j / 31));
const DIM = PRECISIONS.length;
const SIGMA = 0.3;
/** x = A z + sigma e with a diagonal A: the posterior is N(A x / (sigma^2 a), 1 / a) in each coordinate. */
const SLOPES = PRECISIONS.map((a) => SIGMA * Math.sqrt(a - 1));

const STATE: HostArrays = {
  "decoder/0/weight": {
    shape: [DIM, DIM],
    dtype: "float32",
    data: Float32Array.from(
      { length: DIM * DIM },
      (_, i) => i % (DIM + 1) ? 0 : SLOPES[i / (DIM + 1)],
    ),
  },
  "decoder/0/bias": { shape: [DIM], dtype: "float32", data: new Float32Array(DIM) },
  logSigma: { shape: [], dtype: "float32", data: Float32Array.of(Math.log(SIGMA)) },
};

const OBSERVATION = observationModel({ height: 1, width: DIM, channels: 1 }, {
  ...NET_DEFAULTS,
  nets: "linear",
  latentDim: DIM,
  likelihood: "gaussian",
  sigma: SIGMA,
  learnSigma: false,
});
const JOINT = gaussianJoint(OBSERVATION, DIM) as JointDensity;

type Infer = Latents["infer"];

/** Draws of N(shrink mean, variance / precision) where the posterior is N(mean, 1 / precision). */
function gaussian({ variance = 1, nearer = 0 }: { variance?: number; nearer?: number }): Infer {
  return (_state, images, noise) => {
    const x = tf.sub(tf.mul(tf.reshape(images, [-1, DIM]), 2), 1);
    const gains = tf.tensor1d(SLOPES.map((s, j) => s / (SIGMA ** 2 * PRECISIONS[j])));
    const deviations = tf.tensor1d(PRECISIONS.map((a) => 1 / Math.sqrt(a)));
    const exact = tf.mul(x, gains);
    const mean = tf.sub(exact, tf.mul(tf.sign(exact), tf.mul(deviations, nearer)));
    const xi = noise.normal<tf.Tensor2D>([images.shape[0], DIM]);
    return tf.add(mean, tf.mul(xi, tf.mul(deviations, Math.sqrt(variance))));
  };
}

/** The methods' own chain for the posterior, and inference by it from N(0, I). */
function chain(posteriorSteps: number, posteriorStepSize: number) {
  const hyper = { posteriorSteps, posteriorStepSize };
  const chainFrom = chainFromStart<ObservationParams>(OBSERVATION, {
    energyOf: () => halfSquaredNorm,
    hyper,
  }) as NonNullable<JointDensity["chainFrom"]>;
  const infer: Infer = (state, images, noise) => {
    const start = noise.split("start").normal<tf.Tensor2D>([images.shape[0], DIM]);
    return chainFrom(state, { images, start }, noise);
  };
  return { infer, chainFrom };
}

async function measure(
  { infer, chainFrom }: { infer: Infer; chainFrom?: JointDensity["chainFrom"] },
  { seed, count }: { seed: number; count: number },
) {
  await using device = await openDevice("cpu", { threads: 1 });
  const latents: Latents = { dim: DIM, infer, decode: () => tf.zeros([1, 1, 1, 1]) };
  const joint = { ...JOINT, ...chainFrom && { chainFrom } };
  const key = foldIn(keyOf(seed), "calibration");
  const state = await device.upload(STATE);
  return (await calibrate(state, { device, latents, joint, key, count })).calibration;
}

Deno.test("calibrate() passes the exact posterior in every statistic", async () => {
  const { infer, priorIsExact, fromTruth } = await measure({ infer: gaussian({}) }, {
    seed: 0,
    count: 4096,
  });
  assert.ok(priorIsExact);
  assert.equal(fromTruth, undefined);
  assert.equal(infer.notFinite, 0);
  assert.ok(infer.tests);
  assert.equal(Object.keys(infer.tests).length, 5);
  for (const [name, { p, ties }] of Object.entries(infer.tests)) {
    assert.ok(p > LEVEL, `${name}: p = ${p}`);
    assert.ok(ties < 10, `${name}: ${ties} ties`);
  }
});

/** N of signed-rank tests for power 0.99 at level 1e-3, from the table; by the statistic with the smallest. */
const WRONG: readonly {
  readonly name: string;
  readonly infer: Infer;
  readonly statistic: typeof CALIBRATION_STATISTICS[number];
  readonly count: number;
}[] = [
  { name: "variance x 1.2", infer: gaussian({ variance: 1.2 }), statistic: "logJoint", count: 146 },
  { name: "variance x 0.8", infer: gaussian({ variance: 0.8 }), statistic: "logJoint", count: 108 },
  {
    name: "means 0.2 sd nearer to 0",
    infer: gaussian({ nearer: 0.2 }),
    statistic: "gradient",
    count: 128,
  },
  { name: "collapsed", infer: gaussian({ variance: 0 }), statistic: "logJoint", count: 42 },
  { name: "chain of 5", infer: chain(5, 0.005).infer, statistic: "logLikelihood", count: 42 },
  { name: "chain of 20", infer: chain(20, 0.005).infer, statistic: "logLikelihood", count: 42 },
  { name: "chain of 60", infer: chain(60, 0.005).infer, statistic: "logLikelihood", count: 69 },
];

for (const { name, infer, statistic, count } of WRONG) {
  Deno.test(`calibrate() catches ${name} at the N for power 0.99`, async () => {
    let caught = 0;
    for (let seed = 0; seed < 20; seed++) {
      const { infer: { tests } } = await measure({ infer }, { seed, count });
      if ((tests?.[statistic].p ?? 1) < 1e-3) caught++;
    }
    assert.ok(caught >= 18, `caught ${caught} of 20`); // at power 0.99 below 18 once in 1,000
  });
}

Deno.test("calibrate() separates a short chain from a step that is too large", async () => {
  const smallest = (tests: Awaited<ReturnType<typeof measure>>["fromTruth"]) =>
    Math.min(...Object.values(tests?.tests ?? {}).map(({ p }) => p));
  const short = await measure(chain(5, 0.001), { seed: 0, count: 512 });
  assert.ok(smallest(short.infer) < LEVEL, "a chain of 5 short steps passed");
  // A step of 0.001 leaves the posterior invariant up to a variance of 1.05 in the stiffest direction.
  assert.ok(smallest(short.fromTruth) > LEVEL, "its kernel failed");
  const large = await measure(chain(50, 0.01), { seed: 0, count: 512 });
  assert.ok(smallest(large.fromTruth) < LEVEL, "a step at half of its stability limit passed");
});

Deno.test("calibrate() counts draws that are not finite, and leaves them out", async () => {
  const infer: Infer = (state, images, noise) => {
    const z = gaussian({})(state, images, noise);
    const first = tf.slice(z, [0, 0], [-1, 1]);
    return tf.where(tf.greater(tf.broadcastTo(first, z.shape), 1), tf.fill(z.shape, Infinity), z);
  };
  const { infer: { notFinite, tests } } = await measure({ infer }, { seed: 0, count: 400 });
  assert.ok(notFinite > 40 && notFinite < 100, `${notFinite} of 400`); // P(N(0, 1) > 1) = 0.16
  assert.ok(tests && Object.values(tests).every(({ z }) => Number.isFinite(z)));
});

import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { createNoise, keyOf } from "../../harness/core/noise.ts";
import {
  chainDistance,
  chainMetrics,
  fitChainStart,
  imageChain,
  type ImageRule,
  prepareImageChain,
} from "./image_chain.ts";
import { imageEnergy } from "./image_energy.ts";

const noise = (path: string) => createNoise(keyOf(0), tf.scalar(0, "int32")).split(path);
const SHAPE = [5, 2, 3, 1] as const;
const CENTRE = 0.2;
const TAU = 0.3;

/** ||x - c||^2 / (2 tau^2) of each image. */
const quadratic = (x: tf.Tensor): tf.Tensor1D =>
  tf.sum(tf.div(tf.square(tf.sub(x, CENTRE)), 2 * TAU ** 2), [1, 2, 3]);

const start = (scale: number): tf.Tensor4D => tf.mul(noise("start").normal([...SHAPE]), scale);

function assertClose(actual: tf.Tensor, expected: tf.Tensor, tolerance: number): void {
  const [worst] = tf.max(tf.abs(tf.sub(actual, expected))).dataSync();
  assert.ok(worst <= tolerance, `off by ${worst}`);
}

Deno.test("imageChain() without noise shrinks towards the minimum of a quadratic by 1 - eta / tau^2 a step", async () => {
  await tf.setBackend("cpu");
  const s = 0.03; // CoopFlow's: eta = s^2 / 2
  const rule: ImageRule = { stepSize: s ** 2 / 2, temperature: 0, driftLimit: 0.1, range: [-1, 1] };
  const x = start(0.1); // steps of at most 0.1 * eta / tau^2 * ... stay below the clips
  const steps = 30;
  const { images } = imageChain(quadratic, x, { steps, rule, noise: noise("chain") });
  const factor = (1 - s ** 2 / (2 * TAU ** 2)) ** steps;
  assertClose(images, tf.add(tf.mul(tf.sub(x, CENTRE), factor), CENTRE), 1e-6);
});

Deno.test("imageChain() clips drifts at driftLimit and pixels at the range, exactly", async () => {
  await tf.setBackend("cpu");
  const uphill = (slope: number) => (x: tf.Tensor): tf.Tensor1D =>
    tf.mul(tf.sum<tf.Tensor1D>(x, [1, 2, 3]), -slope);
  const rule: ImageRule = { stepSize: 1, temperature: 0, driftLimit: 0.1, range: [-1, 1] };
  const end = (slope: number, steps: number) =>
    imageChain(uphill(slope), tf.zeros([...SHAPE]), { steps, rule, noise: noise("chain") }).images;
  assertClose(end(0.09, 3), tf.fill([...SHAPE], 0.27), 1e-6);
  assertClose(end(50, 3), tf.fill([...SHAPE], 0.3), 1e-6);
  assertClose(end(50, 30), tf.ones([...SHAPE]), 0);
  const metrics = chainMetrics(tf.zeros([...SHAPE]), {
    images: end(50, 30),
    gradientNorm: tf.scalar(50),
  });
  assert.equal(metrics.saturated.dataSync()[0], 1);
  assert.equal(metrics.distance.dataSync()[0], 0.5);
});

Deno.test("imageChain() at temperature T has the variance of Langevin dynamics for U / T at rest", async () => {
  await tf.setBackend("cpu");
  const [stepSize, temperature] = [0.03, 0.5];
  const rule: ImageRule = { stepSize, temperature };
  const { images, gradientNorm } = imageChain(quadratic, tf.fill([4000, 1, 2, 1], CENTRE), {
    steps: 40,
    rule,
    noise: noise("rest"),
  });
  // A contraction by 2/3 a step has forgotten its start after 40; 8,000 draws: 4 standard errors of a variance are 6.3 %.
  const precision = 1 / TAU ** 2;
  const exact = temperature / precision / (1 - stepSize * precision / 2);
  const [variance] = tf.mean(tf.square(tf.sub(images, CENTRE))).dataSync();
  assert.ok(Math.abs(variance / exact - 1) < 4 * Math.sqrt(2 / 8000), `${variance}, not ${exact}`);
  assert.ok(gradientNorm.dataSync()[0] > 0);
});

Deno.test("prepareImageChain() moves as imageChain() does, and as Langevin dynamics for U / T where nothing is clipped", async () => {
  await tf.setBackend("cpu");
  const x = start(1);
  const clipped: ImageRule = { stepSize: 0.1, temperature: 0, driftLimit: 0.2 };
  const { images } = imageChain(quadratic, x, { steps: 1, rule: clipped, noise: noise("a") });
  const { start: rows, energy, move } = prepareImageChain(quadratic, {
    start: x,
    data: x,
    rule: clipped,
  });
  const gradient = tf.grad((z: tf.Tensor) => tf.sum(energy(z as tf.Tensor2D)))(rows) as tf.Tensor2D;
  const moved = move?.(rows, { gradient, xi: tf.zerosLike(rows) });
  assert.ok(moved);
  assertClose(moved, tf.reshape(images, rows.shape), 0);

  const langevin = prepareImageChain(quadratic, {
    start: x,
    data: x,
    rule: { stepSize: 0.1, temperature: 0.25 },
  });
  assert.equal(langevin.move, undefined);
  assert.equal(langevin.stepSize, 0.025);
  assertClose(langevin.energy(rows), tf.mul(quadratic(x), 4), 1e-4);
});

Deno.test("fitChainStart() descends to the start of a quadratic's chain in closed form, and leaves pixels that do not count alone", async () => {
  await tf.setBackend("cpu");
  const rule: ImageRule = { stepSize: 0.02, temperature: 0.5 }; // of the noise nothing is used
  const [steps, fitSteps, fitStepSize] = [4, 7, 0.3];
  const factor = (1 - rule.stepSize / TAU ** 2) ** steps;
  const [x, x0] = [noise("x").normal<tf.Tensor4D>([...SHAPE]), start(1)];
  const seen = tf.tensor4d(Array.from({ length: 30 }, (_, i) => Number(i % 3 > 0)), [...SHAPE]);
  const target = { images: x, seen, steps, rule, fitStepSize };
  const fitted = Array.from({ length: fitSteps }).reduce(
    (start: tf.Tensor4D) => fitChainStart(quadratic, start, target),
    x0,
  );
  // x_T = c + factor (x^ - c), so that descent shrinks the way to the optimum by 1 - 2 s factor^2 a step.
  const optimum = tf.add(tf.div(tf.sub(x, CENTRE), factor), CENTRE);
  const left = tf.mul(tf.sub(x0, optimum), (1 - 2 * fitStepSize * factor ** 2) ** fitSteps);
  assertClose(fitted, tf.where(tf.equal(seen, 1), tf.add(optimum, left), x0), 1e-5);
});

Deno.test("chainDistance() has the gradient of finite differences, through the chain's second derivatives", async () => {
  await tf.setBackend("cpu");
  const image = { height: 8, width: 8, channels: 1 };
  const [images, x0, way] = ["x", "x0", "way"].map((name): tf.Tensor4D =>
    tf.mul(noise(name).normal([2, 8, 8, 1]), 0.3)
  );
  // Leaky ReLU has no curvature: its chain is a shift.
  const curved = { small_xie2022: true, small_xie2021: false, moments: true } as const;
  for (const nets of ["small_xie2022", "small_xie2021", "moments"] as const) {
    const net = imageEnergy(image, { nets, width: 1, inputs: 1 });
    const params = net.init(noise(nets));
    const energy = (x: tf.Tensor) => net.energy(params, x);
    const chain = { steps: 5, rule: { stepSize: 5, temperature: 0 } };
    const f = (x: tf.Tensor) =>
      tf.sum(chainDistance(energy, x as tf.Tensor4D, { images, ...chain }));
    const along = (gradient: tf.Tensor) => tf.sum(tf.mul(gradient, way)).dataSync()[0];
    // Central differences at h and 2 h, extrapolated.
    const h = 0.02;
    const [near, far] = [h, 2 * h].map((h) => {
      const [up, down] = [h, -h].map((t) => f(tf.add(x0, tf.mul(way, t))).dataSync()[0]);
      return (up - down) / (2 * h);
    });
    const numeric = (4 * near - far) / 3;
    const exact = along(tf.grad(f)(x0));
    const isClose = (slope: number) => Math.abs(slope / numeric - 1) < 1e-3;
    assert.ok(isClose(exact), `${nets}: ${exact}, finite differences ${numeric}`);
    const { images: end } = imageChain(energy, x0, { ...chain, noise: noise("none") });
    const ofShift = along(tf.mul(tf.sub(end, images), 2));
    assert.equal(isClose(ofShift), !curved[nets], `${nets}: ${ofShift} without second derivatives`);
  }
});

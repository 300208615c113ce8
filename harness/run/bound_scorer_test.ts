import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { compileBoundScorer } from "./bound_scorer.ts";
import { openDevice } from "../engine/device.ts";
import type { RunEvent } from "./events.ts";
import { BOUNDS } from "../metrics/likelihood_bounds.ts";
import { keyOf } from "../core/noise.ts";
import { createImageSet } from "../core/image_set.ts";
import { mean, sampleStd } from "../statistics/summary.ts";
import { startStopwatch } from "../core/stopwatch.ts";
import type { ImageSet, Likelihood } from "../core/types.ts";

const IMAGE = { height: 1, width: 2, channels: 1 };

/**
 * x = a z + e with z, e ~ N(0, 1), a in the state, for images of two pixels in [0, 1], under q = N(a sum(x) / (1 + 2 a^2), s^2): the
 * posterior's mean, and deviation s.
 */
const linear = (s: number): Likelihood<{ readonly a: tf.Scalar }> => ({
  logWeight({ a }, images, noise) {
    const x = tf.reshape(images, [-1, 2]);
    const xi = noise.split("xi").normal([x.shape[0]]);
    const centre = tf.div(tf.mul(a, tf.sum(x, 1)), tf.add(1, tf.mul(2, tf.square(a))));
    const z = tf.add(centre, tf.mul(xi, s));
    const residual = tf.sum(tf.square(tf.sub(x, tf.mul(a, tf.expandDims(z, 1)))), 1);
    const logJoint = tf.mul(tf.add(residual, tf.square(z)), -0.5); // without 3 log(2 pi) / 2
    const logProposal = tf.sub(tf.mul(tf.square(xi), -0.5), Math.log(s)); // without log(2 pi) / 2
    return tf.sub<tf.Tensor1D>(tf.sub(logJoint, logProposal), Math.log(2 * Math.PI));
  },
});

const A = 0.7;

/** log N(x; 0, I + a^2 1 1') for each image. */
function evidences({ pixels, count }: ImageSet): number[] {
  return Array.from({ length: count }, (_, i) => {
    const [x, y] = [pixels[2 * i] / 255, pixels[2 * i + 1] / 255];
    const det = 1 + 2 * A * A;
    const quadratic = x * x + y * y - A * A * (x + y) ** 2 / det;
    return -0.5 * (quadratic + Math.log(det) + 2 * Math.log(2 * Math.PI));
  });
}

/** Images of all sorts: 130 of them do not fill two chunks. */
const test = createImageSet({
  image: IMAGE,
  pixels: Uint8Array.from({ length: 260 }, (_, i) => i * 37 % 256),
});

async function scoreLinear(
  deviation: number,
  { device = "cpu", images = test }: { device?: "cpu" | "tfjs-cpu"; images?: ImageSet } = {},
) {
  await using opened = await openDevice(device, { threads: 1 });
  const state = await opened.upload({
    a: { shape: [], dtype: "float32", data: Float32Array.of(A) },
  });
  const events: RunEvent[] = [];
  await using scorer = await compileBoundScorer(opened, {
    likelihood: linear(deviation) as Likelihood,
    key: keyOf(0),
    state,
    bounds: Object.values(BOUNDS),
    images,
    stopwatch: startStopwatch(),
    report: (event) => events.push(event),
  });
  const first = await scorer.score(state);
  const second = await scorer.score(first.state);
  return { first, second, events };
}

Deno.test("compileBoundScorer() bounds a known evidence from above, closer as k rises", async () => {
  const { first: { scores, bases } } = await scoreLinear(1);
  const evidence = -mean(evidences(test)) / 2; // per dimension
  const { nelbo, niwae_10, niwae_100 } = scores;
  assert.ok(nelbo > niwae_10 && niwae_10 > niwae_100, JSON.stringify(scores));
  // KL(q || p(z | x)) for variances 1 and v = 1 / (1 + 2 a^2) is (1 / v - 1 + log v) / 2; over 2 dimensions. A log weight has a
  // deviation of |1 - 1 / v| / sqrt(2) = 0.7 nats in xi^2 / 2: over 13,000 draws and 2 dimensions 0.003, four times.
  const v = 1 / (1 + 2 * A * A);
  assert.ok(Math.abs(nelbo - evidence - (1 / v - 1 + Math.log(v)) / 4) < 0.0124);
  // Var(w) / (2 k) in units of the evidence: with w = p(z | x) / q(z), E[w^2] = 1 / sqrt(v (2 - v)); over 2 dimensions 0.0002 at
  // k = 100. 130 groups of deviation sqrt(Var(w) / k) = 0.03 leave 0.0012, four times.
  const gap = (1 / Math.sqrt(v * (2 - v)) - 1) / 400;
  assert.ok(Math.abs(niwae_100 - evidence - gap) < 0.005, `${niwae_100}, evidence ${evidence}`);
  assert.deepEqual(
    Object.values(bases).map(({ importanceSamples, draws, images }) => [
      importanceSamples,
      draws,
      images,
    ]),
    [[1, 100, 130], [10, 100, 130], [100, 100, 130]],
  );
});

Deno.test("compileBoundScorer() is exact for an exact q, image by image, also in a partial last chunk", async () => {
  const { first: { scores, bases } } = await scoreLinear(1 / Math.sqrt(1 + 2 * A * A));
  const exact = evidences(test).map((value) => -value / 2);
  for (const score of Object.values(scores)) {
    assert.ok(Math.abs(score - mean(exact)) < 1e-6); // float32 of numbers of size 1
  }
  const error = (sampleStd(exact) ?? 0) / Math.sqrt(130);
  assert.ok(error > 0.005);
  assert.ok(Math.abs(bases.nelbo.standardError - error) < 1e-6);
});

Deno.test("compileBoundScorer() gives the same state the same score on any device, and reports its progress", async () => {
  const { first, second, events } = await scoreLinear(1);
  assert.deepEqual(second.scores, first.scores);
  assert.deepEqual(events.slice(0, 3), [
    { event: "phase", phase: "bound" },
    { event: "images", done: 100, of: 130 },
    { event: "images", done: 130, of: 130 },
  ]);
  const eager = await scoreLinear(1, { device: "tfjs-cpu" });
  for (const [name, score] of Object.entries(first.scores)) {
    assert.ok(Math.abs(eager.first.scores[name] - score) < 1e-6);
  }
});

Deno.test("compileBoundScorer() uses different draws for each image", async () => {
  const black = (count: number) =>
    createImageSet({ image: IMAGE, pixels: new Uint8Array(2 * count) });
  const once = await scoreLinear(1, { images: black(100) });
  const twice = await scoreLinear(1, { images: black(200) });
  // With the draws of the first hundred again it would be the same but for rounding; with new ones 0.004 of nats are typical.
  assert.ok(Math.abs(twice.first.scores.nelbo - once.first.scores.nelbo) > 1e-6);
});

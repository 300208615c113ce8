import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { repeat } from "../../harness/core/repeat.ts";
import { createNoise, keyOf } from "../../harness/core/noise.ts";
import { metropolisStep, type Position } from "./metropolis.ts";

const CHAINS = 20_000;
const PRECISION = 4;
const noise = createNoise(keyOf(0), tf.scalar(0, "int32"));

/** U = PRECISION w^2 / 2. */
function evaluate(w: tf.Tensor2D): Position {
  return {
    w,
    energy: tf.mul(tf.sum(tf.square(w), 1), PRECISION / 2),
    gradient: tf.mul(w, PRECISION),
  };
}

/** Variance of the chains and rate of acceptance after `steps` from the target itself, so that nothing has to burn in. */
async function run(stepSize: number, steps: number) {
  await tf.setBackend("cpu");
  const name = `chains ${stepSize}`;
  const result = tf.tidy(() => {
    const start = tf.mul(noise.split(name, "start").normal([CHAINS, 1]), PRECISION ** -0.5);
    return repeat(
      steps,
      { w: start, accepted: tf.scalar(0) } as Record<string, tf.Tensor>,
      ({ w, accepted }, { xi, uniform }) => {
        const move = { stepSize, xi: xi as tf.Tensor2D, uniform: uniform as tf.Tensor1D };
        const next = metropolisStep(evaluate(w as tf.Tensor2D), evaluate, move);
        return { w: next.position.w, accepted: tf.add(accepted, tf.mean(next.accepted)) };
      },
      {
        xi: noise.split(name, "xi").normal([steps, CHAINS, 1]),
        uniform: noise.split(name, "uniform").uniform([steps, CHAINS]),
      } as Record<string, tf.Tensor>,
    );
  });
  const w = result.w.dataSync<"float32">();
  const variance = w.reduce((sum, v) => sum + v * v, 0) / CHAINS;
  return { variance, acceptance: result.accepted.dataSync()[0] / steps };
}

Deno.test("metropolisStep() keeps the target's variance where the unadjusted chain is off", async () => {
  // The unadjusted chain has variance (1 / P) / (1 - eta P / 2): 5 % too much at the first step size, 67 % at the second.
  for (const stepSize of [0.1 / 4, 0.2]) {
    const { variance, acceptance } = await run(stepSize, 40);
    // Sampling: sqrt(2 / 20,000) = 1 %, taken three times, below the 5 % of the bias.
    assert.ok(
      Math.abs(variance * PRECISION - 1) < 0.03,
      `eta ${stepSize}: ${variance * PRECISION}`,
    );
    assert.ok(acceptance > 0.5 && acceptance < 1);
  }
});

Deno.test("metropolisStep() accepts everything as the step size falls", async () => {
  const [coarse, fine] = [await run(0.15, 10), await run(0.001, 10)];
  assert.ok(coarse.acceptance < fine.acceptance);
  assert.ok(fine.acceptance > 0.999);
});

Deno.test("metropolisStep() satisfies detailed balance between two regions", async () => {
  await tf.setBackend("cpu");
  // Started at the target, as many moves go from |w| < a to |w| > a as back: the difference of two counts of N p is within
  // 4 sqrt(2 N p).
  const start = tf.mul(
    noise.split("balance", "start").normal([CHAINS, 1]),
    PRECISION ** -0.5,
  ) as tf.Tensor2D;
  const { position } = metropolisStep(evaluate(start), evaluate, {
    stepSize: 0.15,
    xi: noise.split("balance", "xi").normal([CHAINS, 1]) as tf.Tensor2D,
    uniform: noise.split("balance", "uniform").uniform([CHAINS]) as tf.Tensor1D,
  });
  const [before, after] = [start.dataSync(), position.w.dataSync()];
  let [out, back] = [0, 0];
  before.forEach((w, i) => {
    const [inside, insideAfter] = [Math.abs(w) < 0.25, Math.abs(after[i]) < 0.25];
    if (inside && !insideAfter) out++;
    if (!inside && insideAfter) back++;
  });
  assert.ok(out > 1000);
  assert.ok(Math.abs(out - back) < 4 * Math.sqrt(out + back));
});

Deno.test("metropolisStep() takes a step size as a tensor", async () => {
  await tf.setBackend("cpu");
  tf.tidy(() => {
    const draws = noise.split("tensor");
    const start = evaluate(draws.split("start").normal([1000, 1]));
    const xi = draws.split("xi").normal<tf.Tensor2D>([1000, 1]);
    const uniform = draws.split("uniform").uniform<tf.Tensor1D>([1000]);
    const [a, b] = [0.2, tf.scalar(0.2)].map((stepSize) =>
      metropolisStep(start, evaluate, { stepSize, xi, uniform })
    );
    assert.deepEqual(b.accepted.dataSync(), a.accepted.dataSync());
    const apart = tf.max(tf.abs(tf.sub(b.position.w, a.position.w))).dataSync()[0];
    assert.ok(apart < 1e-6, `${apart}`); // float32 rounding of 0.2 and of its root
  });
});

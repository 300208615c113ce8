import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { negLogLikelihood, toModelRange, toUnitRange } from "./likelihood.ts";

/** -log p of one pixel at each of `x`, for a mean and a scale. */
function pixelwise(
  x: readonly number[],
  mean: number,
  scale: number,
  likelihood: string,
): Float32Array {
  return tf.tidy(() =>
    negLogLikelihood(tf.tensor4d([...x], [x.length, 1, 1, 1]), {
      mean: tf.fill([x.length, 1, 1, 1], mean),
      logSigma: tf.scalar(Math.log(scale)),
      likelihood,
    }).dataSync<"float32">()
  );
}

/** The 256 grey levels on [-1, 1]. */
const LEVELS = Array.from({ length: 256 }, (_, i) => 2 * i / 255 - 1);

Deno.test("negLogLikelihood() gaussian is a density of mass one", async () => {
  await tf.setBackend("cpu");
  const step = 1e-3;
  const grid = Array.from({ length: 8001 }, (_, i) => (i - 4000) * step);
  for (const [mean, scale] of [[0, 0.3], [-0.7, 0.05], [0.4, 1]] as const) {
    const mass = pixelwise(grid, mean, scale, "gaussian").reduce(
      (sum, l) => sum + Math.exp(-l) * step,
      0,
    );
    // The trapezoid rule is exact to far below float32's 1e-7 a term, which add up to 1e-5 at most; the tails past |4| of
    // scale 1 about 0.4 hold 1.6e-4.
    assert.ok(Math.abs(mass - 1) < (scale === 1 ? 3e-4 : 2e-5), `${mass}`);
  }
});

Deno.test("negLogLikelihood() discretized_logistic is a distribution over 256 levels", async () => {
  await tf.setBackend("cpu");
  for (const mean of [-1, -0.3, 0.999, 1.5]) {
    for (const scale of [1e-3, 0.02, 0.3, 3]) {
      const mass = pixelwise(LEVELS, mean, scale, "discretized_logistic")
        .reduce((sum, l) => sum + Math.exp(-l), 0);
      // exp(-l) carries l's float32 error, at most 1e-7 times 256 levels of mass at most 1, and l up to 15 where mass matters.
      assert.ok(Math.abs(mass - 1) < 1e-5, `mean ${mean}, scale ${scale}: ${mass}`);
    }
  }
});

Deno.test("negLogLikelihood() discretized_logistic equals the plain form in float64 where that is stable", async () => {
  await tf.setBackend("cpu");
  const sigmoid = (a: number) => 1 / (1 + Math.exp(-a));
  const [mean, scale] = [0.1, 0.2];
  const plain = (x: number) => {
    const above = x + 1 / 255 > 1 ? 1 : sigmoid((x + 1 / 255 - mean) / scale);
    const below = x - 1 / 255 < -1 ? 0 : sigmoid((x - 1 / 255 - mean) / scale);
    return -Math.log(above - below);
  };
  const stable = pixelwise(LEVELS, mean, scale, "discretized_logistic");
  LEVELS.forEach((x, i) =>
    assert.ok(Math.abs(stable[i] - plain(x)) < 1e-5 * Math.abs(plain(x)), `level ${i}`)
  );
});

Deno.test("negLogLikelihood() discretized_logistic keeps its gradient far from the mean", async () => {
  await tf.setBackend("cpu");
  // 200 scales away the mass is e^-200, below any float32: the slope of -log p is 1 / scale still.
  const gradient = tf.tidy(() =>
    tf.grad((mean: tf.Tensor) =>
      negLogLikelihood(tf.fill([1, 1, 1, 1], 0), {
        mean,
        logSigma: tf.scalar(Math.log(0.005)),
        likelihood: "discretized_logistic",
      })
    )(tf.fill([1, 1, 1, 1], 1)).dataSync()[0]
  );
  assert.ok(Math.abs(gradient - 200) < 0.01);
});

Deno.test("toUnitRange() undoes toModelRange() and cuts what is outside", async () => {
  await tf.setBackend("cpu");
  const x = tf.tensor1d([0, 0.25, 1]);
  assert.deepEqual([...toUnitRange(toModelRange(x)).dataSync()], [0, 0.25, 1]);
  assert.deepEqual([...toUnitRange(tf.tensor1d([-3, 3])).dataSync()], [0, 1]);
});

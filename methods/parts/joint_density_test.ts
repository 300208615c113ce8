import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { createNoise, keyOf } from "../../harness/core/noise.ts";
import { NET_DEFAULTS } from "./architectures.ts";
import { gaussianJoint } from "./joint_density.ts";
import { observationModel } from "./observation_model.ts";

const PIXELS = 20_000;

/** Pixels of one draw of p(x | z) for a decoder whose mean is `mean` everywhere, in [-1, 1], and log p(x | z) of images. */
async function onePixelModel(
  { likelihood, sigma, mean }: { likelihood: string; sigma: number; mean: number },
) {
  await tf.setBackend("cpu");
  const hyper = { ...NET_DEFAULTS, nets: "linear", latentDim: 1, likelihood, sigma };
  const modelOf = (width: number) =>
    gaussianJoint(
      observationModel({ height: 1, width, channels: 1 }, { ...hyper, learnSigma: false }),
      1,
    );
  const stateOf = (width: number) => ({
    decoder: { 0: { weight: tf.zeros([1, width]), bias: tf.fill([width], mean) } },
    logSigma: tf.scalar(Math.log(sigma)),
  });
  const noise = createNoise(keyOf(3), tf.scalar(0, "int32"));
  const drawn = modelOf(PIXELS).drawImages(stateOf(PIXELS), tf.zeros([1, 1]), noise);
  const logLikelihood = (values: readonly number[]) =>
    modelOf(1).logLikelihood(
      stateOf(1),
      tf.tensor4d([...values], [values.length, 1, 1, 1]),
      tf.zeros([values.length, 1]),
    ).dataSync();
  return { draws: [...drawn.dataSync()], logLikelihood };
}

Deno.test("drawImages() draws from exp(logLikelihood): every level of the discretized logistic", async () => {
  for (const mean of [0.1, 0.9]) {
    const setting = { likelihood: "discretized_logistic", sigma: 0.1, mean };
    const { draws, logLikelihood } = await onePixelModel(setting);
    const levels = Array.from({ length: 256 }, (_, k) => k / 255);
    const masses = Array.from(logLikelihood(levels), Math.exp);
    assert.ok(Math.abs(masses.reduce((a, b) => a + b) - 1) < 1e-4, "the masses do not sum to 1");
    const counts = Array<number>(256).fill(0);
    for (const x of draws) counts[Math.round(255 * x)]++;
    assert.ok(draws.every((x) => Math.abs(255 * x - Math.round(255 * x)) < 1e-3), "off the grid");
    // The mean level and the variance; their standard errors from the exact masses.
    const momentOf = (f: (level: number) => number) =>
      masses.reduce((sum, p, k) => sum + p * f(levels[k]), 0);
    const centre = momentOf((x) => x);
    for (const power of [1, 2]) {
      const exact = momentOf((x) => (x - centre) ** power);
      const found = draws.reduce((sum, x) => sum + (x - centre) ** power, 0) / PIXELS;
      const spread = momentOf((x) => (x - centre) ** (2 * power)) - exact ** 2;
      assert.ok(Math.abs(found - exact) < 4 * Math.sqrt(spread / PIXELS), `${found}, ${exact}`);
    }
    // Levels that expect at least 10 pixels; chi-square of `cells` terms has mean `cells`, deviation sqrt(2 cells).
    const shown = masses.flatMap((p, k) => p * PIXELS >= 10 ? [[counts[k], p * PIXELS]] : []);
    const chi = shown.reduce((sum, [seen, expected]) => sum + (seen - expected) ** 2 / expected, 0);
    assert.ok(chi < shown.length + 4 * Math.sqrt(2 * shown.length), `${chi} of ${shown.length}`);
  }
});

Deno.test("drawImages() draws from exp(logLikelihood): mean, variance and entropy of the Gaussian", async () => {
  const [mean, sigma] = [0.4, 0.3];
  const { draws, logLikelihood } = await onePixelModel({ likelihood: "gaussian", sigma, mean });
  const x = draws.map((v) => 2 * v - 1);
  const average = x.reduce((a, b) => a + b) / PIXELS;
  const variance = x.reduce((sum, v) => sum + (v - mean) ** 2, 0) / PIXELS;
  assert.ok(Math.abs(average - mean) < 4 * sigma / Math.sqrt(PIXELS), `mean ${average}`);
  const error = 4 * Math.sqrt(2 / PIXELS);
  assert.ok(Math.abs(variance / sigma ** 2 - 1) < error, `variance ${variance}`);
  // E log p = -1/2 - log(sigma sqrt(2 pi)); log p has deviation sqrt(1/2).
  const logs = Array.from(logLikelihood(draws.slice(0, 5000)));
  const entropy = logs.reduce((a, b) => a + b) / logs.length;
  const exact = -0.5 - Math.log(sigma * Math.sqrt(2 * Math.PI));
  assert.ok(Math.abs(entropy - exact) < 4 * Math.sqrt(0.5 / 5000), `${entropy}, ${exact}`);
});

import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { createNoise, keyOf } from "../../harness/core/noise.ts";
import { halfSquaredNorm } from "./standard_normal.ts";
import { posteriorChain } from "./latent_chains.ts";
import { OBSERVATION_DEFAULTS, observationModel, stepScaleOf } from "./observation_model.ts";

const HYPER = { ...OBSERVATION_DEFAULTS, width: 0.125, latentDim: 3, featureDim: 64 };
const MODEL = observationModel({ height: 8, width: 8, channels: 1 }, HYPER);
const STEPS = 50;

/** Ends of four posterior chains at a pixel scale of `sigma`, at step size `eta` times `stepScale`. */
function ends(
  { sigma, eta, stepScale }: { sigma: number; eta: number; stepScale?: number | "follow" },
): Float32Array {
  return tf.tidy(() => {
    const noise = createNoise(keyOf(0), tf.scalar(0, "int32"));
    const params = { ...MODEL.init(noise), logSigma: tf.scalar(Math.log(sigma)) };
    return posteriorChain(MODEL, {
      params,
      energy: halfSquaredNorm,
      x: noise.split("x").uniform([4, 8, 8, 1]),
      start: noise.split("start").normal([4, 3]),
      hyper: { posteriorSteps: STEPS, posteriorStepSize: eta },
      noise,
      ...stepScale !== undefined && {
        stepScale: stepScale === "follow" ? stepScaleOf(params, HYPER) : tf.scalar(stepScale),
      },
    }).dataSync<"float32">();
  });
}

const distance = (a: Float32Array, b: Float32Array) =>
  Math.max(...a.map((value, i) => Math.abs(value - b[i])));

Deno.test("posteriorChain() with a scale c on the step size is the chain of step size c eta", async () => {
  await tf.setBackend("cpu");
  const scaled = ends({ sigma: 1, eta: 0.02, stepScale: 0.25 });
  // Some 1e-7 an operation, amplified over 50 contracting steps by less than a hundred.
  assert.ok(distance(scaled, ends({ sigma: 1, eta: 0.005 })) < 1e-4);
  assert.ok(distance(scaled, ends({ sigma: 1, eta: 0.02 })) > 0.1);
  assert.deepEqual(ends({ sigma: 1, eta: 0.02, stepScale: 1 }), ends({ sigma: 1, eta: 0.02 }));
});

Deno.test("stepScaleOf() is (sigma / initial sigma)^2, and never above 1", async () => {
  await tf.setBackend("cpu");
  const at = (sigma: number) =>
    stepScaleOf({ logSigma: tf.scalar(Math.log(sigma)) }, { sigma: 0.3 }).dataSync()[0];
  for (const [sigma, scale] of [[0.3, 1], [0.15, 0.25], [0.03, 0.01], [0.6, 1]]) {
    assert.ok(Math.abs(at(sigma) - scale) < 1e-6, `${sigma}: ${at(sigma)}`);
  }
});

Deno.test("posteriorChain() whose step size follows sigma stays stable as sigma falls to a tenth, where a fixed one is not", async () => {
  await tf.setBackend("cpu");
  const largest = (z: Float32Array) => Math.max(...z.map(Math.abs));
  const eta = 0.02; // stable at the initial sigma of 0.3, whose latents show it
  const before = largest(ends({ sigma: 0.3, eta }));
  assert.ok(before < 6, `${before}`);
  assert.ok(largest(ends({ sigma: 0.03, eta, stepScale: "follow" })) < 6);
  const fixed = largest(ends({ sigma: 0.03, eta }));
  assert.ok(!(fixed < 6), `${fixed}`);
});

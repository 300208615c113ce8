import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { createNoise, keyOf } from "../../harness/core/noise.ts";
import { flatten, mapTree, unflatten } from "../../harness/core/tree.ts";
import type { Noise, Tree } from "../../harness/core/types.ts";
import { toArrays, toTensors } from "../../harness/core/host_arrays.ts";
import { openDevice } from "../../harness/engine/device.ts";
import { adam, type AdamState, initAdam } from "./adam.ts";
import { dequantizer, type DequantizerHyper, type DequantizerParams } from "./dequantizer.ts";
import { imageFlow } from "./image_flow.ts";
import { lossAndGradients } from "./gradients.ts";
import { logAbsDet } from "../testing/log_abs_det.ts";

const noise = (...path: (string | number)[]) =>
  createNoise(keyOf(0), tf.scalar(0, "int32")).split("dequantizer", ...path);

const FOUR = { height: 2, width: 2, channels: 1 };
const AFFINE: DequantizerHyper = {
  channels: 4,
  blocks: 1,
  attention: false,
  components: 0,
  weightNorm: false,
  auxiliaryChannels: 3,
};
const KINDS: Readonly<Record<string, DequantizerHyper>> = {
  affine: AFFINE,
  "mixture, attention and normalised weights": {
    ...AFFINE,
    attention: true,
    components: 3,
    weightNorm: true,
  },
};

/** Initial parameters with every entry moved by about `size`. */
function movedParams(hyper: DequantizerHyper, size: number): DequantizerParams {
  const params = dequantizer(FOUR, hyper).init(noise("init"));
  return mapTree(
    params,
    ([w], path) => tf.add(w, tf.mul(noise("move", path).normal(w.shape), size)),
  );
}

const sizeOf = (tree: Tree) =>
  Object.values(flatten(tree)).reduce((sum, { size }) => sum + size, 0);

Deno.test("CoopFlow's flow of the published size has the parameters of its code, 28.78 million", async () => {
  await tf.setBackend("cpu");
  const image = { height: 32, width: 32, channels: 3 };
  const couplings = { channels: 96, attention: true, components: 32, weightNorm: true };
  const scales = [{ channels: 0, board: 4 }, { channels: 2, board: 3 }];
  const flow = imageFlow(image, { ...couplings, scales, blocks: 10 });
  const levels = dequantizer(image, { ...couplings, blocks: 2, auxiliaryChannels: 32 });
  const [ofFlow, ofLevels] = tf.tidy(() =>
    [flow, levels].map((net) => sizeOf(net.init(noise("size"))))
  );
  // Of each layer the code has a direction more for each of its k factors `rescale`, without effect, and its mixture has 4 k^2
  // numbers where ours has 2 k more, the logs of the diagonal. k = 3 in four layers of each flow, and in two on channels; 6 in three.
  const [k, kOfLevels] = [4 * 3 + 2 * 3 + 3 * 6, 4 * 3];
  assert.equal(ofFlow - k + ofLevels - kOfLevels, 28_784_792);
  // By hand: convolutions of 3x3 and 1x1 with a direction, a scale and a bias.
  const gated = (9 * 64 + 2) * 32 + (64 + 2) * 64;
  const block = (9 * 192 + 2) * 96 + (192 + 2) * 192 + (64 + 2) * 96 + 4 * 96 +
    (96 + 1) * 288 + (96 + 2) * 192;
  const coupling = (9 * 3 + 2) * 96 + 2 * block + (9 * 96 + 2) * 3 * 98 + 2 * 3;
  const features = (9 * 6 + 1) * 32 + 3 * gated;
  assert.equal(ofLevels - kOfLevels, features + 4 * (2 * 6 + 36 + coupling));
});

for (const [kind, hyper] of Object.entries(KINDS)) {
  Deno.test(`dequantizer() ${kind}: log q(u | x) is that of the numeric Jacobian of u`, async () => {
    await tf.setBackend("cpu");
    const { draw } = dequantizer(FOUR, hyper);
    const params = movedParams(hyper, 0.1);
    const images: tf.Tensor4D = noise("image").uniform([1, 2, 2, 1]);
    const xi: tf.Tensor4D = noise("xi").normal([1, 2, 2, 1]);
    const step = 0.01;
    const moves = tf.reshape(tf.mul(tf.eye(4), step), [4, 2, 2, 1]);
    const many = tf.tile(images, [4, 1, 1, 1]);
    const [up, down] = [tf.add(xi, moves), tf.sub(xi, moves)].map((xi) =>
      tf.reshape(draw(params, { images: many, xi: xi as tf.Tensor4D }).u, [4, 4])
        .arraySync() as number[][]
    );
    // Central differences of 0.01: float32 rounds u by 6e-8, hence slopes of about 0.2 by 6e-6; the third derivative adds 1e-5.
    const jacobian = up.map((row, i) => row.map((value, j) => (value - down[i][j]) / (2 * step)));
    const logNormal = -0.5 * tf.sum(tf.square(xi)).dataSync()[0] - 2 * Math.log(2 * Math.PI);
    const [logDensity] = draw(params, { images, xi }).logDensity.dataSync();
    const numeric = logNormal - logAbsDet(jacobian);
    assert.ok(Math.abs(logDensity - numeric) < 2e-3, `${logDensity}, numerically ${numeric}`);
  });

  Deno.test(`dequantizer() ${kind}: the mean of f(u) / q(u | x) is the integral of f, for images of four pixels`, async () => {
    await tf.setBackend("cpu");
    const { draw } = dequantizer(FOUR, hyper);
    const params = movedParams(hyper, 0.05);
    const count = 8_000;
    const image = tf.tensor4d([0, 1, 0.4, 0.9], [1, 2, 2, 1]);
    const xi: tf.Tensor4D = noise("many").normal([count, 2, 2, 1]);
    const { u, logDensity } = draw(params, { images: tf.tile(image, [count, 1, 1, 1]), xi });
    assert.ok(tf.min(u).dataSync()[0] >= 0 && tf.max(u).dataSync()[0] <= 1);
    // f is a product of Beta(3, 3) densities, 30 u^2 (1 - u)^2: no wider than q, so that no ratio is large.
    const factors = tf.mul(tf.square(tf.mul(u, tf.sub(1, u))), 30);
    const ratios = tf.mul(tf.prod(tf.reshape(factors, [count, 4]), 1), tf.exp(tf.neg(logDensity)));
    const { mean, variance } = tf.moments(ratios);
    const [value, spread] = [mean, tf.sqrt(variance)].map((t) => t.dataSync()[0]);
    const tolerance = 4 * spread / Math.sqrt(count);
    assert.ok(tolerance < 0.06, `${tolerance} says nothing`);
    assert.ok(Math.abs(value - 1) < tolerance, `${value}, 1 +- ${tolerance}`);
  });
}

Deno.test("the learned noise sees the image: its bound is near the exact likelihood, far above that of uniform noise, and of any noise that does not see it", async () => {
  await tf.setBackend("cpu");
  // Pixels are 0 or 1 with equal chance, and p(x, u) = p(x) f(u; x) with f = 4 u^3 for 1 and 4 (1 - u)^3 for 0: the likelihood
  // is p(x), and a bound is off by the mean of log f(u; x) - log q(u | x), in nats a pixel.
  const uniformBound = Math.log(4) - 3; // integral of log(4 u^3)
  // Without the image the best q is the mean of both f: the bound is off by their mutual information with the pixel.
  const cells = Array.from({ length: 1000 }, (_, i) => (i + 0.5) / 1000);
  const blindBound = -cells.reduce((sum, u) => {
    const f = 4 * u ** 3;
    return sum + f * Math.log(f / (f / 2 + 2 * (1 - u) ** 3)) / cells.length;
  }, 0);
  const net = dequantizer(FOUR, { ...AFFINE, weightNorm: true });
  /** The mean of log f - log q over `count` images, in nats a pixel. */
  const gap = (params: DequantizerParams, count: number, draws: Noise): tf.Scalar => {
    const x = tf.cast(tf.greater(draws.split("x").uniform([count, 2, 2, 1]), 0.5), "float32");
    const images = x as tf.Tensor4D;
    const { u, logDensity } = net.draw(params, {
      images,
      xi: draws.split("xi").normal([count, 2, 2, 1]),
    });
    const side = tf.add(tf.mul(x, u), tf.mul(tf.sub(1, x), tf.sub(1, u)));
    // u may round to 0 or 1 in float32.
    const logF = tf.add(tf.mul(tf.log(tf.maximum(side, 1e-7)), 3), Math.log(4));
    return tf.div(tf.mean(tf.sub(tf.sum(logF, [1, 2, 3]), logDensity)), 4);
  };
  const params = net.init(noise("lesson"));
  const initial = toArrays({ params, slots: initAdam(params) });
  await using device = await openDevice("cpu", { threads: 1 });
  const inputsAt = (step: number) => ({
    step: { shape: [], dtype: "int32", data: Int32Array.of(step) } as const,
  });
  await using program = await device.compile(({ state, inputs }) => {
    const step = inputs.step as tf.Scalar;
    const before = unflatten(state) as unknown as AdamState<DequantizerParams>;
    const draws = createNoise(keyOf(1), step);
    const { gradients } = lossAndGradients(
      (params: DequantizerParams) => ({ loss: tf.neg<tf.Scalar>(gap(params, 64, draws)) }),
      before.params,
    );
    const { params, slots } = adam(before, { gradients, learningRate: 0.01, step });
    return { state: flatten({ params, slots }), outputs: { step } };
  }, { state: initial, inputs: inputsAt(0) });
  let state = await device.upload(initial);
  for (let step = 0; step < 250; step++) state = (await program.run(state, inputsAt(step))).state;
  const trained = unflatten(toTensors(await device.download(state))) as unknown as AdamState<
    DequantizerParams
  >;
  const [bound] = gap(trained.params, 4000, noise("test")).dataSync();
  assert.ok(blindBound > uniformBound && Math.abs(uniformBound + 1.614) < 1e-3);
  assert.ok(bound < 0.01, `${bound} nats above the likelihood`);
  assert.ok(
    bound > blindBound / 2,
    `${bound} nats a pixel; blind ${blindBound}, uniform ${uniformBound}`,
  );
});

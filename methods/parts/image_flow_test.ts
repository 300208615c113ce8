import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { createNoise, keyOf } from "../../harness/core/noise.ts";
import { mapTree } from "../../harness/core/tree.ts";
import type { ImageShape } from "../../harness/core/types.ts";
import {
  fromBoard,
  imageFlow,
  type ImageFlowHyper,
  type ImageFlowParams,
  squeeze,
  toBoard,
  unsqueeze,
} from "./image_flow.ts";
import { logisticMixture, logisticMixtureInverse } from "./logistic_mixture.ts";
import { inverseOf, mixingMatrix } from "./mixing.ts";
import { logAbsDet } from "../testing/log_abs_det.ts";

const noise = (...path: (string | number)[]) =>
  createNoise(keyOf(0), tf.scalar(0, "int32")).split(...path);

const SMALL: ImageFlowHyper = {
  scales: [{ channels: 0, board: 2 }, { channels: 1, board: 1 }],
  channels: 4,
  blocks: 1,
  attention: false,
  components: 0,
  weightNorm: false,
};
const KINDS: Readonly<Record<string, ImageFlowHyper>> = {
  affine: SMALL,
  "mixture, attention and normalised weights": {
    ...SMALL,
    attention: true,
    components: 3,
    weightNorm: true,
  },
};

/** Initial parameters with every entry moved: no mean, scale or shift is 0, and no mixture the identity. */
function movedParams(image: ImageShape, hyper: ImageFlowHyper): ImageFlowParams {
  const params = imageFlow(image, hyper).init(noise("init"));
  return mapTree(
    params,
    ([w], path) => tf.add(w, tf.mul(noise("move", path).normal(w.shape), 0.1)),
  );
}

/** Images in [0, 1]. */
const imagesOf = (count: number, { height, width, channels }: ImageShape): tf.Tensor4D =>
  noise("images", count).uniform([count, height, width, channels]);

const worstOf = (a: tf.Tensor, b: tf.Tensor) => tf.max(tf.abs(tf.sub(a, b))).dataSync()[0];

for (const [kind, hyper] of Object.entries(KINDS)) {
  Deno.test(`imageFlow() ${kind}: decode() inverts encode(), and encode() decode()`, async () => {
    await tf.setBackend("cpu");
    const image = { height: 8, width: 8, channels: 3 };
    const flow = imageFlow(image, hyper);
    const params = movedParams(image, hyper);
    const v = imagesOf(2, image);
    const { code } = flow.encode(params, v);
    assert.ok(worstOf(flow.decode(params, code), v) < 1e-4);
    // Codes near those of images: float32 has no image whose logits are beyond 17.
    const drawn: tf.Tensor2D = tf.add(code, tf.mul(noise("code").normal([2, 192]), 0.1));
    const again = flow.encode(params, flow.decode(params, drawn)).code;
    assert.ok(worstOf(again, drawn) < 1e-3, `${worstOf(again, drawn)}`);
  });

  Deno.test(`imageFlow() ${kind}: logDet is that of the numeric Jacobian`, async () => {
    await tf.setBackend("cpu");
    const image = { height: 4, width: 4, channels: 1 };
    const size = 16;
    const flow = imageFlow(image, hyper);
    const params = movedParams(image, hyper);
    const v = tf.add(tf.mul(imagesOf(1, image), 0.6), 0.2) as tf.Tensor4D;
    // Central differences of 0.002: float32 rounds codes by 1e-6, hence slopes of about 4 by 3e-4, and ln |det| by about
    // 16^(1/2) 1e-4 times the condition of the Jacobian.
    const step = 0.002;
    const moves = tf.reshape(tf.mul(tf.eye(size), step), [size, 4, 4, 1]);
    const [up, down] = [tf.add(v, moves), tf.sub(v, moves)].map((x) =>
      flow.encode(params, x as tf.Tensor4D).code.arraySync()
    );
    const jacobian = up.map((row, i) => row.map((value, j) => (value - down[i][j]) / (2 * step)));
    const [logDet] = flow.encode(params, v).logDet.dataSync();
    const numeric = logAbsDet(jacobian);
    assert.ok(Math.abs(logDet - numeric) < 0.02, `${logDet}, numerically ${numeric}`);
  });

  Deno.test(`imageFlow() ${kind}: the density of an image of two pixels integrates to 1`, async () => {
    await tf.setBackend("cpu");
    const image = { height: 1, width: 1, channels: 2 };
    const pair = { ...hyper, scales: [{ channels: 3, board: 0 }], attention: false };
    const params = movedParams(image, pair);
    // v reaches from -1/18 to 1 + 1/18; the midpoint rule on 80 x 80 cells.
    const [cells, low, extent] = [80, -1 / 18, 10 / 9];
    const centres = tf.add(tf.mul(tf.add(tf.range(0, cells), 0.5), extent / cells), low);
    const grid = tf.stack([
      tf.tile(tf.reshape(centres, [cells, 1]), [1, cells]),
      tf.tile(tf.reshape(centres, [1, cells]), [cells, 1]),
    ], 2);
    const v: tf.Tensor4D = tf.reshape(grid, [cells * cells, 1, 1, 2]);
    const { code, logDet } = imageFlow(image, pair).encode(params, v);
    const logNormal = tf.sub(tf.mul(tf.sum(tf.square(code), 1), -0.5), Math.log(2 * Math.PI));
    const density = tf.exp(tf.add(logNormal, logDet));
    const [mass] = tf.mul(tf.sum(density), (extent / cells) ** 2).dataSync();
    assert.ok(Math.abs(mass - 1) < 0.01, `${mass}`);
  });
}

Deno.test("toBoard() and squeeze() move every number to one place, and back", async () => {
  await tf.setBackend("cpu");
  const x: tf.Tensor4D = tf.reshape(tf.range(0, 2 * 4 * 6 * 3), [2, 4, 6, 3]);
  assert.equal(worstOf(fromBoard(toBoard(x)), x), 0);
  assert.equal(worstOf(unsqueeze(squeeze(x)), x), 0);
  // Fields (row + column) mod 2 = 0 are in the first half of the channels.
  const colours = tf.tensor4d([0, 1, 0, 1, 1, 0, 1, 0], [1, 2, 4, 1]);
  const [black, white] = tf.split(toBoard(colours), 2, 3).map((half) => [...half.dataSync()]);
  assert.deepEqual([black, white], [[0, 0, 0, 0], [1, 1, 1, 1]]);
  const corner = tf.slice(squeeze(x), [0, 0, 0, 0], [1, 1, 1, 12]).dataSync();
  assert.deepEqual([...corner], [0, 3, 18, 21, 1, 4, 19, 22, 2, 5, 20, 23]);
});

Deno.test("mixingMatrix() has the determinant of its diagonal, and inverseOf() inverts it", async () => {
  await tf.setBackend("cpu");
  for (const d of [2, 6, 12]) {
    const params = {
      factors: tf.mul(noise("factors", d).normal([d, d]), 0.3),
      logDiagonal: tf.mul(noise("diagonal", d).normal([d]), 0.3),
    };
    const w = mixingMatrix(params);
    assert.ok(worstOf(tf.matMul(w, inverseOf(params)), tf.eye(d)) < 1e-5);
    const [sum] = tf.sum(params.logDiagonal).dataSync();
    assert.ok(Math.abs(logAbsDet(w.arraySync()) - sum) < 1e-5);
  }
});

Deno.test("logisticMixture() is the logit of a mixture's distribution function, with its slope, and is inverted", async () => {
  await tf.setBackend("cpu");
  const one = (values: number[]) => tf.tensor(values, [1, 1, 1, 1, values.length]);
  const mixture = {
    logits: one([0.3, -1, 0.5]),
    means: one([-2, 0.1, 3]),
    logScales: one([-1, 0.2, -3]),
  };
  const x = tf.tensor4d([-30, -2.2, -0.5, 0.4, 2.9, 3.1, 40], [7, 1, 1, 1]);
  const { value, logSlope } = logisticMixture(x, mixture);
  const weights = [0.3, -1, 0.5].map(Math.exp);
  const total = weights.reduce((a, b) => a + b);
  const logitAt = (x: number) => {
    const cdf = (sign: number) =>
      [-2, 0.1, 3].reduce((sum, mean, i) => {
        const z = (x - mean) / Math.exp([-1, 0.2, -3][i]);
        return sum + weights[i] / total / (1 + Math.exp(-sign * z));
      }, 0);
    return Math.log(cdf(1)) - Math.log(cdf(-1));
  };
  [...x.dataSync()].forEach((at, i) => {
    const [ours, exact] = [value.dataSync()[i], logitAt(at)];
    assert.ok(Math.abs(ours - exact) < 1e-4 * Math.max(1, Math.abs(exact)), `${at}: ${ours}`);
    const slope = (logitAt(at + 1e-4) - logitAt(at - 1e-4)) / 2e-4;
    assert.ok(Math.abs(Math.exp(logSlope.dataSync()[i]) / slope - 1) < 1e-3, `slope at ${at}`);
  });
  assert.ok(worstOf(logisticMixtureInverse(value, mixture), x) < 1e-3);
});

/**
 * A normalizing flow on vectors in the manner of Glow (Kingma and Dhariwal 2018, table 1), as the prior of latents
 * (Xie et al. 2023, latent space normalizing flow, and their code, model.py): layers of an activation normalization, a mixing of
 * all dimensions and an affine coupling. `flowForward` takes latents to noise, `flowInverse` noise to latents.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { repeat } from "../../harness/core/repeat.ts";
import type { Noise } from "../../harness/core/types.ts";
import { initNet } from "./nets.ts";
import { logStandardNormal } from "./standard_normal.ts";

/** (x + shift) exp(3 logScale): the factor is the released code's. */
type ActnormParams = { readonly shift: tf.Tensor; readonly logScale: tf.Tensor };

/** The network of a coupling: two hidden layers of HIDDEN units with actnorms, and a last one that starts at zero. */
type CouplingParams = {
  readonly first: ActnormParams & { readonly weight: tf.Tensor };
  readonly second: ActnormParams & { readonly weight: tf.Tensor };
  readonly last: {
    readonly weight: tf.Tensor;
    readonly bias: tf.Tensor;
    readonly logScale: tf.Tensor;
  };
};

/** W = P L (U + diag(sign exp(logScale))) [d, d]: L and U are the strict triangles of `lower`, with ones added, and of `upper`. */
type MixingParams = {
  readonly lower: tf.Tensor;
  readonly upper: tf.Tensor;
  readonly logScale: tf.Tensor;
};

/** Learned parameters of a layer of the flow. */
export type LatentFlowLayer = {
  readonly actnorm: ActnormParams;
  readonly mixing: MixingParams;
  readonly coupling: CouplingParams;
};

/** Parts that stay as they were drawn: the permutation P as a matrix [d, d], and the signs [d]. */
export type Pivots = { readonly order: tf.Tensor; readonly sign: tf.Tensor };

/** Layers by number, from 0, in the order from latents to noise. */
export type LatentFlow = { readonly [layer: string]: LatentFlowLayer };
export type FlowPivots = { readonly [layer: string]: Pivots };

/** Width of the couplings' networks, exponent of the actnorms, deviation of what starts at random: the released code's. */
const HIDDEN = 64;
const LOG_SCALE_FACTOR = 3;
const INITIAL_DEVIATION = 0.05;
/** The scale of a coupling is sigmoid(h + 2). */
const SCALE_OFFSET = 2;

/** Throws RangeError unless a flow of couplings has halves to couple. */
export function checkFlowDim(latentDim: number): void {
  if (latentDim % 2 !== 0) {
    throw new RangeError(`latentDim must be even for a flow with couplings, got ${latentDim}`);
  }
}

/** Multiply-accumulates of one pass for one latent. */
export function flowMacs(
  { latentDim, depth }: Readonly<Record<"latentDim" | "depth", number>>,
): number {
  const coupling = latentDim / 2 * HIDDEN + HIDDEN ** 2 + HIDDEN * latentDim;
  return depth * (latentDim ** 2 + coupling);
}

/** A flow of `depth` layers on latents of `latentDim`, whose mixings start as random rotations. */
export function initLatentFlow(
  { latentDim, depth }: Readonly<Record<"latentDim" | "depth", number>>,
  noise: Noise,
): { readonly flow: LatentFlow; readonly pivots: FlowPivots } {
  checkFlowDim(latentDim);
  const [flow, pivots]: [Record<string, LatentFlowLayer>, Record<string, Pivots>] = [{}, {}];
  for (let k = 0; k < depth; k++) {
    const of = noise.split("flow", k);
    const draw = (name: string, shape: readonly number[]): tf.Tensor =>
      tf.mul(of.split(name).normal(shape), INITIAL_DEVIATION);
    const actnorm = (name: string, dim: number): ActnormParams => ({
      shift: draw(`${name}Shift`, [dim]),
      logScale: draw(`${name}LogScale`, [dim]),
    });
    const { mixing, pivots: fixed } = rotation(latentDim, of.split("mixing"));
    flow[k] = {
      actnorm: actnorm("actnorm", latentDim),
      mixing,
      coupling: {
        first: { weight: draw("first", [latentDim / 2, HIDDEN]), ...actnorm("first", HIDDEN) },
        second: { weight: draw("second", [HIDDEN, HIDDEN]), ...actnorm("second", HIDDEN) },
        last: {
          weight: tf.zeros([HIDDEN, latentDim]),
          bias: tf.zeros([latentDim]),
          logScale: tf.zeros([latentDim]),
        },
      },
    };
    pivots[k] = fixed;
  }
  return { flow, pivots };
}

/** A flow whose mixings are matrices: made once, then used for many latents. */
export type ReadyFlow = readonly (Omit<LatentFlowLayer, "mixing"> & {
  /** W, [d, d], and log |det W|. */
  readonly matrix: tf.Tensor2D;
  readonly logDet: tf.Scalar;
})[];

/** The layers of `flow` with their matrices W. */
export function readyFlow(flow: LatentFlow, pivots: FlowPivots): ReadyFlow {
  return Object.keys(flow).map((_, k) => {
    const { mixing: { lower, upper, logScale }, ...layer } = flow[k];
    const { order, sign } = pivots[k];
    const [d] = logScale.shape;
    const { below, above, identity } = triangles(d);
    const scale = tf.mul(identity, tf.mul(sign, tf.exp(logScale)));
    // Deviation: The mixing is stored as P L (U + diag(s)), as in Glow, so that log |det W| is a sum: the released code of the latent flow has a dense matrix
    const l = tf.add(tf.mul(lower, below), identity) as tf.Tensor2D;
    const u = tf.add(tf.mul(upper, above), scale) as tf.Tensor2D;
    const matrix: tf.Tensor2D = tf.matMul(order as tf.Tensor2D, tf.matMul(l, u));
    return { ...layer, matrix, logDet: tf.sum(logScale) };
  });
}

/** Transported rows, and the sum over layers of log |det| of the Jacobian, [m]. */
export interface Flowed {
  readonly noise: tf.Tensor2D;
  readonly logDet: tf.Tensor1D;
}

/** From latents `z` [m, d] to noise. */
export function flowForward(flow: ReadyFlow, z: tf.Tensor2D): Flowed {
  let x: tf.Tensor = z;
  let logDet: tf.Tensor = tf.zeros([z.shape[0]]);
  for (const { actnorm, matrix, logDet: ofMatrix, coupling } of flow) {
    const centred = tf.matMul(normalize(actnorm, x) as tf.Tensor2D, matrix);
    const [kept, changed] = halves(centred);
    const { shift, rawScale } = couple(coupling, kept);
    // log sigmoid(h) = -softplus(-h)
    const logScale = tf.neg(tf.softplus(tf.neg(rawScale)));
    x = tf.concat([kept, tf.mul(tf.add(changed, shift), tf.exp(logScale))], 1);
    const constant = tf.add(tf.mul(tf.sum(actnorm.logScale), LOG_SCALE_FACTOR), ofMatrix);
    logDet = tf.add(tf.add(logDet, constant), tf.sum(logScale, 1));
  }
  return { noise: x as tf.Tensor2D, logDet: logDet as tf.Tensor1D };
}

/** log p(z) in nats for each row of `z` [m, d], [m]. */
export function flowLogDensity(flow: ReadyFlow, z: tf.Tensor2D): tf.Tensor1D {
  const { noise, logDet } = flowForward(flow, z);
  return tf.add(logStandardNormal(noise), logDet);
}

/** From `noise` [m, d] to latents: draws of the prior if it is standard normal. */
export function flowInverse(flow: ReadyFlow, noise: tf.Tensor2D): tf.Tensor2D {
  const inverses = tf.unstack(inverseOf(matricesOf(flow)));
  let x: tf.Tensor = noise;
  for (let k = flow.length - 1; k >= 0; k--) {
    const { actnorm, coupling } = flow[k];
    const [kept, changed] = halves(x);
    const { shift, rawScale } = couple(coupling, kept);
    const free = tf.sub(tf.div(changed, tf.sigmoid(rawScale)), shift);
    const mixed = tf.matMul(tf.concat([kept, free], 1) as tf.Tensor2D, inverses[k] as tf.Tensor2D);
    const scale = tf.exp(tf.mul(actnorm.logScale, -LOG_SCALE_FACTOR));
    x = tf.sub(tf.mul(mixed, scale), actnorm.shift);
  }
  return x as tf.Tensor2D;
}

/** The largest entry of W X - I over the layers, X the inverses that `flowInverse` uses: above 1e-3 samples are not the prior's. */
export function mixingResidual(flow: ReadyFlow): tf.Scalar {
  const w = matricesOf(flow);
  const { identity } = triangles(w.shape[1]);
  return tf.max<tf.Scalar>(tf.abs(tf.sub(tf.matMul(w, inverseOf(w)), identity)));
}

/** Every W, [layers, d, d]. */
function matricesOf(flow: ReadyFlow): tf.Tensor3D {
  return tf.stack(flow.map(({ matrix }) => matrix)) as tf.Tensor3D;
}

/** Iterations of Newton and Schulz: the error squares in each, and a condition of 1000 needs some 20 to come below 1. */
const INVERSE_ITERATIONS = 30;

/**
 * Inverses of `w` [layers, d, d]: X' = X (2 - W X) from W' / (||W||_1 ||W||_inf), whose error W X - I squares in each iteration
 * (Schulz 1933; the start of Ben-Israel and Cohen 1966). Accurate to 2e-6 at d = 128 in float32, where a product of triangular
 * inverses fails.
 */
function inverseOf(w: tf.Tensor3D): tf.Tensor3D {
  const size = tf.abs(w);
  const bound = tf.mul(tf.max(tf.sum(size, 1), 1), tf.max(tf.sum(size, 2), 1)); // [layers]
  const start = tf.div(tf.transpose(w, [0, 2, 1]), tf.reshape(bound, [-1, 1, 1]));
  const { x } = repeat(INVERSE_ITERATIONS, { x: start as tf.Tensor }, ({ x }) => ({
    x: tf.sub(tf.mul(x, 2), tf.matMul(x, tf.matMul(w, x))),
  }));
  return x as tf.Tensor3D;
}

function normalize({ shift, logScale }: ActnormParams, x: tf.Tensor): tf.Tensor {
  return tf.mul(tf.add(x, shift), tf.exp(tf.mul(logScale, LOG_SCALE_FACTOR)));
}

/**
 * Shift and scale, before its sigmoid, of the second half, from the first, [m, d / 2] each.
 *
 * Deviation: Shifts and scales of a coupling are halves of its network's outputs, not even and odd columns: the same network up to the order of columns
 */
function couple(
  { first, second, last }: CouplingParams,
  kept: tf.Tensor2D,
): { readonly shift: tf.Tensor; readonly rawScale: tf.Tensor } {
  const dense = (x: tf.Tensor, weight: tf.Tensor) =>
    tf.matMul(x as tf.Tensor2D, weight as tf.Tensor2D);
  const h1 = tf.relu(normalize(first, dense(kept, first.weight)));
  const h2 = tf.relu(normalize(second, dense(h1, second.weight)));
  const h = tf.mul(
    tf.add(dense(h2, last.weight), last.bias),
    tf.exp(tf.mul(last.logScale, LOG_SCALE_FACTOR)),
  );
  const [shift, raw] = halves(h);
  return { shift, rawScale: tf.add(raw, SCALE_OFFSET) };
}

function halves(x: tf.Tensor): [tf.Tensor2D, tf.Tensor2D] {
  const [m, d] = x.shape;
  const half = (from: number): tf.Tensor2D => tf.slice(x, [0, from], [m, d / 2]) as tf.Tensor2D;
  return [half(0), half(d / 2)];
}

/** Ones below the diagonal, above it, and on it, [d, d]; by comparisons, since a compiled step takes no arrays. */
function triangles(d: number): Readonly<Record<"below" | "above" | "identity", tf.Tensor2D>> {
  const [row, column] = [[d, 1], [1, d]].map((shape) => tf.reshape(tf.range(0, d), shape));
  const ones = (mask: tf.Tensor): tf.Tensor2D => tf.cast(mask, "float32") as tf.Tensor2D;
  return {
    below: ones(tf.greater(row, column)),
    above: ones(tf.less(row, column)),
    identity: ones(tf.equal(row, column)),
  };
}

/** A random rotation or reflection as P L (U + diag(s)), by elimination with pivots in float64. */
function rotation(
  d: number,
  noise: Noise,
): { readonly mixing: MixingParams; readonly pivots: Pivots } {
  const layers = [{ kind: "linear", inputs: d, outputs: d }] as const;
  const net = { name: "rotation", layers, activation: "identity", output: "identity" } as const;
  const q = tf.tidy(() =>
    initNet({ ...net, init: "orthogonal" }, noise)[0].weight.arraySync()
  ) as number[][];
  const a = q.map((row) => [...row]);
  const order = Array.from({ length: d }, (_, i) => i);
  for (let j = 0; j < d; j++) {
    let pivot = j;
    for (let i = j + 1; i < d; i++) if (Math.abs(a[i][j]) > Math.abs(a[pivot][j])) pivot = i;
    [a[j], a[pivot]] = [a[pivot], a[j]];
    [order[j], order[pivot]] = [order[pivot], order[j]];
    for (let i = j + 1; i < d; i++) {
      a[i][j] /= a[j][j];
      for (let c = j + 1; c < d; c++) a[i][c] -= a[i][j] * a[j][c];
    }
  }
  const part = (isKept: (row: number, column: number) => boolean) =>
    tf.tensor2d(a.map((row, i) => row.map((v, j) => isKept(i, j) ? v : 0)));
  return {
    mixing: {
      lower: part((i, j) => i > j),
      upper: part((i, j) => i < j),
      logScale: tf.tensor1d(a.map((row, i) => Math.log(Math.abs(row[i])))),
    },
    pivots: {
      // Row order[j] of W is row j of L U.
      order: tf.tensor2d(order.map((_, row) => order.map((from) => from === row ? 1 : 0))),
      sign: tf.tensor1d(a.map((row, i) => Math.sign(row[i]))),
    },
  };
}

/** Deviations of the flow. */
export const LATENT_FLOW_DEVIATIONS: readonly string[] = [
  "The mixing is stored as P L (U + diag(s)), as in Glow, so that log |det W| is a sum: the released code of the latent flow has a dense matrix",
  "Shifts and scales of a coupling are halves of its network's outputs, not even and odd columns: the same network up to the order of columns",
];

import * as tf from "@tensorflow/tfjs";
import { fixedNormals } from "../../harness/core/noise.ts";
import type { Sampler, Target } from "../../harness/core/toy_types.ts";
import type { State } from "../../harness/core/types.ts";

/** Fits of each posterior, of which the one with the best bound stays: a bound over several modes has several optima. */
const STARTS = 8;
/** Samples of each bound a step: of 4, the noise of the last steps left some 0.01 nats. */
const SAMPLES = 32;
const LEARNING_RATE = 0.02;
/** Standard deviation of q at the start: narrower than the prior, so that starts differ. */
const FIRST_STD = 0.5;
const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-8];

/**
 * A Gaussian q(z) = N(m, L L') for each point, fitted by Adam to the evidence lower bound over the burn-in, with a learning
 * rate that falls to zero, and drawn from afterwards. Every chain gives one reparametrised sample of the bound (one for each
 * copy, where points are copies of one density). The fit is made from several starts: that of the best bound, on average over
 * the last quarter of the burn-in, is drawn from. A full covariance is diagonal for the first half, so that it ends no worse
 * than a diagonal one. Kingma and Welling 2014; LAE appendix F.2.
 *
 * State: mean [starts, rows, dim], raw [starts, rows, dim, dim], their moments, loss [starts, rows], the summed negative
 * bound up to a constant; rows are the points, or one for all.
 */
function gaussianFit(
  { covariance, ...described }: Pick<Sampler, "name" | "label"> & {
    readonly covariance: "diagonal" | "full";
  },
): Sampler {
  /** L of raw parameters [..., dim, dim]: exp on the diagonal; below it, they are as they are times `freed`, 0 or 1. */
  const factor = (raw: tf.Tensor, freed: tf.Tensor) => {
    const dim = raw.shape[raw.rank - 1];
    const diagonal = tf.mul(tf.exp(raw), onDiagonal(dim));
    if (covariance === "diagonal") return diagonal;
    return tf.add(diagonal, tf.mul(tf.mul(raw, tf.step(depthBelow(dim))), freed));
  };
  /** m + L xi, [starts, chains, points, dim] with xi of the same shape. */
  const reparametrise = (mean: tf.Tensor, l: tf.Tensor, xi: tf.Tensor) =>
    tf.add(tf.expandDims(mean, 1), tf.sum(tf.mul(tf.expandDims(l, 1), tf.expandDims(xi, 3)), 4));
  // One density, one fit: a fit for each of its copies would be a mixture.
  const rowsOf = ({ points, answer }: Target) =>
    answer.kind === "grid" && answer.shared ? 1 : points;
  return {
    ...described,
    rule: "avi",
    source: `LAE appendix F.2; Kingma and Welling 2014, Gaussian q with ${covariance} covariance`,
    deviations: [
      "q is fitted to each point by itself: an inference network can do no better",
      `the best of ${STARTS} fits from different starts is taken: the bound has several optima`,
      ...(covariance === "full"
        ? [
          "the covariance is diagonal for the first half of the burn-in: it then ends no worse than a diagonal one",
        ]
        : []),
      `Adam with learning rate ${LEARNING_RATE}, falling to zero over the burn-in: the paper names no optimizer`,
    ],
    gradientsPerStep: () => STARTS,
    settings: (target) => ({
      chains: Math.ceil(SAMPLES * rowsOf(target) / target.points),
      burnIn: 2000,
      steps: 2100,
      thin: 1,
    }),
    ungated: () => "a fit of one Gaussian, shown for comparison: no sampling makes it exact",
    init: (target, { settings: { chains } }) => {
      const { points, dim } = target;
      const rows = rowsOf(target);
      // The same for all points, seeds and families, so that a wider family finds no worse.
      const means = fixedNormals("avi/starts", { rows: STARTS, width: dim });
      const starts = tf.expandDims(tf.tensor2d(means), 1);
      const mean = tf.tile(starts, [1, rows, 1]);
      const raw = tf.mul(tf.eye(dim), Math.log(FIRST_STD));
      const fits = { mean, raw: tf.tile(tf.reshape(raw, [1, 1, dim, dim]), [STARTS, rows, 1, 1]) };
      return {
        ...fits,
        ...Object.fromEntries(
          Object.entries(fits).flatMap(([name, t]) =>
            ["m", "v"].map((slot) => [`adam/${slot}/${name}`, tf.zerosLike(t)])
          ),
        ),
        loss: tf.zeros([STARTS, rows]),
        z: tf.zeros([chains, points, dim]),
      };
    },
    draws: (target, { chains }) => ({
      xi: { shape: [STARTS, chains, target.points, target.dim], kind: "normal" },
    }),
    step: (state, { target, parameters, settings: { burnIn, chains }, draws: { xi }, step }) => {
      const { points, dim } = target;
      const rows = rowsOf(target);
      const freed = tf.cast(tf.greaterEqual(step, burnIn / 2), "float32");
      /** Each fit's negative bound, [starts, rows], times its weight. */
      const losses = (mean: tf.Tensor, raw: tf.Tensor, weights: tf.Tensor) => {
        const z = tf.reshape(reparametrise(mean, factor(raw, freed), xi), [-1, points, dim]);
        const energy = tf.neg(target.logDensity(z as tf.Tensor3D, parameters));
        // A row's samples are those of its point, or of all points.
        const samples = tf.reshape(energy, [STARTS, chains * points / rows, rows]);
        const entropy = tf.sum(tf.mul(raw, onDiagonal(dim)), [2, 3]); // sum of log L_ii
        return tf.sum(tf.mul(weights, tf.sub(tf.mean(samples, 1), entropy))) as tf.Scalar;
      };
      // The gradient in a fit's weight is its loss.
      const [mean, raw, loss] = tf.grads(losses)([
        state.mean,
        state.raw,
        tf.onesLike(state.loss),
      ]);
      const rate = tf.mul(tf.relu(tf.sub(1, tf.div(step, burnIn))), LEARNING_RATE);
      const count = tf.add(step, 1);
      const isSettled = tf.logicalAnd(
        tf.greaterEqual(step, 3 * burnIn / 4),
        tf.less(step, burnIn),
      );
      const best = tf.cast(tf.equal(state.loss, tf.min(state.loss, 0, true)), "float32");
      const all = reparametrise(state.mean, factor(state.raw, freed), xi);
      return {
        ...state,
        ...adam(state, { gradients: { mean, raw }, rate, count }),
        loss: tf.add(state.loss, tf.mul(tf.cast(isSettled, "float32"), loss)),
        z: tf.sum(tf.mul(tf.reshape(best, [STARTS, 1, rows, 1]), all), 0),
      };
    },
    fits: ({ mean, raw, loss }) => {
      const [, rows, dim] = mean.shape;
      return Array.from({ length: rows }, (_, row) => {
        const losses = Array.from({ length: STARTS }, (_, i) => loss.data[i * rows + row]);
        const fit = losses.indexOf(Math.min(...losses)) * rows + row;
        const l = Array.from({ length: dim }, (_, i) =>
          Array.from({ length: dim }, (_, j) => {
            const value = raw.data[(fit * dim + i) * dim + j];
            return i === j ? Math.exp(value) : covariance === "full" && i > j ? value : 0;
          }));
        return {
          mean: [...mean.data.subarray(fit * dim, (fit + 1) * dim)],
          covariance: l.map((a) => l.map((b) => a.reduce((sum, v, k) => sum + v * b[k], 0))),
        };
      });
    },
    latents: ({ z }) => z as tf.Tensor3D,
  };
}

/** i - j of the entries of a matrix, computed in the graph: constants of many entries are refused there. */
function depthBelow(dim: number): tf.Tensor {
  const index = tf.range(0, dim);
  return tf.sub(tf.reshape(index, [dim, 1]), tf.reshape(index, [1, dim]));
}

/** The identity matrix, likewise. */
function onDiagonal(dim: number): tf.Tensor {
  return tf.sub(1, tf.step(tf.abs(depthBelow(dim))));
}

/** Adam's step on the named entries of `state` and their slots. Kingma and Ba 2015, algorithm 1. */
function adam(
  state: State,
  { gradients, rate, count }: {
    readonly gradients: State;
    readonly rate: tf.Tensor;
    readonly count: tf.Tensor;
  },
): State {
  const unbias = (beta: number) => tf.sub(1, tf.exp(tf.mul(count, Math.log(beta))));
  return Object.fromEntries(
    Object.entries(gradients).flatMap(([name, g]) => {
      const [m, v] = [`adam/m/${name}`, `adam/v/${name}`];
      const nextM = tf.add(tf.mul(state[m], BETA1), tf.mul(g, 1 - BETA1));
      const nextV = tf.add(tf.mul(state[v], BETA2), tf.mul(tf.square(g), 1 - BETA2));
      const scale = tf.add(tf.sqrt(tf.div(nextV, unbias(BETA2))), EPSILON);
      const move = tf.div(tf.mul(tf.div(nextM, unbias(BETA1)), rate), scale);
      return [[name, tf.sub(state[name], move)], [m, nextM], [v, nextV]];
    }),
  );
}

/** Variational inference by Gaussians with independent coordinates. */
export const aviDiagonal = gaussianFit({
  name: "avi_diagonal",
  label: "AVI, diagonal",
  covariance: "diagonal",
});

/** Variational inference by Gaussians with any covariance. */
export const aviFull = gaussianFit({ name: "avi_full", label: "AVI, full", covariance: "full" });

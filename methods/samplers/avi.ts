import * as tf from "@tensorflow/tfjs";
import type { Sampler, Target } from "../../harness/toy/types.ts";
import type { State } from "../../harness/types.ts";

/** Samples of each bound a step: of 4, the noise of the last steps left some 0.01 nats. */
const SAMPLES = 32;
const LEARNING_RATE = 0.02;
const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-8];

/**
 * A Gaussian q(z) = N(m, L L') for each point, fitted by Adam to the evidence lower bound over the burn-in, with a learning
 * rate that falls to zero, and drawn from afterwards. Every chain gives one reparametrised sample of the bound (one for each
 * copy, where points are copies of one density). Kingma and Welling 2014; LAE appendix F.2.
 */
function gaussianFit(
  { covariance, ...described }: Pick<Sampler, "name" | "label"> & {
    readonly covariance: "diagonal" | "full";
  },
): Sampler {
  /** L of raw parameters [rows, dim, dim]: below the diagonal as they are, exp on it. */
  const factor = (raw: tf.Tensor) => {
    const dim = raw.shape[2] ?? 1;
    const mask = (keep: (i: number, j: number) => boolean) =>
      tf.tensor2d(
        Array.from({ length: dim }, (_, i) =>
          Array.from({ length: dim }, (_, j) => Number(keep(i, j)))),
      );
    const diagonal = tf.mul(tf.exp(raw), mask((i, j) => i === j));
    return covariance === "full" ? tf.add(diagonal, tf.mul(raw, mask((i, j) => i > j))) : diagonal;
  };
  /** m + L xi, [chains, points, dim] with xi of the same shape; rows are the points, or one for all. */
  const reparametrise = (mean: tf.Tensor, raw: tf.Tensor, xi: tf.Tensor) =>
    tf.add(mean, tf.sum(tf.mul(factor(raw), tf.expandDims(xi, 2)), 3));
  // One density, one fit: a fit for each of its copies would be a mixture.
  const rowsOf = ({ points, answer }: Target) =>
    answer.kind === "grid" && answer.shared ? 1 : points;
  return {
    ...described,
    source: `LAE appendix F.2; Kingma and Welling 2014, Gaussian q with ${covariance} covariance`,
    deviations: [
      "q is fitted to each point by itself: an inference network can do no better",
      `Adam with learning rate ${LEARNING_RATE}, falling to zero over the burn-in: the paper names no optimizer`,
    ],
    gradientsPerStep: () => 1,
    settings: (target) => ({
      chains: Math.ceil(SAMPLES * rowsOf(target) / target.points),
      burnIn: 2000,
      steps: 3000,
      thin: 10,
    }),
    ungated: () => "a fit of one Gaussian, shown for comparison: no sampling makes it exact",
    init: (target, { settings: { chains } }) => {
      const rows = rowsOf(target);
      const mean = tf.zeros([rows, target.dim]);
      const raw = tf.zeros([rows, target.dim, target.dim]);
      return {
        mean,
        raw,
        ...Object.fromEntries(
          Object.entries({ mean, raw }).flatMap(([name, t]) =>
            ["m", "v"].map((slot) => [`adam/${slot}/${name}`, tf.zerosLike(t)])
          ),
        ),
        z: tf.zeros([chains, target.points, target.dim]),
      };
    },
    draws: (target, { chains }) => ({
      xi: { shape: [chains, target.points, target.dim], kind: "normal" },
    }),
    step: (state, { target, parameters, settings: { burnIn, chains }, draws: { xi }, step }) => {
      const negBound = (mean: tf.Tensor, raw: tf.Tensor) => {
        const z = reparametrise(mean, raw, xi);
        const energy = tf.neg(tf.sum(target.logDensity(z as tf.Tensor3D, parameters)));
        const eye = tf.eye(target.dim);
        const entropy = tf.sum(tf.mul(raw, eye)); // sum of log L_ii
        const samples = chains * target.points / rowsOf(target);
        return tf.sub(tf.div(energy, samples), entropy) as tf.Scalar;
      };
      const [mean, raw] = tf.grads(negBound)([state.mean, state.raw]);
      const rate = tf.mul(tf.relu(tf.sub(1, tf.div(step, burnIn))), LEARNING_RATE);
      const count = tf.add(step, 1);
      return {
        ...state,
        ...adam(state, { gradients: { mean, raw }, rate, count }),
        z: reparametrise(state.mean, state.raw, xi),
      };
    },
    fits: ({ mean, raw }) => {
      const [rows, dim] = mean.shape;
      return Array.from({ length: rows }, (_, row) => {
        const l = Array.from({ length: dim }, (_, i) =>
          Array.from({ length: dim }, (_, j) => {
            const value = raw.data[(row * dim + i) * dim + j];
            return i === j ? Math.exp(value) : covariance === "full" && i > j ? value : 0;
          }));
        return {
          mean: [...mean.data.subarray(row * dim, (row + 1) * dim)],
          covariance: l.map((a) => l.map((b) => a.reduce((sum, v, k) => sum + v * b[k], 0))),
        };
      });
    },
    latents: ({ z }) => z as tf.Tensor3D,
  };
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

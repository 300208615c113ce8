import * as tf from "@tensorflow/tfjs";
import { mapTree } from "../../harness/core/tree.ts";
import type { Tree } from "../../harness/core/types.ts";

/** Means of the gradient and of its square, each a tree like the parameters. */
export type AdamSlots<P extends Tree = Tree> = { readonly m: P; readonly v: P };

/** Parameters that Adam updates, and their slots. */
export interface AdamState<P extends Tree> {
  readonly params: P;
  readonly slots: AdamSlots<P>;
}

/** Arguments of one step of Adam. */
export interface AdamOptions<P extends Tree> {
  readonly gradients: P;
  readonly learningRate: number | tf.Scalar;
  /** Number of previous steps, int32: `batch.step`. */
  readonly step: tf.Scalar;
  /** Decay rates of the means of the gradient and of its square; BETA1 and BETA2 if absent. */
  readonly betas?: readonly [number, number];
}

/** Adam's decay rates as in LEBM's code (and for GANs: Radford et al. 2015); epsilon as published. */
export const BETA1 = 0.5;
export const BETA2 = 0.999;
const EPSILON = 1e-8;

/** Initial slots of Adam for `params`: zeros. */
export function initAdam<P extends Tree>(params: P): AdamSlots<P> {
  const zeros = () => mapTree(params, ([w]) => tf.zerosLike(w));
  return { m: zeros(), v: zeros() };
}

/** Parameters and slots after one step of Adam down `gradients`. Kingma and Ba 2015, algorithm 1. */
export function adam<P extends Tree>(
  { params, slots }: AdamState<P>,
  { gradients, learningRate, step, betas: [beta1, beta2] = [BETA1, BETA2] }: AdamOptions<P>,
): AdamState<P> {
  const t = tf.add(tf.cast(step, "float32"), 1);
  const unbias = (beta: number) =>
    // 1 - beta^t
    beta === 0 ? tf.scalar(1) : tf.sub(1, tf.exp(tf.mul(t, Math.log(beta))));
  const stepLength = tf.div(learningRate, unbias(beta1));
  const vScale = tf.reciprocal(unbias(beta2));
  const m = mapTree(
    slots.m,
    ([m, g]) => tf.add(tf.mul(m, beta1), tf.mul(g, 1 - beta1)),
    gradients,
  );
  const v = mapTree(
    slots.v,
    ([v, g]) => tf.add(tf.mul(v, beta2), tf.mul(tf.square(g), 1 - beta2)),
    gradients,
  );
  const next = mapTree(
    params,
    ([w, m, v]) => {
      const root = tf.add(tf.sqrt(tf.mul(v, vScale)), EPSILON);
      return tf.sub(w, tf.mul(stepLength, tf.div(m, root)));
    },
    m,
    v,
  );
  return { params: next, slots: { m, v } };
}

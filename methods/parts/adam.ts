import * as tf from "@tensorflow/tfjs";
import type { State } from "../../harness/core/types.ts";

/** Constants of Adam. */
export interface AdamOptions {
  readonly learningRate: number | tf.Scalar;
  /** Steps done before this one, int32: `batch.step`. */
  readonly step: tf.Scalar;
  readonly gradients: State;
}

/** Adam's decay rates, as LEBM's code sets them (and GAN practice: Radford et al. 2015); epsilon as published. */
export const BETA1 = 0.5;
export const BETA2 = 0.999;
const EPSILON = 1e-8;

const slots = (name: string) => [`adam/m/${name}`, `adam/v/${name}`] as const;

/** The slots of Adam for each of `names`: means of the gradient and of its square, zero. */
export function initAdam(state: State, names: readonly string[]): State {
  return Object.fromEntries(
    names.flatMap((name) => slots(name).map((slot) => [slot, tf.zerosLike(state[name])])),
  );
}

/** `state` after one step of Adam down `gradients`, slots included. Kingma and Ba 2015, algorithm 1. */
export function adam(state: State, { gradients, learningRate, step }: AdamOptions): State {
  const t = tf.add(tf.cast(step, "float32"), 1);
  const unbias = (beta: number) => tf.sub(1, tf.exp(tf.mul(t, Math.log(beta)))); // 1 - beta^t
  const stepLength = tf.div(learningRate, unbias(BETA1));
  const vScale = tf.reciprocal(unbias(BETA2));
  const next: Record<string, tf.Tensor> = {};
  for (const [name, gradient] of Object.entries(gradients)) {
    const [mName, vName] = slots(name);
    const m = tf.add(tf.mul(state[mName], BETA1), tf.mul(gradient, 1 - BETA1));
    const v = tf.add(tf.mul(state[vName], BETA2), tf.mul(tf.square(gradient), 1 - BETA2));
    const root = tf.add(tf.sqrt(tf.mul(v, vScale)), EPSILON);
    next[name] = tf.sub(state[name], tf.mul(stepLength, tf.div(m, root)));
    next[mName] = m;
    next[vName] = v;
  }
  return { ...state, ...next };
}

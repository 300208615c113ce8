/**
 * A whole training step with a loop, noise and carried state, on which each compiled device is tested.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { createNoise, keyOf } from "../../core/noise.ts";
import type { Device, HostArray, HostArrays, Program, PureFunction } from "../../core/types.ts";
import { repeat } from "../../core/repeat.ts";

/** Required relative error of a state after three steps: ten times that of a kernel. */
export const STATE_TOLERANCE = 1e-4;

/** Number of rows of a batch. */
export const BATCH = 12;
const LATENT = 8;

/** An array of smooth numbers of magnitude `scale`. */
export function filled(shape: number[], scale: number): HostArray {
  const size = shape.reduce((a, b) => a * b, 1);
  return {
    shape,
    dtype: "float32",
    data: Float32Array.from({ length: size }, (_, i) => scale * Math.sin(1 + i * 1.7)),
  };
}

/** The initial state: weights, one of them frozen. */
export const STATE: HostArrays = {
  w0: filled([4, 4, 32, LATENT], 0.2),
  b0: filled([32], 0.1),
  w1: filled([4, 4, 16, 32], 0.1),
  w2: filled([3, 3, 16, 1], 0.2),
  frozen: filled([LATENT, LATENT], 0.3),
};
/** The inputs of step `step`. */
export const inputs = (step: number): HostArrays => ({
  images: filled([BATCH, 8, 8, 1], 1),
  step: { shape: [], dtype: "int32", data: Int32Array.of(step) },
});

type Weights = Readonly<Record<string, tf.Tensor>>;

function decode(p: Weights, z: tf.Tensor): tf.Tensor {
  const n = z.shape[0];
  const pad = (
    k: number,
  ): [[number, number], [number, number], [number, number], [number, number]] => [[0, 0], [k, k], [
    k,
    k,
  ], [0, 0]];
  const h0 = tf.add(
    tf.conv2dTranspose(
      tf.reshape(z, [n, 1, 1, LATENT]) as tf.Tensor4D,
      p.w0 as tf.Tensor4D,
      [n, 4, 4, 32],
      1,
      pad(0),
    ),
    p.b0,
  );
  const h1 = tf.conv2dTranspose(
    tf.mul(h0, tf.sigmoid(h0)) as tf.Tensor4D,
    p.w1 as tf.Tensor4D,
    [n, 8, 8, 16],
    2,
    pad(1),
  );
  return tf.conv2d(tf.leakyRelu(h1) as tf.Tensor4D, p.w2 as tf.Tensor4D, 1, pad(1));
}

/** Five Langevin steps on the latents, then a gradient step on the weights, as in ABP. */
export const langevinStep: PureFunction = ({ state, inputs: { images, step } }) => {
  const noise = createNoise(keyOf(5), step as tf.Scalar);
  const energy = (p: Weights) => (z: tf.Tensor) =>
    tf.add(
      tf.sum(tf.squaredDifference(decode(p, z), images)),
      tf.mul(0.5, tf.sum(tf.square(tf.matMul(z as tf.Tensor2D, state.frozen as tf.Tensor2D)))),
    );
  const { z } = repeat(
    5,
    { z: noise.split("start").normal([BATCH, LATENT]) },
    ({ z }, { xi }) => ({
      z: tf.add(tf.sub(z, tf.mul(0.01, tf.grad(energy(state))(z))), tf.mul(Math.sqrt(0.02), xi)),
    }),
    { xi: noise.split("chain").normal([5, BATCH, LATENT]) },
  );
  const names = ["w0", "b0", "w1", "w2"];
  const loss = (...weights: tf.Tensor[]) =>
    energy(Object.fromEntries(names.map((name, i) => [name, weights[i]])))(z) as tf.Scalar;
  const { value, grads } = tf.valueAndGrads(loss)(names.map((name) => state[name]));
  return {
    state: {
      ...state,
      ...Object.fromEntries(
        names.map((name, i) => [name, tf.sub(state[name], tf.mul(1e-4, grads[i]))]),
      ),
    },
    outputs: { loss: value },
  };
};

/** Runs `steps` steps from `STATE` and returns the state. */
export async function states(
  device: Device,
  program: Program,
  steps: number,
): Promise<HostArrays> {
  let state = await device.upload(STATE);
  for (let step = 0; step < steps; step++) ({ state } = await program.run(state, inputs(step)));
  return await device.download(state);
}

import * as tf from "@tensorflow/tfjs";
import { createNoise, type Key } from "../core/noise.ts";
import { repeat } from "../core/repeat.ts";
import { unflatten } from "../core/tree.ts";
import type { Device, DeviceState, HostArray, State } from "../core/types.ts";
import type { LogRatio } from "./annealing.ts";

/** Power iterations: the quotient is then a mean 0.95 of the largest eigenvalue of random decoders, and never above it. */
const ITERATIONS = 10;
/** Length of the finite difference: the best of float32 (tfjs has no second derivatives of Exp, Sigmoid and Tanh). */
const EPSILON = 0.01;

/**
 * The largest eigenvalue, in size and with its sign, of the negative Hessian of h at each row of `z` [n, dim], by power
 * iteration on differences of gradients. Consumes `state`.
 */
export async function curvaturesOf(
  state: DeviceState,
  { device, logRatio, key, z, images }: {
    readonly device: Device;
    readonly logRatio: LogRatio;
    readonly key: Key;
    readonly z: HostArray;
    readonly images?: HostArray;
  },
): Promise<{ readonly state: DeviceState; readonly curvatures: readonly number[] }> {
  const inputs = {
    z,
    ...images && { images },
    draw: { shape: [], dtype: "int32", data: Int32Array.of(0) } as const,
  };
  await using program = await device.compile(({ state, inputs }) => {
    const tree = unflatten(state);
    const { z, images, draw } = inputs as State & { readonly draw: tf.Scalar };
    const h = (z: tf.Tensor) => logRatio(tree, z as tf.Tensor2D, images as tf.Tensor4D | undefined);
    const slope = tf.grad(h);
    const curve = (v: tf.Tensor) => {
      const step = tf.mul(v, EPSILON);
      return tf.div(tf.sub(slope(tf.sub(z, step)), slope(tf.add(z, step))), 2 * EPSILON);
    };
    const normalised = (v: tf.Tensor) =>
      tf.div(v, tf.sqrt(tf.add(tf.sum(tf.square(v), 1, true), 1e-30)));
    const first = normalised(createNoise(key, draw).normal(z.shape));
    const { v } = repeat(ITERATIONS, { v: first }, ({ v }) => ({ v: normalised(curve(v)) }));
    return { outputs: { curvatures: tf.sum(tf.mul(v, curve(v)), 1) } };
  }, { state: state.specs, inputs });
  const result = await program.run(state, inputs);
  return { state: result.state, curvatures: Array.from(result.outputs.curvatures.data) };
}

import * as tf from "@tensorflow/tfjs";
import { createNoise, type Key } from "../core/noise.ts";
import { unflatten } from "../core/tree.ts";
import type { Device, DeviceState, HostArray, State } from "../core/types.ts";
import { largestRitzValue } from "../linalg/lanczos.ts";
import type { LogRatio } from "./annealing.ts";
import { lanczosCoefficients } from "./curvature.ts";

/** Length of the finite difference: the best of float32 (tfjs has no second derivatives of Exp, Sigmoid and Tanh). */
const EPSILON = 0.01;

/** The largest eigenvalue of the negative Hessian of h at each row of `z` [n, dim], from below. Consumes `state`. */
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
    const energy = (z: tf.Tensor) =>
      tf.neg(logRatio(tree, z as tf.Tensor2D, images as tf.Tensor4D | undefined));
    const gradient = tf.grad(energy) as (z: tf.Tensor2D) => tf.Tensor2D;
    const { diagonal, offDiagonal } = lanczosCoefficients(gradient, z as tf.Tensor2D, {
      epsilon: tf.scalar(EPSILON),
      noise: createNoise(key, draw),
    });
    return { outputs: { diagonal, offDiagonal } };
  }, { state: state.specs, inputs });
  const result = await program.run(state, inputs);
  const { diagonal, offDiagonal } = result.outputs;
  const [count, k] = diagonal.shape;
  const row = ({ data }: HostArray, i: number) => data.subarray(i * k, (i + 1) * k);
  const curvatures = Array.from(
    { length: count },
    (_, i) => largestRitzValue({ diagonal: row(diagonal, i), offDiagonal: row(offDiagonal, i) }),
  );
  return { state: result.state, curvatures };
}

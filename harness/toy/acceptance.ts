import * as tf from "@tensorflow/tfjs";
import { createNoise, foldIn, keyOf } from "../core/noise.ts";
import type { Device, HostArray } from "../core/types.ts";
import type { Target } from "../core/toy_types.ts";
import { type Estimate, independent } from "./known_values.ts";

/**
 * The rate at which Langevin proposals of size `stepSize` from `starts` [count, points, dim] are to be accepted: the mean of
 * min(1, exp(log ratio)) over one proposal for each, with the ratio in its symmetric form, U(x) - U(y) + (g + g')(y - x) / 2 -
 * eta / 4 (|g'|^2 - |g|^2). `joint`: one decision for all points, instead of one for each.
 */
export async function expectedAcceptance(
  target: Target,
  { starts, stepSize, joint, device }: {
    readonly starts: HostArray;
    readonly stepSize: number;
    readonly joint: boolean;
    readonly device: Device;
  },
): Promise<Estimate> {
  const shape = starts.shape;
  const specs = Object.fromEntries(
    Object.entries(target.parameters).map(([name, { shape, dtype }]) => [name, { shape, dtype }]),
  );
  await using program = await device.compile(({ state, inputs }) => {
    const at = (z: tf.Tensor) => {
      const energy = (z: tf.Tensor) => tf.neg(target.logDensity(z as tf.Tensor3D, state));
      return { z, energy: energy(z), gradient: tf.grad((z) => tf.sum(energy(z)))(z) };
    };
    const noise = createNoise(foldIn(keyOf(0), "acceptance"), inputs.step as tf.Scalar);
    const x = at(inputs.starts);
    const xi = tf.mul(noise.split("xi").normal(shape), Math.sqrt(2 * stepSize));
    const y = at(tf.add(tf.sub(x.z, tf.mul(x.gradient, stepSize)), xi));
    const along = tf.sum(tf.mul(tf.add(x.gradient, y.gradient), tf.sub(y.z, x.z)), 2);
    const squares = tf.sum(tf.sub(tf.square(y.gradient), tf.square(x.gradient)), 2);
    const each = tf.add(
      tf.sub(x.energy, y.energy),
      tf.sub(tf.mul(along, 0.5), tf.mul(squares, stepSize / 4)),
    );
    const log = joint ? tf.sum(each, 1) : each;
    return { outputs: { rate: tf.exp(tf.minimum(log, 0)) } };
  }, {
    state: specs,
    inputs: { starts: { shape, dtype: "float32" }, step: { shape: [], dtype: "int32" } },
  });
  const { outputs: { rate } } = await program.run(await device.upload(target.parameters), {
    starts,
    step: { shape: [], dtype: "int32", data: Int32Array.of(0) },
  });
  return independent(rate.data);
}

import * as tf from "@tensorflow/tfjs";
import { createNoise, foldIn, keyOf } from "../core/noise.ts";
import type { Device, HostArray, State } from "../core/types.ts";
import type { Target } from "../core/toy_types.ts";
import { type Estimate, independent } from "./known_values.ts";

/** Positions [..., points, dim], their energies [..., points] and gradients. */
export interface Evaluated {
  readonly z: tf.Tensor;
  readonly energy: tf.Tensor;
  readonly gradient: tf.Tensor;
}

/** Energies and gradients of `target` at any positions. */
export function evaluator(target: Target, parameters: State): (z: tf.Tensor) => Evaluated {
  const energy = (z: tf.Tensor) => tf.neg(target.logDensity(z as tf.Tensor3D, parameters));
  const gradient = tf.grad((z: tf.Tensor) => tf.sum(energy(z)));
  return (z) => ({ z, energy: energy(z), gradient: gradient(z) });
}

/**
 * The terms whose sum is log of exp(U(x) - U(y)) q(x | y) / q(y | x) for Langevin proposals of size `stepSize`, [..., points] each:
 * U(x) - U(y), g (y - x) / 2, g' (y - x) / 2, eta |g|^2 / 4 and -eta |g'|^2 / 4.
 */
export function logRatioTerms(x: Evaluated, y: Evaluated, stepSize: number): tf.Tensor[] {
  const along = (g: tf.Tensor) => tf.mul(tf.sum(tf.mul(g, tf.sub(y.z, x.z)), -1), 0.5);
  const square = (g: tf.Tensor) => tf.mul(tf.sum(tf.square(g), -1), stepSize / 4);
  return [
    tf.sub(x.energy, y.energy),
    along(x.gradient),
    along(y.gradient),
    square(x.gradient),
    tf.neg(square(y.gradient)),
  ];
}

/** x - eta g + sqrt(2 eta) xi: the proposal from `x` with the normal draws `xi`. */
export function proposalFrom({ z, gradient }: Evaluated, xi: tf.Tensor, stepSize: number) {
  return tf.add(tf.sub(z, tf.mul(gradient, stepSize)), tf.mul(xi, Math.sqrt(2 * stepSize)));
}

/**
 * The rate at which Langevin proposals of size `stepSize` from `starts` [count, points, dim] are to be accepted: the mean of
 * min(1, exp(U(x) - U(y)) q(x | y) / q(y | x)) over one proposal for each. `joint`: one decision for all points, instead of one
 * for each.
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
    const at = evaluator(target, state);
    const noise = createNoise(foldIn(keyOf(0), "acceptance"), inputs.step as tf.Scalar);
    const x = at(inputs.starts);
    const y = at(proposalFrom(x, noise.split("xi").normal(shape), stepSize));
    const each = tf.addN(logRatioTerms(x, y, stepSize));
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

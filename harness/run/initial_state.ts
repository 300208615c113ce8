import * as tf from "@tensorflow/tfjs";
import { type Chains, startChains } from "./batches.ts";
import { createNoise, foldIn, type Key, keyOf } from "../core/noise.ts";
import { problemOf } from "../experiment/spec.ts";
import type { Dataset, HostArray, HostArrays, Method, RunSpec, State } from "../core/types.ts";

/** The key of a stream of `spec` that no other method, data set or seed shares. */
export function streamKey(
  spec: RunSpec,
  stream: "init" | "chains" | "step" | "sample" | "bound" | "amortization" | "reconstruct",
): Key {
  return [stream, spec.method, spec.dataset].reduce<Key>(foldIn, keyOf(spec.seed));
}

/** The state and chains before the first step, on the host. */
export async function initialise(
  spec: RunSpec,
  { method, dataset, shapes }: {
    readonly method: Method;
    readonly dataset: Dataset;
    readonly shapes: Readonly<Record<string, readonly number[]>>;
  },
): Promise<{ readonly state: HostArrays; readonly chains: Chains }> {
  await tf.setBackend("cpu");
  const problem = problemOf(spec, dataset);
  let state: HostArrays = {};
  let chains: Chains = {};
  tf.tidy(() => {
    const zero = tf.scalar(0, "int32");
    const noise = createNoise(streamKey(spec, "init"), zero);
    state = readTensors(method.init(problem, spec.hyper, noise));
    chains = startChains(shapes, {
      count: problem.trainCount,
      noise: createNoise(streamKey(spec, "chains"), zero),
      rows: tf.range(0, problem.trainCount, 1, "int32"),
    });
  });
  return { state, chains };
}

/** `state` on the host, in arrays of its own. Throws TypeError for what is neither float32 nor int32. */
export function readTensors(state: State): HostArrays {
  return Object.fromEntries(
    Object.entries(state).map(([name, tensor]) => [name, readTensor(name, tensor)]),
  );
}

function readTensor(name: string, tensor: tf.Tensor): HostArray {
  if (tensor.dtype !== "float32" && tensor.dtype !== "int32") {
    throw new TypeError(`State "${name}" is ${tensor.dtype}, expected float32 or int32`);
  }
  const data = tensor.dataSync().slice() as Float32Array | Int32Array;
  return { shape: tensor.shape, dtype: tensor.dtype, data };
}

import * as tf from "@tensorflow/tfjs";
import { type Chains, startChains } from "./batches.ts";
import { createNoise, foldIn, type Key, keyOf } from "../core/noise.ts";
import { flatten } from "../core/tree.ts";
import type { HostArray, HostArrays, Model, Tree } from "../core/types.ts";
import type { RunSpec } from "../core/records.ts";

/** Key of a random stream of `spec`, different for each method, data set and seed. */
export function streamKey(
  spec: RunSpec,
  stream:
    | "init"
    | "chains"
    | "step"
    | "sample"
    | "bound"
    | "amortization"
    | "reconstruct"
    | "decode"
    | "prior"
    | "health"
    | "anomaly"
    | "calibration",
): Key {
  return [stream, spec.method, spec.dataset].reduce<Key>(foldIn, keyOf(spec.seed));
}

/** The initial state of `model` and its persistent chains, on the host. */
export async function initialise(
  spec: RunSpec,
  { model, trainCount }: { readonly model: Model; readonly trainCount: number },
): Promise<{ readonly state: HostArrays; readonly chains: Chains }> {
  await tf.setBackend("cpu");
  let state: HostArrays = {};
  let chains: Chains = {};
  tf.tidy(() => {
    const zero = tf.scalar(0, "int32");
    const noise = createNoise(streamKey(spec, "init"), zero);
    state = readTensors(model.init(noise));
    chains = startChains(model.chains ?? {}, {
      count: trainCount,
      noise: createNoise(streamKey(spec, "chains"), zero),
      rows: tf.range(0, trainCount, 1, "int32"),
    });
  });
  return { state, chains };
}

/** Copies the tensors of `state` to the host, under flat names. Throws TypeError for types other than float32 and int32. */
export function readTensors(state: Tree): HostArrays {
  return Object.fromEntries(
    Object.entries(flatten(state)).map(([name, tensor]) => [name, readTensor(name, tensor)]),
  );
}

function readTensor(name: string, tensor: tf.Tensor): HostArray {
  if (tensor.dtype !== "float32" && tensor.dtype !== "int32") {
    throw new TypeError(`State "${name}" is ${tensor.dtype}, expected float32 or int32`);
  }
  const data = tensor.dataSync().slice() as Float32Array | Int32Array;
  return { shape: tensor.shape, dtype: tensor.dtype, data };
}

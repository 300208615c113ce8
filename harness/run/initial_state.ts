import * as tf from "@tensorflow/tfjs";
import { type Chains, startChains } from "./batches.ts";
import { toArrays } from "../core/host_arrays.ts";
import { createNoise, foldIn, type Key, keyOf } from "../core/noise.ts";
import type { HostArrays, Model } from "../core/types.ts";
import type { RunSpec } from "../core/records.ts";

/** Key of a random stream of `spec`, different for each method, data set and seed. */
export function streamKey(
  spec: RunSpec,
  stream:
    | "init"
    | "chains"
    | "step"
    | "sample"
    | "classes"
    | "bound"
    | "amortization"
    | "reconstruct"
    | "decode"
    | "prior"
    | "health"
    | "anomaly"
    | "inpaint"
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
    state = toArrays(model.init(noise));
    chains = startChains(model.chains ?? {}, {
      count: trainCount,
      noise: createNoise(streamKey(spec, "chains"), zero),
      rows: tf.range(0, trainCount, 1, "int32"),
    });
  });
  return { state, chains };
}

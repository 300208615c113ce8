import type { Scalar, Tensor2D, Tensor4D } from "@tensorflow/tfjs";
import { createNoise, foldIn, type Key } from "../core/noise.ts";
import { shuffledRows } from "../core/row_order.ts";
import type { Stopwatch } from "../core/stopwatch.ts";
import { unflatten } from "../core/tree.ts";
import type {
  Device,
  HostArray,
  HostArrays,
  ImageSet,
  LatentMoments,
  Model,
  PriorCheck,
} from "../core/types.ts";
import { mean, sampleStd } from "../statistics/summary.ts";
import { imagesOfRows } from "./batches.ts";

/** Latents in each set: the standard error of a mean energy of standard deviation 4 is 0.3 nats. */
const COUNT = 200;

/** The sets of latents. */
const SETS = ["posterior", "negatives", "longChains"] as const;

/** Options of `checkPrior`. */
export interface PriorCheckSetting {
  readonly model: Model;
  readonly device: Device;
  readonly key: Key;
  /** The training part, of which the first `trainCount` images were trained on. */
  readonly images: ImageSet;
  readonly trainCount: number;
  readonly stopwatch: Stopwatch;
}

/** Moments of latents that are alike if the learned prior in `state` is right; undefined if the model learns none. */
export async function checkPrior(
  state: HostArrays,
  { model: { learnedPrior, latents }, device, key, images, trainCount, stopwatch }:
    PriorCheckSetting,
): Promise<PriorCheck | undefined> {
  if (learnedPrior === undefined || latents === undefined) return undefined;
  stopwatch.switchTo("score");
  const count = Math.min(COUNT, trainCount);
  const rows = shuffledRows(foldIn(key, "rows"), 0, trainCount).slice(0, count);
  const inputs = {
    images: imagesOfRows(images, rows),
    draw: { shape: [], dtype: "int32", data: Int32Array.of(0) },
  } as const;
  const uploaded = await device.upload(state);
  await using program = await device.compile(({ state, inputs }) => {
    const tree = unflatten(state);
    const noise = createNoise(key, inputs.draw as Scalar);
    const sets: Record<typeof SETS[number], Tensor2D> = {
      posterior: latents.infer(tree, inputs.images as Tensor4D, noise.split("posterior")),
      negatives: learnedPrior.negatives(tree, count, noise.split("negatives")),
      longChains: learnedPrior.longChains(tree, count, noise.split("longChains")),
    };
    return {
      outputs: Object.fromEntries(
        Object.entries(sets).flatMap(([name, z]) => [
          [`${name}/latents`, z],
          [`${name}/energies`, learnedPrior.energy(tree, z)],
        ]),
      ),
    };
  }, { state: uploaded.specs, inputs });
  const { outputs } = await program.run(uploaded, inputs);
  const momentsOf = (name: typeof SETS[number]) =>
    latentMoments(outputs[`${name}/latents`], outputs[`${name}/energies`]);
  const [posterior, negatives, longChains] = SETS.map(momentsOf);
  stopwatch.switchTo("other");
  return { count, posterior, negatives, longChains };
}

/** Moments of `latents` [n, dim] with `energies` [n]. */
export function latentMoments(latents: HostArray, energies: HostArray): LatentMoments {
  const [, dim] = latents.shape;
  const trace = Array.from({ length: dim }, (_, j) => {
    const coordinate = Array.from(latents.data).filter((_, i) => i % dim === j);
    return (sampleStd(coordinate) ?? NaN) ** 2;
  }).reduce((a, b) => a + b, 0);
  return { energy: finiteOrNull(mean(Array.from(energies.data))), trace: finiteOrNull(trace) };
}

function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

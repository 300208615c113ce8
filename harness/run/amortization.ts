import type { Scalar, Tensor1D, Tensor4D } from "@tensorflow/tfjs";
import { imagesOfRows } from "./batches.ts";
import { shuffledRows, stepsPerEpoch } from "../core/row_order.ts";
import { createNoise, foldIn, type Key } from "../core/noise.ts";
import { flatten, unflatten } from "../core/tree.ts";
import { mean, sampleStd } from "../statistics/summary.ts";
import { leveragesOf } from "../statistics/leverage.ts";
import type {
  AmortizedChains,
  Device,
  DeviceState,
  Diagnostics,
  HostArray,
  ImageSet,
} from "../core/types.ts";

/** Number of rows whose variances are compared, and of free chains per row. */
const PROBES = 8;
const REPLICAS = 8;
/** Number of moves of the amortized chains. */
const MOVES = 100;
/** Rows per call of the feature program. */
const CHUNK = 100;

/** Options of `measureAmortization`. */
export interface AmortizationSetting {
  readonly device: Device;
  readonly amortized: AmortizedChains;
  /** The training split, of which the first `trainCount` images were used. */
  readonly images: ImageSet;
  readonly trainCount: number;
  readonly batchSize: number;
  /** Epochs of training; the moves continue with the row order of the next epoch. */
  readonly epochs: number;
  readonly orderKey: Key;
  readonly key: Key;
}

/**
 * Measures how freely the amortized chains in `state` move with everything else fixed: the leverages of the features over all
 * training rows, and the variance of some rows' chains over moves on minibatches relative to that of free chains. Consumes
 * `state`. The variance over MOVES moves is below what slow chains reach in more, and may be below the leverage.
 */
export async function measureAmortization(
  state: DeviceState,
  setting: AmortizationSetting,
): Promise<Diagnostics> {
  const rows = setting.trainCount;
  const features = await readFeatures(state, setting);
  const columns = features.values.length / rows;
  const { rank, leverages } = leveragesOf(features.values, { rows, columns });
  const free = await freeVariance(features.state, setting);
  const ratio = await amortizedVariance(free.state, setting) / free.variance;
  return {
    features: columns,
    rows,
    rank,
    leverage: {
      mean: leverages.reduce((a, b) => a + b) / rows,
      min: leverages.reduce((a, b) => Math.min(a, b)),
      max: leverages.reduce((a, b) => Math.max(a, b)),
    },
    varianceRatio: Number.isFinite(ratio) ? ratio : null,
    moves: MOVES,
  };
}

const integer = (value: number): HostArray => ({
  shape: [],
  dtype: "int32",
  data: Int32Array.of(value),
});

/** g(x) of all training rows, [trainCount, d]. */
async function readFeatures(
  state: DeviceState,
  { device, amortized, images, trainCount }: AmortizationSetting,
): Promise<{ readonly state: DeviceState; readonly values: Float32Array }> {
  const rows = Math.min(CHUNK, trainCount);
  const chunk = (from: number) =>
    imagesOfRows(images, Int32Array.from({ length: rows }, (_, i) => (from + i) % trainCount));
  await using program = await device.compile(
    ({ state, inputs }) => ({
      outputs: { features: amortized.features(unflatten(state), inputs.images as Tensor4D) },
    }),
    { state: state.specs, inputs: { images: chunk(0) } },
  );
  let values = new Float32Array(0);
  for (let from = 0; from < trainCount; from += rows) {
    const result = await program.run(state, { images: chunk(from) });
    state = result.state;
    const { data, shape: [, columns] } = result.outputs.features;
    if (from === 0) values = new Float32Array(trainCount * columns);
    const wanted = Math.min(rows, trainCount - from) * columns;
    values.set((data as Float32Array).subarray(0, wanted), from * columns);
  }
  return { state, values };
}

/** Up to PROBES evenly spaced rows. */
function probeRows(trainCount: number): Int32Array {
  const count = Math.min(PROBES, trainCount);
  return Int32Array.from({ length: count }, (_, i) => Math.floor(i * trainCount / count));
}

/** Variance over the ends of REPLICAS free chains, averaged over probes and coordinates. */
async function freeVariance(
  state: DeviceState,
  { device, amortized, images, trainCount, key }: AmortizationSetting,
): Promise<{ readonly state: DeviceState; readonly variance: number }> {
  const probes = probeRows(trainCount);
  const rows = Int32Array.from(
    { length: probes.length * REPLICAS },
    (_, i) => probes[i % probes.length],
  );
  const inputs = { images: imagesOfRows(images, rows), step: integer(0) };
  await using program = await device.compile(({ state, inputs }) => {
    const noise = createNoise(foldIn(key, "free"), inputs.step as Scalar);
    return {
      outputs: { z: amortized.freeChains(unflatten(state), inputs.images as Tensor4D, noise) },
    };
  }, { state: state.specs, inputs });
  const result = await program.run(state, inputs);
  const { data } = result.outputs.z;
  const width = data.length / REPLICAS; // probes x latentDim
  const draws = Array.from(
    { length: REPLICAS },
    (_, r) => data.subarray(r * width, (r + 1) * width),
  );
  return { state: result.state, variance: meanVariance(draws) };
}

/** Variance of the amortized chains over MOVES moves, averaged over probes and coordinates. */
async function amortizedVariance(
  state: DeviceState,
  setting: AmortizationSetting,
): Promise<number> {
  const { device, amortized, images, trainCount, batchSize, epochs, key } = setting;
  const steps = stepsPerEpoch(trainCount, batchSize);
  const probes = imagesOfRows(images, probeRows(trainCount));
  const inputsAt = (move: number) => {
    const epoch = epochs + Math.floor(move / steps);
    const from = move % steps * batchSize;
    const rows = shuffledRows(setting.orderKey, epoch, trainCount).slice(from, from + batchSize);
    return {
      images: imagesOfRows(images, rows),
      rows: { shape: [batchSize], dtype: "int32", data: rows } as const,
      step: integer(epochs * steps + move),
      probes,
    };
  };
  await using program = await device.compile(({ state, inputs }) => {
    const step = inputs.step as Scalar;
    const batch = {
      images: inputs.images as Tensor4D,
      rows: inputs.rows as Tensor1D,
      step,
      chains: {},
    };
    const noise = createNoise(foldIn(key, "moves"), step);
    const moved = amortized.move(unflatten(state), batch, noise);
    return {
      state: flatten(moved),
      outputs: { z: amortized.latents(moved, inputs.probes as Tensor4D) },
    };
  }, { state: state.specs, inputs: inputsAt(0) });
  const draws: ArrayLike<number>[] = [];
  for (let move = 0; move < MOVES; move++) {
    const result = await program.run(state, inputsAt(move));
    state = result.state;
    draws.push(result.outputs.z.data.slice());
  }
  return meanVariance(draws);
}

/** Sample variance of each coordinate over `draws`, averaged over coordinates. */
function meanVariance(draws: readonly ArrayLike<number>[]): number {
  const coordinates = Array.from({ length: draws[0].length }, (_, j) => j);
  return mean(coordinates.map((j) => (sampleStd(draws.map((draw) => draw[j])) ?? 0) ** 2));
}

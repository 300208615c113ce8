/**
 * Bidirectional Monte Carlo for log p(x) (Grosse et al. 2015): annealed importance sampling gives a stochastic lower bound
 * for any image, and for images that the model made, whose latent is an exact posterior draw, an upper bound as well. Their
 * gap bounds the sum of the two errors.
 *
 * A learned prior N(z; 0, I) exp(tilt(z)) / Z has its log Z estimated the same way.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type {
  AnnealedLikelihood,
  AnnealedSettings,
  MeanEstimate,
  Normaliser,
} from "../core/annealed.ts";
import { createNoise, draws, foldIn, type Key } from "../core/noise.ts";
import { NotFiniteError } from "../core/not_finite.ts";
import { unflatten } from "../core/tree.ts";
import type { Device, DeviceState, HostArray, ImageSet, JointDensity } from "../core/types.ts";
import { type Estimate, geometricTemperatures, logMeanExp } from "../statistics/annealing.ts";
import { mean, sampleStd } from "../statistics/summary.ts";
import {
  type Annealed,
  type Annealer,
  BLOCK,
  compileAnnealer,
  type LogRatio,
  type Path,
  type Transition,
} from "./annealing.ts";
import { imagesOfRows } from "./batches.ts";
import { curvaturesOf } from "./ratio_curvatures.ts";

/** Chains that one program moves at a time, at least; images are grouped to reach it. */
const ROWS = 128;
/** Chains and temperatures for log Z, which is one number for all images. */
const PRIOR_CHAINS = 64;
const PRIOR_TEMPERATURES = 3000;

/** What the estimate needs besides a state. */
export interface AnnealingSetting extends AnnealedSettings {
  readonly device: Device;
  readonly joint: JointDensity;
  readonly transition: Transition;
  readonly key: Key;
  /** The images whose likelihood is asked for; the first of them are taken. */
  readonly testImages: ImageSet;
  /** Called after each block of transitions with the gradient evaluations done and those of the whole. */
  onProgress?(done: number, of: number): void;
}

/** Gradient evaluations of log p(x | z) that the estimate takes: chains times transitions, up twice and down once. */
export function passesOf({ images, temperatures, chains }: AnnealedSettings): number {
  const { rows, groups, downs } = batchesOf({ images, chains });
  return (2 * groups + downs) * rows * temperatures;
}

/** How `images` with `chains` chains each are laid out in programs of `rows` rows. */
function batchesOf({ images, chains }: { readonly images: number; readonly chains: number }) {
  const group = Math.min(images, Math.max(1, Math.floor(ROWS / chains)));
  const rows = group * chains;
  return { group, rows, groups: Math.ceil(images / group), downs: Math.ceil(images / rows) };
}

/** log p(x) of test and of simulated images. Consumes `state`. Throws NotFiniteError for a bound that is not finite. */
export async function bidirectional(
  state: DeviceState,
  setting: AnnealingSetting,
): Promise<{ readonly state: DeviceState; readonly likelihood: AnnealedLikelihood }> {
  const { device, joint, transition, key, images: count, temperatures } = setting;
  const { group, rows, groups, downs } = batchesOf(setting);
  const prior = joint.tilt === undefined ? undefined : await estimateNormaliser(state, setting);
  state = prior?.state ?? state;
  const latents = prior === undefined
    ? normalRows(foldIn(key, "truth"), count, joint.dim)
    : takeRows(prior.draws, Int32Array.from({ length: count }, (_, i) => i));
  const simulated = await simulate(state, { device, joint, key, latents });
  state = simulated.state;

  const logRatio = logRatioOf(joint);
  const measured = await curvaturesOf(state, {
    device,
    logRatio,
    key: foldIn(key, "curvature"),
    z: latents,
    images: simulated.images,
  });
  state = measured.state;
  const curvature = upperDecile(measured.curvatures);
  const path = pathOf({ temperatures, curvature, dim: joint.dim });

  const first = takeRows(simulated.images, rowsOf({ from: 0, group, rows, count }));
  await using annealer = await compileAnnealer(device, {
    state,
    logRatio,
    transition,
    key: foldIn(key, "chains"),
    chains: { start: { shape: [rows, joint.dim], dtype: "float32" }, images: first },
  });
  const of = (2 * groups + downs) * temperatures / BLOCK;
  let blocks = 0;
  const onBlock = () => setting.onProgress?.(++blocks * rows * BLOCK, of * rows * BLOCK);

  /** Lower bounds of the images of `source`. */
  const lowerBounds = async (name: string, source: HostArray) => {
    const bounds: Estimate[] = [];
    const acceptances: number[] = [];
    for (let from = 0; from < count; from += group) {
      const places = rowsOf({ from, group, rows, count });
      const start = normalRows(foldIn(foldIn(key, name), from), rows, joint.dim);
      const chains = { direction: "up", start, images: takeRows(source, places) } as const;
      const end = await annealer.run(state, chains, path, onBlock);
      state = end.state;
      acceptances.push(end.acceptance);
      bounds.push(...byImage(end.logWeights, places, from).map(logMeanExp));
    }
    return { bounds, acceptance: mean(acceptances) };
  };
  /** Upper bounds of the simulated images: several chains from the one exact draw of each. */
  const upperBounds = async () => {
    const bounds: Estimate[] = [];
    for (let from = 0; from < count; from += rows) {
      const places = rowsOf({ from, group: rows, rows, count });
      const start = takeRows(latents, places);
      const chains = {
        direction: "down",
        start,
        images: takeRows(simulated.images, places),
      } as const;
      const end = await annealer.run(state, chains, path, onBlock);
      state = end.state;
      bounds.push(...byImage(end.logWeights.map((w) => -w), places, from).map(upperBound));
    }
    return bounds;
  };

  const testRows = Int32Array.from({ length: count }, (_, i) => i);
  const test = await lowerBounds("test", imagesOfRows(setting.testImages, testRows));
  const lower = await lowerBounds("simulated", simulated.images);
  const upper = await upperBounds();
  const values = test.bounds.map(({ value }) => value);
  const likelihood: AnnealedLikelihood = {
    dimensions: simulated.images.data.length / count,
    test: {
      ...meanOf(test.bounds),
      imagesError: (sampleStd(values) ?? 0) / Math.sqrt(count),
      largestError: Math.max(...test.bounds.map(({ standardError }) => standardError)),
    },
    simulated: {
      lower: meanOf(lower.bounds),
      upper: meanOf(upper),
      gap: gapOf(lower.bounds, upper),
    },
    normaliser: prior?.normaliser ?? null,
    curvature,
    acceptance: test.acceptance,
  };
  for (const bound of [likelihood.test, likelihood.simulated.lower, likelihood.simulated.upper]) {
    if (!Number.isFinite(bound.mean)) throw new NotFiniteError("a bound on log p(x)", bound.mean);
  }
  return { state, likelihood };
}

/** h(z) = log p(x | z) + tilt(z). */
function logRatioOf(joint: JointDensity): LogRatio {
  return (state, z, images) => {
    if (images === undefined) throw new TypeError("A likelihood needs images");
    const explained = joint.logLikelihood(state, images, z);
    return joint.tilt ? tf.add(explained, joint.tilt(state, z)) : explained;
  };
}

/** Seconds of one gradient evaluation, from one block of transitions after another. Consumes `state`. */
export async function timePass(
  state: DeviceState,
  setting: AnnealingSetting,
): Promise<{ readonly state: DeviceState; readonly seconds: number }> {
  const { device, joint, transition, key, images: count } = setting;
  const { group, rows } = batchesOf(setting);
  const places = rowsOf({ from: 0, group, rows, count });
  const chains = {
    direction: "stay",
    start: normalRows(key, rows, joint.dim),
    images: imagesOfRows(setting.testImages, places),
  } as const;
  await using annealer = await compileAnnealer(device, {
    state,
    logRatio: logRatioOf(joint),
    transition,
    key,
    chains,
  });
  const path = pathOf({ temperatures: BLOCK, curvature: 1, dim: joint.dim });
  const { state: warm } = await annealer.run(state, chains, path);
  const start = performance.now();
  const { state: last } = await annealer.run(warm, chains, path);
  return { state: last, seconds: (performance.now() - start) / 1000 / (rows * BLOCK) };
}

/**
 * log Z up from N(0, I), and down from the ends of long chains at beta = 1 that go on from there; those ends are also the
 * prior draws that images are simulated from.
 */
async function estimateNormaliser(
  state: DeviceState,
  { device, joint, transition, key, images }: AnnealingSetting,
): Promise<{
  readonly state: DeviceState;
  readonly normaliser: Normaliser;
  readonly draws: HostArray;
}> {
  const logRatio: LogRatio = (state, z) => {
    if (joint.tilt === undefined) throw new TypeError("A prior without a tilt has log Z = 0");
    return joint.tilt(state, z);
  };
  const own = foldIn(key, "normaliser");
  const rows = Math.max(PRIOR_CHAINS, images);
  const start = normalRows(foldIn(own, "start"), rows, joint.dim);
  const measured = await curvaturesOf(state, { device, logRatio, key: own, z: start });
  const path = pathOf({
    temperatures: PRIOR_TEMPERATURES,
    curvature: upperDecile(measured.curvatures),
    dim: joint.dim,
  });
  await using annealer: Annealer = await compileAnnealer(device, {
    state: measured.state,
    logRatio,
    transition,
    key: foldIn(own, "chains"),
    chains: { start },
  });
  const up = await annealer.run(measured.state, { direction: "up", start }, path);
  const long: Annealed = await annealer.run(up.state, { direction: "stay", start: up.end }, path);
  const down = await annealer.run(long.state, { direction: "down", start: long.end }, path);
  const estimate = ({ value, standardError }: Estimate): MeanEstimate => ({
    mean: value,
    standardError,
  });
  return {
    state: down.state,
    normaliser: {
      lower: estimate(logMeanExp(up.logWeights)),
      upper: estimate(upperBound(down.logWeights.map((w) => -w))),
      chains: rows,
      temperatures: PRIOR_TEMPERATURES,
      acceptance: up.acceptance,
    },
    draws: long.end,
  };
}

/** Images of p(x | z) for `latents`. */
async function simulate(
  state: DeviceState,
  { device, joint, key, latents }: {
    readonly device: Device;
    readonly joint: JointDensity;
    readonly key: Key;
    readonly latents: HostArray;
  },
): Promise<{ readonly state: DeviceState; readonly images: HostArray }> {
  const inputs = {
    latents,
    draw: { shape: [], dtype: "int32", data: Int32Array.of(0) },
  } as const;
  await using program = await device.compile(({ state, inputs }) => {
    const noise = createNoise(foldIn(key, "pixels"), inputs.draw as tf.Scalar);
    const images = joint.drawImages(unflatten(state), inputs.latents as tf.Tensor2D, noise);
    return { outputs: { images } };
  }, { state: state.specs, inputs });
  const result = await program.run(state, inputs);
  return { state: result.state, images: result.outputs.images };
}

/**
 * The path for a largest curvature: geometric, with MALA steps eta = c^2 / (2 (1 + beta curvature)), whose acceptance on
 * Gaussians is 0.7 to 0.8 for c = 1.1 at 8 dimensions; c falls with the sixth root of the dimension (Roberts and Rosenthal
 * 1998).
 */
function pathOf(
  { temperatures, curvature, dim }: {
    readonly temperatures: number;
    readonly curvature: number;
    readonly dim: number;
  },
): Path {
  const c = 1.1 * (8 / dim) ** (1 / 6);
  return {
    betas: geometricTemperatures(temperatures, curvature),
    stepSize: (beta) => c * c / 2 / (1 + beta * curvature),
  };
}

/** The 0.9 quantile, at least 0. Throws NotFiniteError where a curvature is not finite. */
function upperDecile(curvatures: readonly number[]): number {
  const sorted = curvatures.toSorted((a, b) => a - b);
  const value = sorted[Math.floor(0.9 * (sorted.length - 1))];
  if (!curvatures.every(Number.isFinite)) throw new NotFiniteError("curvature", NaN);
  return Math.max(0, value);
}

/** The image of each of `rows` rows: `group` images from `from` in turn, fewer at the end, so that none is idle. */
function rowsOf(
  { from, group, rows, count }: Record<"from" | "group" | "rows" | "count", number>,
): Int32Array {
  const size = Math.min(group, count - from);
  return Int32Array.from({ length: rows }, (_, row) => from + row % size);
}

/** Log weights of each image among `places`, which begin with image `from`. */
function byImage(logWeights: Float64Array, places: Int32Array, from: number): number[][] {
  const weights: number[][] = [];
  logWeights.forEach((w, row) => (weights[places[row] - from] ??= []).push(w));
  return weights;
}

/** -log of the mean of exp(`logWeights`): with E exp(w) = 1 / p an upper bound on log p. */
function upperBound(logWeights: ArrayLike<number>): Estimate {
  const { value, standardError } = logMeanExp(logWeights);
  return { value: -value, standardError };
}

/** The mean of estimates with independent errors. */
function meanOf(estimates: readonly Estimate[]): MeanEstimate {
  const squares = estimates.reduce((sum, { standardError }) => sum + standardError ** 2, 0);
  return {
    mean: mean(estimates.map(({ value }) => value)),
    standardError: Math.sqrt(squares) / estimates.length,
  };
}

/** Mean of upper minus lower over images, with the standard error of that mean. */
function gapOf(lower: readonly Estimate[], upper: readonly Estimate[]): MeanEstimate {
  const gaps = upper.map(({ value }, i) => value - lower[i].value);
  return { mean: mean(gaps), standardError: (sampleStd(gaps) ?? 0) / Math.sqrt(gaps.length) };
}

/** Standard normal rows. */
function normalRows(key: Key, rows: number, dim: number): HostArray {
  const data = draws(key, { counter: 0, count: rows * dim, kind: "normal" });
  return { shape: [rows, dim], dtype: "float32", data };
}

/** The rows `places` of `array`. */
function takeRows({ shape: [, ...rest], data }: HostArray, places: Int32Array): HostArray {
  const size = rest.reduce((a, b) => a * b, 1);
  const out = new Float32Array(places.length * size);
  places.forEach((place, i) => out.set(data.subarray(place * size, (place + 1) * size), i * size));
  return { shape: [places.length, ...rest], dtype: "float32", data: out };
}

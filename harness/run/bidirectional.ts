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
import type { AnnealedLikelihood, AnnealedSettings, MeanEstimate } from "../core/annealed.ts";
import { createNoise, foldIn, type Key } from "../core/noise.ts";
import { NotFiniteError } from "../core/not_finite.ts";
import { unflatten } from "../core/tree.ts";
import type { Device, DeviceState, HostArray, ImageSet, JointDensity } from "../core/types.ts";
import { type Estimate, logMeanExp, reverseBound } from "../statistics/annealing.ts";
import { mean, sampleStd } from "../statistics/summary.ts";
import { BLOCK, compileAnnealer, type LogRatio, type Transition } from "./annealing.ts";
import { pathOf, tuneSteps, upperDecile } from "./annealing_path.ts";
import { imagesOfRows } from "./batches.ts";
import { normalRows, takeRows } from "./host_rows.ts";
import { estimateNormaliser } from "./normaliser.ts";
import { curvaturesOf } from "./ratio_curvatures.ts";

/** Chains that one program moves at a time, at least; images are grouped to reach it. */
const ROWS = 128;
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
  const { joint, images: count } = setting;
  const prior = joint.tilt === undefined ? undefined : await estimateNormaliser(state, setting);
  const first = Int32Array.from({ length: count }, (_, i) => i);
  const latents = prior === undefined
    ? normalRows(foldIn(setting.key, "truth"), count, joint.dim)
    : takeRows(prior.draws, first);
  const simulated = await simulate(prior?.state ?? state, { ...setting, latents });
  const sets = {
    test: imagesOfRows(setting.testImages, first),
    simulated: simulated.images,
    latents,
  };
  const { test, lower, upper, ...measured } = await boundsOf(simulated.state, { setting, sets });
  const values = test.map(({ value }) => value);
  const likelihood: AnnealedLikelihood = {
    dimensions: simulated.images.data.length / count,
    test: {
      ...meanOf(test),
      imagesError: (sampleStd(values) ?? 0) / Math.sqrt(count),
      largestError: Math.max(...test.map(({ standardError }) => standardError)),
    },
    simulated: { lower: meanOf(lower), upper: meanOf(upper), gap: gapOf(lower, upper) },
    normaliser: prior?.normaliser ?? null,
    curvature: measured.curvature,
    acceptance: measured.acceptance,
  };
  for (const bound of [likelihood.test, likelihood.simulated.lower, likelihood.simulated.upper]) {
    if (!Number.isFinite(bound.mean)) throw new NotFiniteError("a bound on log p(x)", bound.mean);
  }
  return { state: measured.state, likelihood };
}

/** Bounds on the log of the integral of N(z; 0, I) exp(h(z)), image by image. */
interface Bounds {
  readonly state: DeviceState;
  /** Lower bounds of the test images. */
  readonly test: readonly Estimate[];
  /** Bounds of the simulated images. */
  readonly lower: readonly Estimate[];
  readonly upper: readonly Estimate[];
  readonly curvature: number;
  /** Of the test chains. */
  readonly acceptance: number;
}

/** Measures the path on the simulated images, then runs all chains along it. */
async function boundsOf(
  state: DeviceState,
  { setting, sets }: {
    readonly setting: AnnealingSetting;
    /** Images, and the latents of the simulated ones. */
    readonly sets: Readonly<Record<"test" | "simulated" | "latents", HostArray>>;
  },
): Promise<Bounds> {
  const { device, joint, transition, key, images: count, temperatures } = setting;
  const { dim } = joint;
  const { group, rows, groups, downs } = batchesOf(setting);
  const logRatio = logRatioOf(joint);
  const measured = await curvaturesOf(state, {
    device,
    logRatio,
    key: foldIn(key, "curvature"),
    z: sets.latents,
    images: sets.simulated,
  });
  const curvature = upperDecile(measured.curvatures);
  const pilot = {
    start: normalRows(foldIn(key, "pilot"), rows, dim),
    images: takeRows(sets.simulated, rowsOf({ from: 0, group, rows, count })),
  };
  await using annealer = await compileAnnealer(device, {
    state: measured.state,
    logRatio,
    transition,
    key: foldIn(key, "chains"),
    chains: pilot,
  });
  const tuned = await tuneSteps(measured.state, { annealer, chains: pilot, curvature, dim });
  const path = pathOf({ temperatures, curvature, dim, scale: tuned.scale });
  state = tuned.state;

  const of = (2 * groups + downs) * temperatures * rows;
  let passes = 0;
  /** Bounds of the images of `source`, `size` of them at a time, from `startOf` the images of the rows. */
  const run = async (
    direction: "up" | "down",
    { source, size, startOf }: {
      readonly source: HostArray;
      readonly size: number;
      startOf(places: Int32Array, from: number): HostArray;
    },
  ) => {
    const bounds: Estimate[] = [];
    const acceptances: number[] = [];
    for (let from = 0; from < count; from += size) {
      const places = rowsOf({ from, group: size, rows, count });
      const chains = { direction, start: startOf(places, from), images: takeRows(source, places) };
      const end = await annealer.run(
        state,
        chains,
        path,
        () => setting.onProgress?.(passes += rows * BLOCK, of),
      );
      state = end.state;
      acceptances.push(end.acceptance);
      const bound = direction === "up" ? logMeanExp : reverseBound;
      bounds.push(...byImage(end.logWeights, places, from).map(bound));
    }
    return { bounds, acceptance: mean(acceptances) };
  };
  const up = (name: "test" | "simulated") =>
    run("up", {
      source: sets[name],
      size: group,
      startOf: (_, from) => normalRows(foldIn(foldIn(key, name), from), rows, dim),
    });
  const test = await up("test");
  const lower = await up("simulated");
  // Several chains from the one exact draw of each image.
  const upper = await run("down", {
    source: sets.simulated,
    size: rows,
    startOf: (places) => takeRows(sets.latents, places),
  });
  return {
    state,
    test: test.bounds,
    lower: lower.bounds,
    upper: upper.bounds,
    curvature,
    acceptance: test.acceptance,
  };
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

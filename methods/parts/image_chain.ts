/**
 * Short chains on images for exp(-U / T), as energy-based models in data space run them: often without noise (T = 0), clipped,
 * and far too short to mix.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import "../../harness/core/nested_gradients.ts";
import { repeat } from "../../harness/core/repeat.ts";
import type { Noise, PreparedChain } from "../../harness/core/types.ts";
import { checkCounts, checkNotNegative, checkPositive } from "./checks.ts";

/** Range of the pixels of models. */
export const PIXEL_RANGE = [-1, 1] as const;

/** Hyperparameters of a chain on images. */
export type ImageChainHyper = Readonly<{
  /** T in papers: steps of a chain. */
  langevinSteps: number;
  /** eta. */
  langevinStepSize: number;
  /** 1: Langevin dynamics for exp(-U); 0: no noise. */
  temperature: number;
}>;

/** How a step moves, besides by eta grad U. */
export interface ImageRule {
  /** eta. */
  readonly stepSize: number;
  readonly temperature: number;
  /** The largest drift eta |dU / dx_i| of a pixel in one step; absent if there is none. */
  readonly driftLimit?: number;
  /** Pixels are clipped to this range after every step; absent if they are not. */
  readonly range?: readonly [number, number];
}

/** Throws RangeError unless the chain can run: at least `least` steps of a positive size. */
export function checkImageChain(
  { langevinSteps, langevinStepSize, temperature }: ImageChainHyper,
  least = 1,
): void {
  checkCounts({ langevinSteps }, least);
  checkPositive({ langevinStepSize });
  checkNotNegative({ temperature });
}

/** clip(x - clip(eta grad U) + sqrt(2 eta T) xi), with clips where the rule has them; all of one shape. */
export function imageMove<T extends tf.Tensor>(
  x: T,
  { gradient, xi }: { readonly gradient: tf.Tensor; readonly xi?: tf.Tensor },
  { stepSize, temperature, driftLimit, range }: ImageRule,
): T {
  const drift = tf.mul(gradient, stepSize);
  const bounded = driftLimit === undefined ? drift : tf.clipByValue(drift, -driftLimit, driftLimit);
  const moved = tf.sub(x, bounded);
  const noisy = temperature === 0 || xi === undefined
    ? moved
    : tf.add(moved, tf.mul(xi, Math.sqrt(2 * stepSize * temperature)));
  return (range === undefined ? noisy : tf.clipByValue(noisy, ...range)) as T;
}

/** Arguments of a chain. */
export interface ImageChainOptions {
  readonly steps: number;
  readonly rule: ImageRule;
  /** Absent for a chain without noise, whatever the temperature. */
  readonly noise?: Noise;
}

/** Ends of chains, and the mean over chains and steps of |grad U| along them. */
export interface ImageChainEnd {
  readonly images: tf.Tensor4D;
  readonly gradientNorm: tf.Scalar;
}

/** The ends of chains from each of `start` [m, h, w, c]. `energy` gives U of each image, [m]. */
export function imageChain(
  energy: (x: tf.Tensor4D) => tf.Tensor1D,
  start: tf.Tensor4D,
  { steps, rule, noise }: ImageChainOptions,
): ImageChainEnd {
  if (steps === 0) return { images: start, gradientNorm: tf.scalar(0) };
  const gradientOf = tf.grad((x: tf.Tensor) => tf.sum(energy(x as tf.Tensor4D)));
  const each = rule.temperature === 0 || noise === undefined
    ? {}
    : { xi: noise.split("chain").normal([steps, ...start.shape]) };
  const { x, norms } = repeat<Record<"x" | "norms", tf.Tensor>, { readonly xi?: tf.Tensor }>(
    steps,
    { x: start, norms: tf.zeros([start.shape[0]]) },
    ({ x, norms }, { xi }) => {
      const gradient = gradientOf(x);
      const norm = tf.sqrt(tf.sum(tf.square(gradient), [1, 2, 3]));
      return { x: imageMove(x, { gradient, xi }, rule), norms: tf.add(norms, norm) };
    },
    each,
  );
  return { images: x as tf.Tensor4D, gradientNorm: tf.div(tf.mean(norms), steps) };
}

/** Images of which some pixels are to be reached by chains without noise, and how. */
export interface ChainTarget {
  /** x [m, h, w, c]. */
  readonly images: tf.Tensor4D;
  /** 1 where a pixel counts, 0 where it does not, [m, h, w, 1]; absent where all count. */
  readonly seen?: tf.Tensor4D;
  /** T, and the rule of the chain, of which the noise is left out. */
  readonly steps: number;
  readonly rule: ImageRule;
}

/** sum over the pixels that count of (x - Langevin_T(x^))^2 for each of the starts x^ `start` [m, h, w, c], which gradients pass: [m]. */
export function chainDistance(
  energy: (x: tf.Tensor4D) => tf.Tensor1D,
  start: tf.Tensor4D,
  { images, seen, steps, rule }: ChainTarget,
): tf.Tensor1D {
  const gradientOf = tf.grad((x: tf.Tensor) => tf.sum(energy(x as tf.Tensor4D)));
  // Unrolled: gradients do not pass through a loop.
  const end = Array.from({ length: steps }).reduce(
    (x: tf.Tensor4D) => imageMove(x, { gradient: gradientOf(x) }, rule),
    start,
  );
  const error = tf.squaredDifference(images, end);
  return tf.sum(seen === undefined ? error : tf.mul(error, seen), [1, 2, 3]);
}

/** The starts x^ `start` [m, h, w, c] after a step of gradient descent on `chainDistance`. Xie et al. 2022, section 5.3. */
export function fitChainStart(
  energy: (x: tf.Tensor4D) => tf.Tensor1D,
  start: tf.Tensor4D,
  { fitStepSize, ...target }: ChainTarget & { readonly fitStepSize: number },
): tf.Tensor4D {
  const distance = (x: tf.Tensor) => tf.sum(chainDistance(energy, x as tf.Tensor4D, target));
  return tf.sub(start, tf.mul(tf.grad(distance)(start), fitStepSize));
}

/**
 * Training metrics of a chain: mean |grad U| along it; `distance`, the root mean square change of a pixel from start to end, as
 * a share of its range; `saturated`, the share of pixels of the ends at the ends of the range, or beyond.
 */
export function chainMetrics(
  start: tf.Tensor4D,
  { images, gradientNorm }: ImageChainEnd,
): Readonly<Record<"gradientNorm" | "distance" | "saturated", tf.Scalar>> {
  const [low, high] = PIXEL_RANGE;
  const way = tf.div(tf.sub(images, start), high - low);
  return {
    gradientNorm,
    distance: tf.sqrt(tf.mean<tf.Scalar>(tf.square(way))),
    saturated: tf.mean<tf.Scalar>(
      tf.cast(tf.logicalOr(tf.lessEqual(images, low), tf.greaterEqual(images, high)), "float32"),
    ),
  };
}

/** The chain laid open for the harness, on images as rows of pixels; `data` are the images of the batch. */
export function prepareImageChain(
  energy: (x: tf.Tensor4D) => tf.Tensor1D,
  { start, data, rule }: {
    readonly start: tf.Tensor4D;
    readonly data: tf.Tensor4D;
    readonly rule: ImageRule;
  },
): PreparedChain {
  const { stepSize, temperature, driftLimit, range } = rule;
  const [, ...shape] = start.shape;
  const rows = (x: tf.Tensor4D): tf.Tensor2D => tf.reshape(x, [x.shape[0], -1]);
  const images = { data: rows(data), range: PIXEL_RANGE };
  const energyOfRows = (z: tf.Tensor2D) => energy(tf.reshape(z, [z.shape[0], ...shape]));
  if (temperature === 0 || driftLimit !== undefined || range !== undefined) {
    return {
      start: rows(start),
      stepSize,
      energy: energyOfRows,
      move: (z, move) => imageMove(z, move, rule),
      images,
    };
  }
  // Langevin dynamics of step eta T for U / T.
  return {
    start: rows(start),
    stepSize: stepSize * temperature,
    energy: (z) => tf.div<tf.Tensor1D>(energyOfRows(z), temperature),
    images,
  };
}

/**
 * Scores from nearest neighbours in feature space: precision and recall (Kynkäänniemi et al. 2019,
 * arXiv:1904.06991, eqs. 1-2), density and coverage (Naeem et al. 2020, arXiv:2002.09797, eqs. 4-5).
 *
 * Deviation: both papers propose VGG-16 features. This code uses Inception's pool3, as guided-diffusion does, so that
 * one network serves all scores.
 *
 * @module
 */
import type { FeatureTable } from "./feature_table.ts";
import { openProduct, type Product } from "../../linalg/products.ts";
import { type ProductTile, productTiles } from "./product_tiles.ts";

/** Overlap of samples and real images. Density may exceed 1; the other scores are in [0, 1]. */
export interface Overlap {
  /** Fraction of samples within the neighbourhood of a real image. */
  readonly precision: number;
  /** Fraction of real images within the neighbourhood of a sample. */
  readonly recall: number;
  /** Mean number of real neighbourhoods that contain a sample, divided by k. */
  readonly density: number;
  /** Fraction of real images with a sample in their neighbourhood. */
  readonly coverage: number;
}

/** The paper's k for precision and recall. */
export const PRECISION_NEIGHBOURS = 3;
/** The paper's k for density and coverage. */
export const DENSITY_NEIGHBOURS = 5;
/** Fewest images of either kind for the papers' k: an image is not its own neighbour. */
export const OVERLAP_MINIMUM = Math.max(PRECISION_NEIGHBOURS, DENSITY_NEIGHBOURS) + 1;

/**
 * Computes the overlap of `samples` and `real`. The radius of an image's neighbourhood is the distance to the k-th
 * nearest other image of its set. As in the papers' codes, the border is inside for precision and recall and outside for
 * density and coverage. Distances are |a|^2 + |b|^2 - 2 a.b, products in float32, norms in float64. Throws RangeError
 * unless both sets have more than k images.
 */
export async function neighbourOverlap(
  samples: FeatureTable,
  real: FeatureTable,
  {
    threads,
    precisionNeighbours = PRECISION_NEIGHBOURS,
    densityNeighbours = DENSITY_NEIGHBOURS,
    progress,
  }: {
    readonly threads: number;
    readonly progress?: (done: number, of: number) => void;
    readonly precisionNeighbours?: number;
    readonly densityNeighbours?: number;
  },
): Promise<Overlap> {
  const k = Math.max(precisionNeighbours, densityNeighbours);
  const fewest = Math.min(samples.count, real.count);
  if (fewest <= k) {
    throw new RangeError(
      `Neighbourhoods with k = ${k} need more than ${k} images of each kind, got ${fewest}`,
    );
  }
  await using product = await openProduct("float32", { over: "rows", threads });
  const pairs = samples.count ** 2 + real.count ** 2 + samples.count * real.count;
  let done = 0;
  const count = ({ squared }: Tile) => progress?.(done += squared.length, pairs);
  const ofSamples = await nearestWithin(samples, { k, product, count });
  const ofReal = await nearestWithin(real, { k, product, count });
  const radius = (nearest: Float64Array, i: number, neighbours: number) =>
    nearest[i * k + neighbours - 1];
  const precise = new Uint8Array(samples.count);
  const recalled = new Uint8Array(real.count);
  const covered = new Uint8Array(real.count);
  let inside = 0;
  for await (const tile of distanceTiles(samples, real, product)) {
    for (let i = tile.aStart, at = 0; i < tile.aEnd; i++) {
      const sampleRadius = radius(ofSamples, i, precisionNeighbours);
      for (let j = tile.bStart; j < tile.bEnd; j++, at++) {
        const distance = tile.squared[at];
        if (distance <= radius(ofReal, j, precisionNeighbours)) precise[i] = 1;
        if (distance <= sampleRadius) recalled[j] = 1;
        if (distance < radius(ofReal, j, densityNeighbours)) {
          inside++;
          covered[j] = 1;
        }
      }
    }
    count(tile);
  }
  return {
    precision: mean(precise),
    recall: mean(recalled),
    density: inside / (densityNeighbours * samples.count),
    coverage: mean(covered),
  };
}

/**
 * The coverage that `samples` and `real` images of one distribution have on average, whatever the distribution and its
 * dimension: a real image is not covered when its k nearest among all other images are real ones, so it is
 * 1 - prod_{i < k} (N - 1 - i) / (N + M - 1 - i) for N real images and M samples, near 1 - 2^-k for N = M (Naeem et al.,
 * section 3.3). Density is 1 on average; precision and recall have no such expectation.
 */
export function expectedCoverage(
  { samples, real, neighbours = DENSITY_NEIGHBOURS }: {
    readonly samples: number;
    readonly real: number;
    readonly neighbours?: number;
  },
): number {
  let uncovered = 1;
  for (let i = 0; i < neighbours; i++) uncovered *= (real - 1 - i) / (samples + real - 1 - i);
  return 1 - uncovered;
}

/** Squared distances of each row to its k nearest other rows, ascending, [count, k]. */
async function nearestWithin(
  table: FeatureTable,
  { k, product, count }: {
    readonly k: number;
    readonly product: Product<Float32Array>;
    readonly count: (tile: Tile) => void;
  },
): Promise<Float64Array> {
  const nearest = new Float64Array(table.count * k).fill(Infinity);
  for await (const tile of distanceTiles(table, table, product)) {
    for (let i = tile.aStart, at = 0; i < tile.aEnd; i++) {
      const last = i * k + k - 1;
      for (let j = tile.bStart; j < tile.bEnd; j++, at++) {
        const distance = tile.squared[at];
        if (i === j || distance >= nearest[last]) continue;
        let place = last; // insertion into the ascending list
        while (place > i * k && nearest[place - 1] > distance) {
          nearest[place] = nearest[place - 1];
          place--;
        }
        nearest[place] = distance;
      }
    }
    count(tile);
  }
  return nearest;
}

interface Tile extends Omit<ProductTile, "dots"> {
  /** [aEnd - aStart, bEnd - bStart]. */
  readonly squared: Float64Array;
}

async function* distanceTiles(
  a: FeatureTable,
  b: FeatureTable,
  product: Product<Float32Array>,
): AsyncGenerator<Tile> {
  const aNorms = squaredNorms(a), bNorms = squaredNorms(b);
  for await (const { dots, ...tile } of productTiles(a, b, product)) {
    const squared = new Float64Array(dots.length);
    for (let i = tile.aStart, at = 0; i < tile.aEnd; i++) {
      for (let j = tile.bStart; j < tile.bEnd; j++, at++) {
        squared[at] = Math.max(0, aNorms[i] + bNorms[j] - 2 * dots[at]);
      }
    }
    yield { ...tile, squared };
  }
}

function squaredNorms({ data, dim, count }: FeatureTable): Float64Array {
  const norms = new Float64Array(count);
  for (let i = 0, at = 0; i < count; i++) {
    for (let j = 0; j < dim; j++, at++) norms[i] += data[at] * data[at];
  }
  return norms;
}

function mean(flags: Uint8Array): number {
  return flags.reduce((sum, flag) => sum + flag, 0) / flags.length;
}

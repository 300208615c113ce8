/**
 * Mean and covariance of features, in float64 and one pass over any number of images: the statistics that
 * the Fréchet distance compares (Heusel et al. 2017, arXiv:1706.08500, eq. 6).
 *
 * @module
 */
import { addRowProducts, mirrorLower, rowsOf } from "../../linalg/row_products.ts";

/** Mean [d] and covariance [d, d] (divisor n - 1, as numpy.cov) of features [n, d]. */
export interface Statistics {
  /** Number of images n; null if unknown (files of other tools do not record it). */
  readonly count: number | null;
  readonly mean: Float64Array;
  /** Row-major, symmetric. */
  readonly covariance: Float64Array;
}

/** Sums over the features added so far, relative to `shift`, a point near their mean that avoids cancellation. */
export interface Moments {
  readonly dim: number;
  count: number;
  /** Mean of the first features that were added, [d]. */
  readonly shift: Float64Array;
  /** Sum of x - shift, [d]. */
  readonly sum: Float64Array;
  /** Sum of (x - shift)(x - shift)^T, [d, d]; only the lower triangle is valid. */
  readonly products: Float64Array;
}

/** Rows of features per block: 1,024 x 2,048 x 8 bytes = 16 MiB. */
export const ROWS_AT_ONCE = 1024;

/** Creates empty moments of features of dimension `dim`. */
export function startMoments(dim: number): Moments {
  return {
    dim,
    count: 0,
    shift: new Float64Array(dim),
    sum: new Float64Array(dim),
    products: new Float64Array(dim * dim),
  };
}

/** Adds features [n, d], row-major. Throws RangeError if a feature is not finite. */
export function addFeatures(moments: Moments, features: Float32Array | Float64Array): void {
  const { dim, products } = moments;
  for (const block of shiftedBlocks(moments, features)) {
    const columns = transpose(block, dim); // [dim, rows]
    const rows = rowsOf(columns, dim);
    addRowProducts(rowsOf(products, dim), {
      a: rows,
      b: rows,
      to: rows.stride,
      scale: 1,
      lower: true,
    });
  }
}

/**
 * Counts and sums features [n, d], and yields x - shift in blocks [<= ROWS_AT_ONCE, d], whose products the caller must
 * add.
 */
export function* shiftedBlocks(
  moments: Moments,
  features: Float32Array | Float64Array,
): Generator<Float64Array<ArrayBuffer>> {
  const { dim, shift, sum, count } = moments;
  const n = features.length / dim;
  if (!Number.isInteger(n)) {
    throw new RangeError(
      `Number of values must be a multiple of ${dim} features, got ${features.length}`,
    );
  }
  if (moments.count === 0) meanInto(shift, features, dim);
  for (let start = 0; start < n; start += ROWS_AT_ONCE) {
    const rows = Math.min(ROWS_AT_ONCE, n - start);
    const block = new Float64Array(rows * dim);
    for (let r = 0, at = 0; r < rows; r++) {
      for (let j = 0; j < dim; j++, at++) {
        sum[j] += block[at] = features[start * dim + at] - shift[j];
      }
    }
    if (!sum.every(Number.isFinite)) refuse(features, { dim, count });
    moments.count += rows;
    yield block;
  }
}

/** Throws RangeError for the first non-finite feature; `count` images precede these features. */
function refuse(
  features: Float32Array | Float64Array,
  { count, dim }: Pick<Moments, "count" | "dim">,
): never {
  const bad = features.findIndex((x) => !Number.isFinite(x));
  throw new RangeError(
    `Feature ${bad % dim} of image ${count + Math.floor(bad / dim)} is ${
      features[bad]
    }: the images or the network are broken`,
  );
}

/** Mean and covariance of all added features. Throws RangeError for fewer than two images. */
export function statisticsOf(moments: Moments): Statistics {
  const { dim, count, shift, sum, products } = moments;
  if (count < 2) throw new RangeError(`Statistics need at least 2 images, got ${count}`);
  const covariance = new Float64Array(dim * dim);
  for (let i = 0; i < dim; i++) {
    for (let j = 0; j <= i; j++) {
      covariance[i * dim + j] = (products[i * dim + j] - sum[i] * sum[j] / count) / (count - 1);
    }
  }
  mirrorLower(covariance, dim);
  return { count, mean: shift.map((s, j) => s + sum[j] / count), covariance };
}

/** Mean and covariance of features [n, d], row-major. */
export function featureStatistics(
  features: Float32Array | Float64Array,
  dim: number,
): Statistics {
  const moments = startMoments(dim);
  addFeatures(moments, features);
  return statisticsOf(moments);
}

function meanInto(mean: Float64Array, features: Float32Array | Float64Array, dim: number): void {
  const n = features.length / dim;
  for (let at = 0; at < features.length; at++) mean[at % dim] += features[at] / n;
}

/** Transposes [rows, dim] to [dim, rows]. */
function transpose(block: Float64Array, dim: number): Float64Array {
  const rows = block.length / dim;
  const out = new Float64Array(block.length);
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < dim; j++) out[j * rows + r] = block[r * dim + j];
  }
  return out;
}

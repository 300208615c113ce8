/**
 * Kernel Inception Distance (Binkowski et al. 2018, "Demystifying MMD GANs", arXiv:1801.01401). Its estimate is
 * unbiased, so it is the score to use for few images.
 *
 * @module
 */
import { shuffledRows } from "../../core/row_order.ts";
import { foldIn, keyOf } from "../../core/noise.ts";
import { type FeatureTable, selectRows } from "./feature_table.ts";
import { openProduct, type Product } from "../../linalg/products.ts";
import { productTiles } from "./product_tiles.ts";

/** Mean and standard deviation (divisor n) over subsets; null where every subset is the whole set. */
export interface Spread {
  readonly mean: number;
  readonly std: number | null;
}

/** An estimate and its standard error. */
export interface Estimate {
  readonly value: number;
  readonly standardError: number;
}

/** Number of random subsets, as in the paper's code and torch-fidelity. */
export const KID_SUBSETS = 100;
/** Images per subset, drawn without replacement, as in the paper's code and torch-fidelity. */
export const KID_SUBSET_SIZE = 1000;

/**
 * KID of the features `x` and `y`: the squared maximum mean discrepancy under the kernel
 * k(a, b) = (a.b / d + 1)^3, averaged over random subsets of equal size. Products in float32, sums in
 * float64. It may be slightly negative for equal distributions. The standard deviation over subsets is no error, since
 * subsets share images, and there is none where they are whole sets; `kidOfAllImages` has an error. Subsets are at most as large as the smaller set. Throws
 * RangeError for fewer than 2 images of either kind.
 */
export async function kernelInceptionDistance(
  x: FeatureTable,
  y: FeatureTable,
  { subsets = KID_SUBSETS, subsetSize = KID_SUBSET_SIZE, seed, threads, progress }: {
    readonly subsets?: number;
    readonly subsetSize?: number;
    readonly seed: number;
    readonly threads: number;
    readonly progress?: (done: number, of: number) => void;
  },
): Promise<Spread> {
  const size = Math.min(subsetSize, x.count, y.count);
  if (size < 2) throw new RangeError(`KID needs at least 2 images of each kind, got ${size}`);
  await using product = await openProduct("float32", { over: "rows", threads });
  const key = foldIn(keyOf(seed), "kid");
  const values: number[] = [];
  const isWhole = size === x.count && size === y.count;
  const draws = isWhole ? 1 : subsets;
  for (let i = 0; i < draws; i++) {
    const rows = (name: string, table: FeatureTable) =>
      selectRows(table, shuffledRows(foldIn(key, name), i, table.count).subarray(0, size));
    values.push(await unbiasedMmd(rows("x", x), rows("y", y), product));
    progress?.(i + 1, draws);
  }
  return isWhole ? { mean: values[0], std: null } : spread(values);
}

/**
 * KID of all images of `x` and `y` at once, with the jackknife standard error over the images of both sets, from the row
 * sums of the kernel matrices (Gretton et al. 2012, JMLR 13, eq. 3, the unbiased estimate; Efron and Stein 1981 for the
 * jackknife). For equal distributions the statistic is degenerate and the error about sqrt(2) too large. Products in
 * float32, sums in float64. Throws RangeError for fewer than 3 images of either kind.
 */
export async function kidOfAllImages(
  x: FeatureTable,
  y: FeatureTable,
  { threads, progress }: {
    readonly threads: number;
    readonly progress?: (done: number, of: number) => void;
  },
): Promise<Estimate> {
  const [n, m] = [x.count, y.count];
  if (Math.min(n, m) < 3) {
    throw new RangeError(`KID's error needs at least 3 images of each kind, got ${Math.min(n, m)}`);
  }
  await using product = await openProduct("float32", { over: "rows", threads });
  let done = 0;
  const count = (pairs: number) => progress?.(done += pairs, n ** 2 + m ** 2 + n * m);
  const xx = await kernelRowSums(x, x, { product, count, diagonal: false });
  const yy = await kernelRowSums(y, y, { product, count, diagonal: false });
  const xy = await kernelRowSums(x, y, { product, count, diagonal: true });
  const [sumX, sumY] = [sum(xx.rows), sum(yy.rows)];
  const cross = sum(xy.rows);
  const ofX = sumX / (n * (n - 1)), ofY = sumY / (m * (m - 1));
  // Each estimate without one image: its row and its column leave the sum of its set, its row leaves the cross sum.
  const withoutX = xx.rows.map((row, i) =>
    (sumX - 2 * row) / ((n - 1) * (n - 2)) + ofY - 2 * (cross - xy.rows[i]) / ((n - 1) * m)
  );
  const withoutY = yy.rows.map((row, j) =>
    ofX + (sumY - 2 * row) / ((m - 1) * (m - 2)) - 2 * (cross - xy.columns[j]) / (n * (m - 1))
  );
  return {
    value: ofX + ofY - 2 * cross / (n * m),
    standardError: Math.sqrt(jackknifeVariance(withoutX) + jackknifeVariance(withoutY)),
  };
}

/** (n - 1) / n times the sum of squared deviations of the n leave-one-out estimates. */
function jackknifeVariance(values: Float64Array): number {
  const centre = sum(values) / values.length;
  const squares = values.reduce((total, value) => total + (value - centre) ** 2, 0);
  return (values.length - 1) / values.length * squares;
}

/** Row and column sums of k(a_i, b_j), with or without the `diagonal` i = j. */
async function kernelRowSums(
  a: FeatureTable,
  b: FeatureTable,
  { product, diagonal, count }: {
    readonly product: Product<Float32Array>;
    readonly diagonal: boolean;
    readonly count: (pairs: number) => void;
  },
): Promise<{ readonly rows: Float64Array; readonly columns: Float64Array }> {
  const rows = new Float64Array(a.count), columns = new Float64Array(b.count);
  for await (const { aStart, aEnd, bStart, bEnd, dots } of productTiles(a, b, product)) {
    for (let i = aStart, at = 0; i < aEnd; i++) {
      for (let j = bStart; j < bEnd; j++, at++) {
        if (!diagonal && i === j) continue;
        const value = kernel(dots[at], a.dim);
        rows[i] += value;
        columns[j] += value;
      }
    }
    count(dots.length);
  }
  return { rows, columns };
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}

/** (dot / dim + 1)^3. */
function kernel(dot: number, dim: number): number {
  const base = dot / dim + 1;
  return base * base * base;
}

/** Unbiased squared MMD of two tables of the same length, under the cubic kernel. */
async function unbiasedMmd(
  x: FeatureTable,
  y: FeatureTable,
  product: Product<Float32Array>,
): Promise<number> {
  const m = x.count;
  const sums = async (a: FeatureTable, b: FeatureTable) => {
    const dots = await product.run(
      { data: a.data, rows: m, columns: a.dim },
      { data: b.data, rows: m, columns: b.dim },
    );
    return kernelSums(dots, { count: m, dim: a.dim });
  };
  const xx = await sums(x, x), yy = await sums(y, y), xy = await sums(x, y);
  return (xx.all - xx.diagonal + yy.all - yy.diagonal) / (m * (m - 1)) - 2 * xy.all / (m * m);
}

/** Sums (dot / dim + 1)^3 over a square matrix of dot products and over its diagonal. */
function kernelSums(
  dots: Float32Array,
  { count, dim }: { readonly count: number; readonly dim: number },
): { readonly all: number; readonly diagonal: number } {
  let all = 0, diagonal = 0;
  for (let i = 0, at = 0; i < count; i++) {
    let row = 0;
    for (let j = 0; j < count; j++, at++) {
      const value = kernel(dots[at], dim);
      row += value;
      if (i === j) diagonal += value;
    }
    all += row;
  }
  return { all, diagonal };
}

/** Mean and standard deviation with divisor n. */
export function spread(values: readonly number[]): Spread {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length;
  return { mean, std: Math.sqrt(variance) };
}

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

/** Mean and standard deviation (divisor n) over subsets. */
export interface Spread {
  readonly mean: number;
  readonly std: number;
}

/** Number of random subsets, as in the paper's code and torch-fidelity. */
export const KID_SUBSETS = 100;
/** Images per subset, drawn without replacement, as in the paper's code and torch-fidelity. */
export const KID_SUBSET_SIZE = 1000;

/**
 * KID of the features `x` and `y`: the squared maximum mean discrepancy under the kernel
 * k(a, b) = (a.b / d + 1)^3, averaged over random subsets of equal size. Products in float32, sums in
 * float64. It may be slightly negative for equal distributions. Subsets are at most as large as the smaller set. Throws
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
  for (let i = 0; i < subsets; i++) {
    const rows = (name: string, table: FeatureTable) =>
      selectRows(table, shuffledRows(foldIn(key, name), i, table.count).subarray(0, size));
    values.push(await unbiasedMmd(rows("x", x), rows("y", y), product));
    progress?.(i + 1, subsets);
  }
  return spread(values);
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
      const base = dots[at] / dim + 1;
      const value = base * base * base;
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

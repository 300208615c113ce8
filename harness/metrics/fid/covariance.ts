import { openProduct, type Product } from "../../linalg/products.ts";
import {
  type Moments,
  shiftedBlocks,
  startMoments,
  type Statistics,
  statisticsOf,
} from "./feature_statistics.ts";

/** Columns per block of the product; blocks avoid computing entries above the diagonal. */
const BLOCK = 256;
/** Images collected before their products are computed: 1,024 x 2,048 x 4 bytes = 8 MiB. */
const ROWS = 1024;

/** An accumulator of statistics. */
export interface StatisticsStream extends AsyncDisposable {
  /** Adds the features of one or more images [n, dim]. */
  add(features: Float32Array): Promise<void>;
  /** Returns the statistics of all added features. */
  finish(): Promise<Statistics>;
}

/**
 * Opens an accumulator of mean and covariance, as in `feature_statistics.ts`, with float64 products by ONNX Runtime: for
 * features as wide as Inception's 2,048.
 */
export async function openStatistics(
  dim: number,
  { threads }: { readonly threads: number },
): Promise<StatisticsStream> {
  const product = await openProduct("float64", { over: "columns", threads });
  const moments = startMoments(dim);
  const waiting = new Float32Array(ROWS * dim);
  let filled = 0;
  const flush = async () => {
    for (const block of shiftedBlocks(moments, waiting.subarray(0, filled))) {
      await addProducts(moments, block, product);
    }
    filled = 0;
  };
  return {
    async add(features) {
      for (let at = 0; at < features.length;) {
        const count = Math.min(features.length - at, waiting.length - filled);
        waiting.set(features.subarray(at, at + count), filled);
        filled += count;
        at += count;
        if (filled === waiting.length) await flush();
      }
    },
    async finish() {
      await flush();
      return statisticsOf(moments);
    },
    [Symbol.asyncDispose]: () => product[Symbol.asyncDispose](),
  };
}

/** Adds x^T x of the rows x [n, dim] to the lower triangle of `products`. */
async function addProducts(
  { dim, products }: Moments,
  x: Float64Array,
  product: Product<Float64Array>,
): Promise<void> {
  const rows = x.length / dim;
  for (let j = 0; j < dim; j += BLOCK) {
    const width = Math.min(BLOCK, dim - j);
    const below = dim - j; // columns j, j + 1, ... of x give the rows of the product from the diagonal down
    const sum = await product.run(
      { data: columns(x, { dim, from: j, to: dim }), rows, columns: below },
      { data: columns(x, { dim, from: j, to: j + width }), rows, columns: width },
    );
    for (let i = 0; i < below; i++) {
      const out = (j + i) * dim + j;
      for (let k = 0; k < width; k++) products[out + k] += sum[i * width + k];
    }
  }
}

/** Columns [from, to) of the rows x [n, dim], row-major. */
function columns(
  x: Float64Array,
  { dim, from, to }: { readonly dim: number; readonly from: number; readonly to: number },
): Float64Array {
  const width = to - from;
  if (width === dim) return x;
  const out = new Float64Array(x.length / dim * width);
  for (let row = 0, at = 0; at < out.length; row++, at += width) {
    out.set(x.subarray(row * dim + from, row * dim + to), at);
  }
  return out;
}

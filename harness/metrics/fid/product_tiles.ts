import type { FeatureTable } from "./feature_table.ts";
import type { Product } from "../../linalg/products.ts";

/** Rows and columns of a tile: 1,024 x 1,024 x 4 bytes = 4 MiB. */
const TILE = 1024;

/** The products of the rows aStart to aEnd of one table with the rows bStart to bEnd of another. */
export interface ProductTile {
  readonly aStart: number;
  readonly aEnd: number;
  readonly bStart: number;
  readonly bEnd: number;
  /** [aEnd - aStart, bEnd - bStart], row-major. */
  readonly dots: Float32Array;
}

/** The inner products of all rows of `a` with all rows of `b`, tile by tile, so that memory does not grow with the tables. */
export async function* productTiles(
  a: FeatureTable,
  b: FeatureTable,
  product: Product<Float32Array>,
): AsyncGenerator<ProductTile> {
  for (let aStart = 0; aStart < a.count; aStart += TILE) {
    const aEnd = Math.min(aStart + TILE, a.count);
    for (let bStart = 0; bStart < b.count; bStart += TILE) {
      const bEnd = Math.min(bStart + TILE, b.count);
      const dots = await product.run(rows(a, aStart, aEnd), rows(b, bStart, bEnd));
      yield { aStart, aEnd, bStart, bEnd, dots };
    }
  }
}

function rows({ data, dim }: FeatureTable, start: number, end: number) {
  return { data: data.subarray(start * dim, end * dim), rows: end - start, columns: dim };
}

import { pivotedCholesky } from "../linalg/pivoted_cholesky.ts";
import { addRowProducts, rowsOf } from "../linalg/row_products.ts";

/** How freely amortized chains move: the hat matrix of the features. */
export interface Leverages {
  /** Numerical rank of the features. */
  readonly rank: number;
  /** h_ii of each row, in [0, 1]; their sum is the rank. */
  readonly leverages: Float64Array;
}

/** A column whose part outside of the others is shorter than this times the longest column is none: float32 knows no better. */
const TOLERANCE = 1e-6;
/** Rows whose products are added at once. */
const CHUNK = 256;

/**
 * Leverages h_ii of the rows of `features` [rows, columns], row-major: diagonal of G (G' G)^+ G'. With z = G Phi and Phi sampled
 * for exp(-sum U), the stationary covariance of z_i is h_ii of the posterior's where all rows have the same precision, so 1
 * for each row if and only if the rank is the number of rows (the paper's Theorem 1, condition 2).
 *
 * By the pivoted Cholesky factor of G' G in float64, P' G' G P = L L': the pivots' columns of G are Q L', Q' Q = I, and h_ii is
 * |q_i|^2. Good to some 1e-4 where columns are all but dependent. O(rows columns^2).
 */
export function leveragesOf(
  features: ArrayLike<number>,
  { rows, columns }: { rows: number; columns: number },
): Leverages {
  if (features.length !== rows * columns) {
    throw new RangeError(`${features.length} features are not ${rows} rows of ${columns}`);
  }
  const { order, transposed, rank: most } = pivotedCholesky(
    gramOf(features, { rows, columns }),
    columns,
    Math.min(rows, columns),
  );
  const diagonal = (c: number) => transposed[c * columns + c];
  let rank = 0;
  while (rank < most && diagonal(rank) > TOLERANCE * diagonal(0)) rank++;
  const leverages = new Float64Array(rows);
  const q = new Float64Array(rank);
  for (let i = 0; i < rows; i++) {
    // q = L^-1 g by forward substitution; L(c, k) is transposed(k, c).
    for (let c = 0; c < rank; c++) q[c] = features[i * columns + order[c]];
    for (let k = 0; k < rank; k++) {
      q[k] /= diagonal(k);
      const column = k * columns;
      for (let c = k + 1; c < rank; c++) q[c] -= transposed[column + c] * q[k];
      leverages[i] += q[k] * q[k];
    }
  }
  return { rank, leverages };
}

/** G' G, [columns, columns]. */
function gramOf(
  features: ArrayLike<number>,
  { rows, columns }: { rows: number; columns: number },
): Float64Array {
  const gram = new Float64Array(columns * columns);
  for (let from = 0; from < rows; from += CHUNK) {
    const count = Math.min(CHUNK, rows - from);
    const chunk = new Float64Array(columns * count); // transposed
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < columns; j++) chunk[j * count + i] = features[(from + i) * columns + j];
    }
    const block = rowsOf(chunk, columns);
    addRowProducts(rowsOf(gram, columns), { a: block, b: block, to: count, scale: 1, lower: true });
  }
  for (let i = 0; i < columns; i++) {
    for (let j = 0; j < i; j++) gram[j * columns + i] = gram[i * columns + j];
  }
  return gram;
}

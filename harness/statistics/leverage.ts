import { pivotedCholesky } from "../linalg/pivoted_cholesky.ts";
import { addRowProducts, rowsOf } from "../linalg/row_products.ts";

/** Diagonal of the hat matrix of the features, which measures how freely amortized chains move. */
export interface Leverages {
  /** Numerical rank of the features. */
  readonly rank: number;
  /** Leverage h_ii of each row, in [0, 1]; the leverages sum to the rank. */
  readonly leverages: Float64Array;
}

/** A column adds no rank if its component outside the others is shorter than this times the longest: float32's precision. */
const TOLERANCE = 1e-6;
/** Number of rows per block of the Gram matrix product. */
const CHUNK = 256;

/**
 * Leverages h_ii of the rows of `features` G [rows, columns], row-major: the diagonal of G (G' G)^+ G'. With z = G Phi
 * and Phi sampled from exp(-sum U), the stationary covariance of z_i is h_ii times the posterior's if all rows have the
 * same precision. It is therefore exact for every row if and only if the rank equals the number of rows (LAE paper,
 * Theorem 1, condition 2).
 *
 * Uses the pivoted Cholesky factor of G' G in float64, P' G' G P = L L': the pivot columns of G are Q L' with Q' Q = I,
 * and h_ii = |q_i|^2. Accurate to about 1e-4 if columns are nearly dependent. O(rows columns^2). Throws RangeError if
 * `features` does not have rows x columns elements.
 */
export function leveragesOf(
  features: ArrayLike<number>,
  { rows, columns }: { rows: number; columns: number },
): Leverages {
  if (features.length !== rows * columns) {
    throw new RangeError(
      `Features of shape [${rows}, ${columns}] need ${
        rows * columns
      } values, got ${features.length}`,
    );
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

/** Gram matrix G' G, [columns, columns]. */
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

/** How freely amortized chains move: the hat matrix of the features. */
export interface Leverages {
  /** Numerical rank of the features. */
  readonly rank: number;
  /** h_ii of each row, in [0, 1]; their sum is the rank. */
  readonly leverages: Float64Array;
}

/**
 * Leverages h_ii of the rows of `features` [rows, columns], row-major: diagonal of G (G' G)^+ G'. With z = G Phi and Phi sampled
 * for exp(-sum U), the stationary covariance of z_i is h_ii of the posterior's where all rows have the same precision, so 1
 * for each row if and only if the rank is the number of rows (the paper's Theorem 1, condition 2).
 *
 * By Gram-Schmidt with re-orthogonalisation in float64, columns by falling remainder; a remainder below `tolerance` of the
 * largest column counts as zero. O(rows columns^2).
 */
export function leveragesOf(
  features: ArrayLike<number>,
  { rows, columns, tolerance = 1e-6 }: { rows: number; columns: number; tolerance?: number },
): Leverages {
  if (features.length !== rows * columns) {
    throw new RangeError(`${features.length} features are not ${rows} rows of ${columns}`);
  }
  const basis: Float64Array[] = [];
  const remaining = Array.from(
    { length: columns },
    (_, j) => Float64Array.from({ length: rows }, (_, i) => features[i * columns + j]),
  );
  const norm = (v: Float64Array) => Math.sqrt(v.reduce((sum, x) => sum + x * x, 0));
  const largest = Math.max(...remaining.map(norm));
  while (remaining.length > 0 && basis.length < rows) {
    const norms = remaining.map(norm);
    const pivot = norms.indexOf(Math.max(...norms));
    const [v] = remaining.splice(pivot, 1);
    for (const u of basis) removeFrom(v, u); // once more: the first pass left rounding errors
    const length = norm(v);
    if (length <= tolerance * largest) break;
    const unit = v.map((x) => x / length);
    basis.push(unit);
    for (const other of remaining) removeFrom(other, unit);
  }
  const leverages = new Float64Array(rows);
  for (const u of basis) u.forEach((x, i) => leverages[i] += x * x);
  return { rank: basis.length, leverages };
}

/** v minus its part along the unit vector u, in place. */
function removeFrom(v: Float64Array, u: Float64Array): void {
  let c = 0;
  for (let i = 0; i < v.length; i++) c += v[i] * u[i];
  for (let i = 0; i < v.length; i++) v[i] -= c * u[i];
}

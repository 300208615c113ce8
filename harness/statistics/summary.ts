/** Mean of `values`. Throws RangeError if there are none. */
export function mean(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("Mean needs at least 1 value, got 0");
  return values.reduce((a, b) => a + b) / values.length;
}

/** Standard deviation of a sample, with divisor n - 1; null for fewer than two values, exactly 0 for equal values. */
export function sampleStd(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  // The mean of equal values may differ from them by rounding; their distances from the first do not.
  const shifted = values.map((value) => value - values[0]);
  const centre = mean(shifted);
  const squares = shifted.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}

/** Median of `values`; for an even count, the mean of the middle two. Throws RangeError if there are none. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("Median needs at least 1 value, got 0");
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

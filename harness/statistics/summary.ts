/** The mean of `values`. Throws RangeError when there are none. */
export function mean(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("The mean of no values");
  return values.reduce((a, b) => a + b) / values.length;
}

/** The standard deviation of a sample, with n - 1; null for fewer than two values. */
export function sampleStd(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const centre = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}

/** The middle of `values`, or the mean of the two middles. Throws RangeError when there are none. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("The median of no values");
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

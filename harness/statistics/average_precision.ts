/**
 * Average precision of `scores` for finding the `positives`, the area under the precision-recall curve as a step function: the
 * sum over thresholds of (recall - recall before) precision. Rows of equal scores pass a threshold together. 1 if every positive
 * scores above every other row; about the share of positives if scores say nothing. Throws RangeError without positives, or for
 * scores that are not finite.
 */
export function averagePrecision(
  scores: ArrayLike<number>,
  positives: readonly boolean[],
): number {
  const total = positives.filter((positive) => positive).length;
  if (total === 0) throw new RangeError("No row is positive");
  if (!Array.from(scores).every(Number.isFinite)) throw new RangeError("A score is not finite");
  const order = positives.map((_, row) => row).toSorted((a, b) => scores[b] - scores[a]);
  let [found, seen, area] = [0, 0, 0];
  while (seen < order.length) {
    const threshold = scores[order[seen]];
    const before = found;
    while (seen < order.length && scores[order[seen]] === threshold) {
      if (positives[order[seen++]]) found++;
    }
    area += (found - before) / total * (found / seen);
  }
  return area;
}

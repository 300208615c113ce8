/**
 * Annealed importance sampling (Neal 2001): the path of inverse temperatures, and estimates from log weights.
 *
 * @module
 */

/**
 * Inverse temperatures 0 = beta_0 < ... < beta_T = 1 with log(1 + curvature beta) linear in t: the relative change of the
 * stiffest precision, 1 + curvature beta, is the same in every step. `curvature` is the largest eigenvalue of the
 * likelihood's negative Hessian; as it goes to 0 the path is linear. Throws RangeError unless it is >= 0 and finite.
 */
export function geometricTemperatures(count: number, curvature: number): Float64Array {
  if (!(curvature >= 0 && curvature < Infinity)) {
    throw new RangeError(`curvature must be >= 0 and finite, got ${curvature}`);
  }
  const rate = Math.log1p(curvature);
  const path = Float64Array.from(
    { length: count + 1 },
    (_, t) => curvature < 1e-6 ? t / count : Math.expm1(rate * t / count) / curvature,
  );
  path[count] = 1;
  return path;
}

/** An estimate and its standard error. */
export interface Estimate {
  readonly value: number;
  readonly standardError: number;
}

/**
 * log of the mean of exp(`logWeights`), and its standard error by the delta method, which is at most 1 and no guide above about
 * 0.5. In expectation the value is at most the log of the expected weight. Throws RangeError for no weights.
 */
export function logMeanExp(logWeights: ArrayLike<number>): Estimate {
  const count = logWeights.length;
  if (count === 0) throw new RangeError("The mean of no weights");
  let most = -Infinity;
  for (let i = 0; i < count; i++) most = Math.max(most, logWeights[i]);
  let [total, squares] = [0, 0];
  for (let i = 0; i < count; i++) {
    const weight = Math.exp(logWeights[i] - most);
    total += weight;
    squares += weight * weight;
  }
  const relative = count * squares / (total * total) - 1; // variance over mean^2, with n
  return {
    value: most + Math.log(total / count),
    standardError: Math.sqrt(Math.max(0, relative) / count),
  };
}

/** -log of the mean of exp(-`logWeights`): in expectation at least -log of the expected exp(-w). */
export function reverseBound(logWeights: ArrayLike<number>): Estimate {
  const { value, standardError } = logMeanExp(Array.from(logWeights, (w) => -w));
  return { value: -value, standardError };
}

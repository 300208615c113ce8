/**
 * Eigenvalues of a symmetric matrix, without eigenvectors: Householder reduction to tridiagonal form, then
 * implicit QL (Golub & Van Loan, Matrix Computations, 4th ed., 8.3; EISPACK's tred1 and imtql1).
 *
 * @module
 */

/**
 * Eigenvalues of the symmetric `matrix` [n, n], ascending. Reads only the lower triangle and overwrites the matrix.
 * The small eigenvalues of a graded matrix are most accurate if its large entries come last. Float64; 4/3 n^3
 * operations.
 */
export function symmetricEigenvalues(matrix: Float64Array, n: number): Float64Array {
  const { diagonal, offDiagonal } = tridiagonalize(matrix, n);
  // A power of two near the largest entry: division by it is exact and keeps squares within range.
  const largest = [...diagonal, ...offDiagonal].reduce((m, x) => Math.max(m, Math.abs(x)), 0);
  const scale = largest > 0 ? 2 ** Math.floor(Math.log2(largest)) : 1;
  for (let i = 0; i < n; i++) diagonal[i] /= scale;
  for (let i = 0; i < n - 1; i++) offDiagonal[i] /= scale;
  tridiagonalEigenvalues(diagonal, offDiagonal);
  return diagonal.map((x) => x * scale).sort();
}

/** A symmetric tridiagonal matrix: `offDiagonal[i]` couples rows i and i + 1. */
interface Tridiagonal {
  readonly diagonal: Float64Array;
  readonly offDiagonal: Float64Array;
}

/**
 * Reduces the lower triangle of `a` [n, n] from its last row upwards. The reflection H = I - v v^T / h turns row i
 * into (0, ..., 0, e) and the leading block B into H B H = B - v q^T - q v^T with p = B v / h and
 * q = p - (p.v / 2h) v. One pass over the block does this update and the next product B' v'.
 */
function tridiagonalize(a: Float64Array, n: number): Tridiagonal {
  const diagonal = new Float64Array(n);
  const offDiagonal = new Float64Array(Math.max(n - 1, 0));
  let v = new Float64Array(n), q = new Float64Array(n); // of the previous reflection
  let w = new Float64Array(n), p = new Float64Array(n); // of the current reflection
  let pending = false;
  for (let i = n - 1; i >= 1; i--) {
    const row = i * n;
    if (pending) {
      for (let k = 0; k <= i; k++) a[row + k] -= v[i] * q[k] + q[i] * v[k];
    }
    diagonal[i] = a[row + i];
    const { h, e } = reflection(a, row, i, w);
    offDiagonal[i - 1] = e;
    p.fill(0, 0, i);
    if (pending) updateAndMultiply(a, n, i, v, q, w, p);
    else if (h !== 0) multiply(a, n, i, w, p);
    pending = h !== 0;
    if (!pending) continue;
    let pv = 0;
    for (let k = 0; k < i; k++) pv += (p[k] /= h) * w[k];
    const half = pv / (2 * h);
    for (let k = 0; k < i; k++) p[k] -= half * w[k];
    [v, q, w, p] = [w, p, v, q];
  }
  if (n > 0) diagonal[0] = a[0] - (pending ? 2 * v[0] * q[0] : 0);
  return { diagonal, offDiagonal };
}

/**
 * Finds the reflection that turns (a[row], ..., a[row + i - 1]) into (0, ..., 0, e). Writes its vector to `v` and
 * returns h = v.v / 2; h = 0 if the row already has that form.
 */
function reflection(
  a: Float64Array,
  row: number,
  i: number,
  v: Float64Array,
): { readonly h: number; readonly e: number } {
  let scale = 0; // of all but the last entry
  for (let k = 0; k < i - 1; k++) scale = Math.max(scale, Math.abs(a[row + k]));
  const last = a[row + i - 1];
  v.fill(0, 0, i);
  if (scale === 0) return { h: 0, e: last };
  scale = Math.max(scale, Math.abs(last)); // prevents underflow and overflow of the squares
  let sum = 0;
  for (let k = 0; k < i; k++) {
    v[k] = a[row + k] / scale;
    sum += v[k] * v[k];
  }
  const e = v[i - 1] > 0 ? -Math.sqrt(sum) : Math.sqrt(sum);
  const h = sum - v[i - 1] * e;
  v[i - 1] -= e;
  return { h, e: e * scale };
}

/** Adds B w to `p` for the leading block B [i, i] of `a`; reads the lower triangle. */
function multiply(a: Float64Array, n: number, i: number, w: Float64Array, p: Float64Array): void {
  for (let j = 0; j < i; j++) {
    const row = j * n;
    const wj = w[j];
    let sum = a[row + j] * wj;
    for (let k = 0; k < j; k++) {
      const x = a[row + k];
      sum += x * w[k];
      p[k] += x * wj;
    }
    p[j] += sum;
  }
}

/** Subtracts v q^T + q v^T from the leading block B [i, i] of `a`, then adds B w to `p`; two rows at a time. */
// deno-fmt-ignore
function updateAndMultiply(
  a: Float64Array, n: number, i: number,
  v: Float64Array, q: Float64Array, w: Float64Array, p: Float64Array,
): void {
  let j = 0;
  for (; j + 1 < i; j += 2) {
    const r0 = j * n, r1 = r0 + n;
    const v0 = v[j], v1 = v[j + 1], q0 = q[j], q1 = q[j + 1], w0 = w[j], w1 = w[j + 1];
    let s0 = 0, s1 = 0;
    for (let k = 0; k < j; k++) {
      const vk = v[k], qk = q[k], wk = w[k];
      const x0 = a[r0 + k] - v0 * qk - q0 * vk;
      const x1 = a[r1 + k] - v1 * qk - q1 * vk;
      a[r0 + k] = x0;
      a[r1 + k] = x1;
      s0 += x0 * wk;
      s1 += x1 * wk;
      p[k] += x0 * w0 + x1 * w1;
    }
    const d0 = a[r0 + j] -= 2 * v0 * q0;
    const c = a[r1 + j] -= v1 * q0 + q1 * v0;
    const d1 = a[r1 + j + 1] -= 2 * v1 * q1;
    p[j] += s0 + d0 * w0 + c * w1;
    p[j + 1] += s1 + c * w0 + d1 * w1;
  }
  if (j < i) {
    const r = j * n;
    let sum = 0;
    for (let k = 0; k < j; k++) {
      const x = a[r + k] -= v[j] * q[k] + q[j] * v[k];
      sum += x * w[k];
      p[k] += x * w[j];
    }
    a[r + j] -= 2 * v[j] * q[j];
    p[j] += sum + a[r + j] * w[j];
  }
}

/** Iterations allowed for one eigenvalue, as in EISPACK. Two are usual. */
const MAX_ITERATIONS = 30;

/** Implicit QL on a tridiagonal matrix with diagonal `d` and off-diagonal `off`: replaces `d` by the eigenvalues. */
function tridiagonalEigenvalues(d: Float64Array, off: Float64Array): void {
  const n = d.length;
  const e = new Float64Array(n);
  e.set(off);
  for (let l = 0; l < n; l++) {
    for (let iteration = 0;; iteration++) {
      let m = l;
      while (m < n - 1 && Math.abs(e[m]) > Number.EPSILON * (Math.abs(d[m]) + Math.abs(d[m + 1]))) {
        m++;
      }
      if (m === l) break;
      if (iteration === MAX_ITERATIONS) {
        throw new Error(`Eigenvalue ${l} of ${n} did not converge in ${MAX_ITERATIONS} iterations`);
      }
      let g = (d[l + 1] - d[l]) / (2 * e[l]); // Wilkinson's shift
      g = d[m] - d[l] + e[l] / (g + Math.sign(g || 1) * Math.hypot(g, 1));
      let s = 1, c = 1, p = 0;
      let i = m - 1;
      for (; i >= l; i--) {
        const f = s * e[i], b = c * e[i];
        const r = Math.sqrt(f * f + g * g);
        e[i + 1] = r;
        if (r === 0) break;
        s = f / r;
        c = g / r;
        g = d[i + 1] - p;
        const t = (d[i] - g) * s + 2 * c * b;
        p = s * t;
        d[i + 1] = g + p;
        g = c * t - b;
      }
      if (i >= l) { // split by underflow
        d[i + 1] -= p;
      } else {
        d[l] -= p;
        e[l] = g;
      }
      e[m] = 0;
    }
  }
}

/**
 * Products of the rows of float64 matrices: the operation that dominates the time of the covariance, the Cholesky
 * factorization and the Fréchet distance.
 *
 * @module
 */

/** A row-major float64 matrix or a block of one: element (i, k) is `data[offset + i * stride + k]`. */
export interface Rows {
  readonly data: Float64Array;
  readonly offset: number;
  readonly stride: number;
  readonly count: number;
}

/** Views all of `data` as a matrix of `count` rows. */
export function rowsOf(data: Float64Array, count: number): Rows {
  return { data, offset: 0, stride: count === 0 ? 0 : data.length / count, count };
}

/** Block of `b` that is kept in the cache: 128 rows x 256 columns x 8 bytes = 256 KiB. */
const COLUMNS_AT_ONCE = 256;
const ROWS_AT_ONCE = 128;

/**
 * Adds scale * sum_k a(i, k) b(j, k), k in [from, to), to out(i, j) for all rows i of `a` and j of `b`.
 *
 * With `lower`, only entries with j <= i are valid (a few entries above the diagonal change too).
 * With `aIsUpper`, `a` is upper triangular: the zeros a(i, k), k < i, are skipped.
 */
export function addRowProducts(
  out: Rows,
  terms: {
    readonly a: Rows;
    readonly b: Rows;
    readonly from?: number;
    readonly to: number;
    readonly scale: 1 | -1;
    readonly lower?: boolean;
    readonly aIsUpper?: boolean;
  },
): void {
  const { a, b, from = 0, to, scale, lower = false, aIsUpper = false } = terms;
  for (let k0 = from; k0 < to; k0 += COLUMNS_AT_ONCE) {
    const k1 = Math.min(k0 + COLUMNS_AT_ONCE, to);
    for (let j0 = 0; j0 < b.count; j0 += ROWS_AT_ONCE) {
      const j1 = Math.min(j0 + ROWS_AT_ONCE, b.count);
      for (let i = lower ? j0 & ~3 : 0; i < a.count; i += 4) {
        const start = aIsUpper ? Math.max(k0, i) : k0;
        if (start >= k1) break;
        const jEnd = lower ? Math.min(j1, i + 4) : j1;
        let j = j0;
        if (i + 4 <= a.count) {
          for (; j + 2 <= jEnd; j += 2) tile4x2(out, a, b, i, j, start, k1, scale);
        }
        for (; j < jEnd; j++) {
          for (let r = i; r < Math.min(i + 4, a.count); r++) {
            tile1x1(out, a, b, r, j, start, k1, scale);
          }
        }
      }
    }
  }
}

// deno-fmt-ignore
function tile4x2(
  out: Rows, a: Rows, b: Rows, i: number, j: number, from: number, to: number, scale: number,
): void {
  const x = a.data, y = b.data;
  const a0 = a.offset + i * a.stride, a1 = a0 + a.stride, a2 = a1 + a.stride, a3 = a2 + a.stride;
  const b0 = b.offset + j * b.stride, b1 = b0 + b.stride;
  let s00 = 0, s01 = 0, s10 = 0, s11 = 0, s20 = 0, s21 = 0, s30 = 0, s31 = 0;
  for (let k = from; k < to; k++) {
    const y0 = y[b0 + k], y1 = y[b1 + k];
    const x0 = x[a0 + k], x1 = x[a1 + k], x2 = x[a2 + k], x3 = x[a3 + k];
    s00 += x0 * y0; s01 += x0 * y1;
    s10 += x1 * y0; s11 += x1 * y1;
    s20 += x2 * y0; s21 += x2 * y1;
    s30 += x3 * y0; s31 += x3 * y1;
  }
  const o0 = out.offset + i * out.stride + j;
  const o1 = o0 + out.stride, o2 = o1 + out.stride, o3 = o2 + out.stride;
  const o = out.data;
  o[o0] += scale * s00; o[o0 + 1] += scale * s01;
  o[o1] += scale * s10; o[o1 + 1] += scale * s11;
  o[o2] += scale * s20; o[o2 + 1] += scale * s21;
  o[o3] += scale * s30; o[o3 + 1] += scale * s31;
}

// deno-fmt-ignore
function tile1x1(
  out: Rows, a: Rows, b: Rows, i: number, j: number, from: number, to: number, scale: number,
): void {
  const a0 = a.offset + i * a.stride, b0 = b.offset + j * b.stride;
  let sum = 0;
  for (let k = from; k < to; k++) sum += a.data[a0 + k] * b.data[b0 + k];
  out.data[out.offset + i * out.stride + j] += scale * sum;
}

/** Copies the lower triangle of the square matrix `data` [n, n] onto its upper triangle. */
export function mirrorLower(data: Float64Array, n: number): void {
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) data[j * n + i] = data[i * n + j];
}

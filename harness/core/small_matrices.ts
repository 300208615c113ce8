/**
 * Inverse and log-determinant of small matrices with gradients of any order, in operations that every device has. The
 * elimination is unrolled, so a compiled step grows by about twenty operations for each row.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import "./nested_gradients.ts";

/** Largest number of rows: larger matrices would make large graphs. */
export const MAX_ROWS = 128;

/**
 * The inverse [n, n] of `a` [n, n]. Its gradient is -B^T dB B^T, with B the inverse. A singular matrix gives values that
 * are not finite. Throws RangeError if `a` is not square or has more than 128 rows.
 */
export function inverse(a: tf.Tensor2D): tf.Tensor2D {
  checkSquare(a);
  const custom = tf.customGrad((x, save) => {
    const value = eliminate(x as tf.Tensor2D).inverse;
    (save as tf.GradSaveFunc)([value]);
    return {
      value,
      gradFunc: (dy, [b]) =>
        tf.neg(tf.matMul(tf.matMul(b as tf.Tensor2D, dy, true), b as tf.Tensor2D, false, true)),
    };
  });
  return custom(a) as tf.Tensor2D;
}

/**
 * log |det a| of `a` [n, n], whose gradient is the transposed inverse; -Infinity for a singular matrix. Throws RangeError
 * if `a` is not square or has more than 128 rows.
 */
export function logAbsDet(a: tf.Tensor2D): tf.Scalar {
  checkSquare(a);
  const custom = tf.customGrad((x, save) => {
    (save as tf.GradSaveFunc)([x as tf.Tensor]);
    return {
      value: eliminate(x as tf.Tensor2D).logAbsDet,
      gradFunc: (dy, [x]) => tf.mul(dy, tf.transpose(inverse(x as tf.Tensor2D))),
    };
  });
  return custom(a) as tf.Scalar;
}

/**
 * Gauss-Jordan elimination with row pivots. Rows stay in place: a column's pivot is the largest element of the rows that
 * have not been a pivot, the first of equal ones.
 */
function eliminate(
  a: tf.Tensor2D,
): { readonly inverse: tf.Tensor2D; readonly logAbsDet: tf.Scalar } {
  const n = a.shape[0];
  const rows = tf.reshape(tf.range(0, n, 1), [n, 1]);
  const identity = tf.cast(tf.equal(rows, tf.transpose(rows)), "float32");
  let joined = tf.concat([a, identity], 1); // [n, 2 n]
  let isFree: tf.Tensor = tf.onesLike(rows);
  let logDet: tf.Tensor = tf.scalar(0);
  const pivotRows: tf.Tensor[] = [];
  for (let k = 0; k < n; k++) {
    const column = tf.slice(joined, [0, k], [n, 1]);
    const size = tf.where(tf.greater(isFree, 0), tf.abs(column), tf.fill([n, 1], -1));
    const first = tf.min(tf.where(tf.equal(size, tf.max(size)), rows, tf.fill([n, 1], n)));
    const isPivot = tf.cast(tf.equal(rows, first), "float32"); // [n, 1]
    const pivot = tf.sum(tf.mul(isPivot, column));
    const row = tf.div(tf.matMul(isPivot as tf.Tensor2D, joined, true), pivot); // [1, 2 n]
    // Adds row to its own place and subtracts column row elsewhere.
    joined = tf.where(
      tf.greater(tf.broadcastTo(isPivot, [n, 2 * n]), 0),
      tf.broadcastTo(row, [n, 2 * n]),
      tf.sub(joined, tf.mul(column, row)),
    ) as tf.Tensor2D;
    isFree = tf.sub(isFree, isPivot);
    logDet = tf.add(logDet, tf.log(tf.abs(pivot)));
    pivotRows.push(isPivot);
  }
  const right = tf.slice(joined, [0, n], [n, n]);
  const permutation = tf.concat(pivotRows, 1) as tf.Tensor2D; // [row, column]
  return {
    inverse: tf.matMul(permutation, right as tf.Tensor2D, true),
    logAbsDet: logDet as tf.Scalar,
  };
}

function checkSquare({ shape }: tf.Tensor): void {
  if (shape.length !== 2 || shape[0] !== shape[1] || shape[0] > MAX_ROWS) {
    throw new RangeError(
      `The matrix must be square with at most ${MAX_ROWS} rows, got [${shape}]: larger ones need an iteration such as Newton-Schulz`,
    );
  }
}

import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { openDevice } from "../engine/device.ts";
import { inverse, logAbsDet } from "./small_matrices.ts";
import type { HostArray } from "./types.ts";

/** Rounding of float32 in eliminations of matrices whose condition is below 100. */
const TOLERANCE = 1e-4;

const matrix = (...rows: number[][]): HostArray => ({
  shape: [rows.length, rows[0].length],
  dtype: "float32",
  data: Float32Array.from(rows.flat()),
});
/** Zeros on the diagonal and equal candidates for a pivot, so that rows must move. */
const A = matrix([0, 2, -1, 0.5], [1, 0, 2, -1], [-1, 1, 0, 3], [0.5, -2, 1, 0]);
/** |det A|, by expansion. */
const DETERMINANT = 8.5;
/** A direction in which derivatives are taken. */
const V = matrix([0.3, -0.1, 0.2, 0], [0, 0.4, -0.2, 0.1], [0.1, 0, 0.2, -0.3], [
  -0.2,
  0.1,
  0,
  0.3,
]);

for (const name of ["tfjs-cpu", "cpu"]) {
  Deno.test(`${name}: inverse() and logAbsDet() satisfy their identities and derivatives of two orders`, async () => {
    await using device = await openDevice(name, { threads: 1 });
    const inputs = { a: A, v: V };
    const trace = (x: tf.Tensor) =>
      tf.sum(
        tf.mul(
          x,
          tf.cast(tf.equal(tf.reshape(tf.range(0, 4, 1), [4, 1]), tf.range(0, 4, 1)), "float32"),
        ),
      );
    await using program = await device.compile(({ inputs: { a, v } }) => {
      const [m, direction] = [a as tf.Tensor2D, v as tf.Tensor2D];
      const b = inverse(m);
      const bv = tf.matMul(b, direction);
      const slope = (f: (x: tf.Tensor) => tf.Tensor) => (x: tf.Tensor) =>
        tf.sum(tf.mul(tf.grad(f)(x), direction));
      const logDet = (x: tf.Tensor) => logAbsDet(x as tf.Tensor2D);
      const weighted = (x: tf.Tensor) => tf.sum(tf.mul(inverse(x as tf.Tensor2D), direction));
      // With B = A^-1: d log|det A| = tr(B V), d2 = -tr(B V B V), dB = -B V B, d2B = 2 B V B V B.
      return {
        outputs: {
          product: tf.matMul(m, b),
          logDet: tf.exp(logAbsDet(m)),
          gaps: tf.stack([
            tf.sub(slope(logDet)(m), trace(bv)),
            tf.add(slope(slope(logDet))(m), trace(tf.matMul(bv, bv))),
            tf.add(slope(weighted)(m), tf.sum(tf.mul(tf.matMul(bv, b), direction))),
            tf.sub(
              slope(slope(weighted))(m),
              tf.mul(2, tf.sum(tf.mul(tf.matMul(bv, tf.matMul(bv, b)), direction))),
            ),
          ]),
        },
      };
    }, { state: {}, inputs });
    const { product, logDet, gaps } = (await program.run(await device.upload({}), inputs)).outputs;
    product.data.forEach((x, i) => {
      const expected = i % 5 === 0 ? 1 : 0;
      assert(Math.abs(x - expected) <= TOLERANCE, `A A^-1 at ${i} is ${x}`);
    });
    assert(
      Math.abs(logDet.data[0] - DETERMINANT) <= TOLERANCE * DETERMINANT,
      `|det A| is ${logDet.data[0]}`,
    );
    gaps.data.forEach((x, i) => assert(Math.abs(x) <= TOLERANCE, `derivative ${i} is off by ${x}`));
  });
}

Deno.test("inverse() and logAbsDet() refuse other shapes, and mark a singular matrix", () => {
  assert.throws(
    () => inverse(tf.zeros([2, 3])),
    /must be square with at most 128 rows, got \[2,3\]/,
  );
  const singular = tf.tensor2d([1, 2, 2, 4], [2, 2]);
  assert.equal(logAbsDet(singular).dataSync()[0], -Infinity);
  assert(inverse(singular).dataSync().some((x) => !Number.isFinite(x)));
});

import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import "../../harness/core/nested_gradients.ts";
import { gelu } from "./gelu.ts";

/** Both tails, the minimum at -0.75, and the inflections at about -1.41 and 1.41. */
const POINTS = [-9, -5, -3.2, -1.41, -0.75, -0.3, 0, 0.2, 1, 1.41, 2.6, 4, 7, 30];

/** The definition in float64, by tanh. */
const exact = (x: number) =>
  x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

/**
 * Allowed errors, relative to 1 + |value|: float32 rounds a few operations on numbers of up to 4 (6e-8 each), and the
 * differences below leave h^2 / 6 of the third, h^2 / 12 of the fourth derivative, with |f'''|, |f''''| < 5.
 */
const [TOLERANCE, DIFFERENCE] = [1e-6, 1e-5];
const H = 1e-3;

function near(actual: Iterable<number>, expected: (x: number) => number, tolerance: number): void {
  [...actual].forEach((y, i) => {
    const [x, value] = [Math.fround(POINTS[i]), expected(Math.fround(POINTS[i]))];
    assert(Math.abs(y - value) <= tolerance * (1 + Math.abs(value)), `at ${x}: ${y}, not ${value}`);
  });
}

Deno.test("gelu() is the form with tanh", async () => {
  await tf.setBackend("cpu");
  near(gelu(tf.tensor1d(POINTS)).dataSync(), exact, TOLERANCE);
});

Deno.test("gelu() keeps its relative accuracy in the tail on the left", async () => {
  await tf.setBackend("cpu");
  const [y] = gelu(tf.tensor1d([-4])).dataSync();
  const value = -4 / (1 + Math.exp(2 * Math.sqrt(2 / Math.PI) * (4 + 0.044715 * 64)));
  assert(Math.abs(y / value - 1) < 1e-5, `${y}, not ${value}`); // 11 in the exponent, of which float32 keeps 1e-6
});

Deno.test("gelu() has the first two derivatives that differences have", async () => {
  await tf.setBackend("cpu");
  const x = tf.tensor1d(POINTS);
  const first = tf.grad((x: tf.Tensor) => tf.sum(gelu(x)));
  const second = tf.grad((x: tf.Tensor) => tf.sum(first(x)));
  near(first(x).dataSync(), (x) => (exact(x + H) - exact(x - H)) / (2 * H), DIFFERENCE);
  near(
    second(x).dataSync(),
    (x) => (exact(x + H) - 2 * exact(x) + exact(x - H)) / H ** 2,
    DIFFERENCE,
  );
});

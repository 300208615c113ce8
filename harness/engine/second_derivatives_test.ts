/** Compares second derivatives by nested gradients with closed forms, on every available device. */
import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import type { HostArrays, PureFunction } from "../core/types.ts";
import { DEVICE_NAMES, deviceLabel, tryDevice } from "./testing/devices.ts";
import { CHAINS, CURVES, nestedSecond, REAL } from "./testing/second_derivatives.ts";

/**
 * Largest allowed error, relative to 1 + |f''|. Rounding of float32 in the few operations of a curve stays below it by a
 * factor of ten; a term that is dropped is larger by a factor of a hundred.
 */
const TOLERANCE = 1e-4;

const pointsOf = (name: string) => CURVES[name].points ?? REAL;
const inputs: HostArrays = Object.fromEntries(
  Object.keys(CURVES).map((name) => [name, {
    shape: [pointsOf(name).length],
    dtype: "float32",
    data: Float32Array.from(pointsOf(name)),
  }]),
);
const allSeconds: PureFunction = ({ inputs }) => ({
  outputs: Object.fromEntries(
    Object.entries(CURVES).map(([name, { f }]) => [name, nestedSecond(f)(inputs[name])]),
  ),
});

/**
 * Largest allowed gap between a chain's derivative and its differences, relative to the sum of the terms of the latter:
 * the five points leave h^4 / 30 = 2e-7 of the fifth derivative, rounding about 1e-6 of each term.
 */
const DIFFERENCE_TOLERANCE = 1e-5;

const allChains: PureFunction = ({ inputs: { zero } }) => ({
  outputs: Object.fromEntries(
    Object.entries(CHAINS).flatMap(([name, { value, differences }]) => [
      [`${name}: derivative`, tf.grad(value)(zero)],
      [
        `${name}: terms`,
        tf.stack(differences.map(([at, w]) => tf.mul(w, value(tf.add(zero, at))))),
      ],
    ]),
  ),
});

for (const name of ["tfjs-cpu", ...DEVICE_NAMES]) {
  const opened = await tryDevice(name);
  Deno.test({
    name: `${deviceLabel(name)}: nested gradients give the second derivative of every curve`,
    ignore: opened instanceof Error,
    async fn(t) {
      if (opened instanceof Error) return;
      await using device = opened;
      await using program = await device.compile(allSeconds, { state: {}, inputs });
      const { outputs } = await program.run(await device.upload({}), inputs);
      for (const [name, { second }] of Object.entries(CURVES)) {
        await t.step(name, () => {
          pointsOf(name).forEach((x, i) => {
            const [actual, exact] = [outputs[name].data[i], second(Math.fround(x))];
            assert(
              Math.abs(actual - exact) <= TOLERANCE * (1 + Math.abs(exact)),
              `at ${x} the second derivative is ${exact}, got ${actual}`,
            );
          });
        });
      }
      const zero = { shape: [], dtype: "float32", data: Float32Array.of(0) } as const;
      await using chains = await device.compile(allChains, { state: {}, inputs: { zero } });
      const results = (await chains.run(await device.upload({}), { zero })).outputs;
      for (const name of Object.keys(CHAINS)) {
        await t.step(name, () => {
          const derivative = results[`${name}: derivative`].data[0];
          const terms = [...results[`${name}: terms`].data];
          const [difference, scale] = terms.reduce(([s, a], x) => [s + x, a + Math.abs(x)], [0, 0]);
          assert(
            Math.abs(derivative - difference) <= DIFFERENCE_TOLERANCE * scale,
            `the derivative is ${derivative}, differences give ${difference} from terms of ${scale}`,
          );
        });
      }
    },
  });
}

Deno.test("second derivatives of an operation with a gradient made of intermediate results are refused by name", () => {
  const labels = tf.tensor1d([1, 0]);
  const loss = (x: tf.Tensor) => tf.losses.softmaxCrossEntropy(labels, x);
  const x = tf.tensor1d([0.3, -0.2]);
  assert.equal(tf.grad(loss)(x).size, 2); // first derivatives remain
  assert.throws(
    () => tf.grad((x) => tf.sum(tf.square(tf.grad(loss)(x))))(x),
    /Second derivatives of softmaxCrossEntropy/,
  );
});

/**
 * Every elementwise function of one array on a grid from -100 to 100, near zero, at the infinities and at NaN, against
 * exact values and slopes. Each element is held to its own size, so that tails count.
 *
 * @module
 */
import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import type { HostArrays, PureFunction } from "../../core/types.ts";
import { KERNEL_TOLERANCE } from "./kernel_cases.ts";

/** A function with its exact values and slopes. At a kink the slope is that of tfjs, the one on the left. */
interface GridFunction {
  readonly f: (x: tf.Tensor) => tf.Tensor;
  readonly value: (x: number) => number;
  readonly slope: (x: number) => number;
}

const NEAR_ZERO = [1e-30, 1e-10, 1e-6, 1e-4, 1e-2, 0.1, 0.3, 0.7];
const POINTS = [
  ...Array.from({ length: 801 }, (_, i) => (i - 400) / 4),
  ...NEAR_ZERO,
  ...NEAR_ZERO.map((x) => -x),
  -0,
  Infinity,
  -Infinity,
  NaN,
].map(Math.fround);

/** 128 of the smallest normal number of float32: a device may round a factor below that number to 0, and |x| <= 100. */
const SMALLEST = 128 * 2 ** -126;

const logistic = (x: number) => 1 / (1 + Math.exp(-x));
const sech2 = (x: number) => 1 / Math.cosh(x) ** 2;
/** `low` for x <= 0, `high` for x > 0, NaN for NaN. */
const step = (x: number, low: number, high: number) => x > 0 ? high : x <= 0 ? low : NaN;
const { SELU_SCALE, SELU_SCALEALPHA } = tf.backend_util;

/** The error function: its series up to 3, the continued fraction of erfc beyond, both to 1e-12. */
function erf(x: number): number {
  if (Number.isNaN(x)) return x;
  const z = Math.abs(x);
  if (z > 3) {
    let tail = 0;
    for (let k = 60; k > 0; k--) tail = k / 2 / (z + tail);
    return Math.sign(x) * (1 - Math.exp(-z * z) / Math.sqrt(Math.PI) / (z + tail));
  }
  let [term, sum] = [x, x];
  for (let k = 1; k < 60; k++) {
    term *= -x * x / k;
    sum += term / (2 * k + 1);
  }
  return 2 / Math.sqrt(Math.PI) * sum;
}

/** The functions by the name of their kernel. */
export const GRID_FUNCTIONS: Readonly<Record<string, GridFunction>> = {
  Abs: { f: tf.abs, value: Math.abs, slope: (x) => step(x, -1, 1) },
  Cos: { f: tf.cos, value: Math.cos, slope: (x) => -Math.sin(x) },
  Erf: { f: tf.erf, value: erf, slope: (x) => 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) },
  Exp: { f: tf.exp, value: Math.exp, slope: Math.exp },
  Expm1: { f: tf.expm1, value: Math.expm1, slope: Math.exp },
  Log: { f: tf.log, value: Math.log, slope: (x) => 1 / x },
  Log1p: { f: tf.log1p, value: Math.log1p, slope: (x) => 1 / (1 + x) },
  Neg: { f: tf.neg, value: (x) => -x, slope: () => -1 },
  Reciprocal: { f: tf.reciprocal, value: (x) => 1 / x, slope: (x) => -1 / x ** 2 },
  Relu: { f: tf.relu, value: (x) => Math.max(x, 0), slope: (x) => step(x, 0, 1) },
  Relu6: {
    f: tf.relu6,
    value: (x) => Math.min(Math.max(x, 0), 6),
    slope: (x) => step(x, 0, x <= 6 ? 1 : 0),
  },
  Rsqrt: { f: tf.rsqrt, value: (x) => 1 / Math.sqrt(x), slope: (x) => -0.5 * x ** -1.5 },
  Sigmoid: { f: tf.sigmoid, value: logistic, slope: (x) => logistic(x) * logistic(-x) },
  Sign: { f: tf.sign, value: Math.sign, slope: () => 0 },
  Sin: { f: tf.sin, value: Math.sin, slope: Math.cos },
  Softplus: {
    f: tf.softplus,
    value: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
    slope: logistic,
  },
  Sqrt: { f: tf.sqrt, value: Math.sqrt, slope: (x) => 0.5 / Math.sqrt(x) },
  Square: { f: tf.square, value: (x) => x * x, slope: (x) => 2 * x },
  Tanh: { f: tf.tanh, value: Math.tanh, slope: sech2 },
  Elu: {
    f: tf.elu,
    value: (x) => x > 0 ? x : Math.expm1(x),
    slope: (x) => x > 0 ? 1 : Math.exp(x),
  },
  Selu: {
    f: tf.selu,
    value: (x) => x > 0 ? SELU_SCALE * x : SELU_SCALEALPHA * Math.expm1(x),
    slope: (x) => x > 0 ? SELU_SCALE : SELU_SCALEALPHA * Math.exp(x),
  },
  LeakyRelu: {
    f: (x) => tf.leakyRelu(x, 0.2),
    value: (x) => x > 0 ? x : Math.fround(0.2) * x,
    slope: (x) => x > 0 ? 1 : 0.2,
  },
  Step: { f: (x) => tf.step(x, 0.3), value: (x) => step(x, 0.3, 1), slope: () => 0 },
  ClipByValue: {
    f: (x) => tf.clipByValue(x, -0.5, 0.75),
    value: (x) => Math.min(Math.max(x, -0.5), 0.75),
    slope: (x) => x >= -0.5 && x <= 0.75 ? 1 : 0,
  },
  swish: {
    f: (x) => tf.mul(x, tf.sigmoid(x)),
    value: (x) => x * logistic(x),
    slope: (x) => logistic(x) * (1 + x * logistic(-x)),
  },
};

/** Deviations of a kind of device: the absolute error of the functions that are not exact relative to each element. */
interface Deviations {
  readonly absolute: Readonly<Record<string, number>>;
  /** Functions that turn NaN into a number, or do so in their slope; "all" also for infinities. */
  readonly hidesNaN: readonly string[] | "all";
}

const DEVIATIONS: Readonly<Record<string, Deviations>> = {
  // tfjs-cpu computes elu as e^x - 1, and erf by formula 7.1.26 of Abramowitz and Stegun, as WebGPU does.
  "tfjs-cpu": { absolute: { Elu: 1e-7, Erf: 5e-7, Selu: 2e-7 }, hidesNaN: ["Sign"] },
  // One operator computes swish, with an absolute error of 2^-24 in its sigmoid, which ends at -18.
  "cpu": { absolute: { swish: 2e-6, "swish, slope": 2e-6 }, hidesNaN: [] },
  // WGSL has neither expm1 nor an exact tanh, and lets the GPU assume that all numbers are finite.
  "webgpu": {
    absolute: { Expm1: 1e-7, Erf: 5e-7, Elu: 1e-7, Selu: 2e-7, Softplus: 1e-7, Tanh: 1e-7 },
    hidesNaN: "all",
  },
  // XLA takes a mask times NaN for a choice between NaN and 0.
  "pjrt": { absolute: {}, hidesNaN: ["Relu6"] },
  "cuda": { absolute: {}, hidesNaN: ["Relu6"] },
};

export const GRID_INPUTS: HostArrays = {
  x: { shape: [POINTS.length], dtype: "float32", data: Float32Array.from(POINTS) },
};

/** Values and slopes of all functions: outputs `NAME` and `NAME, slope`. */
export const gridProgram: PureFunction = ({ inputs: { x } }) => ({
  outputs: Object.fromEntries(
    Object.entries(GRID_FUNCTIONS).flatMap(([name, { f }]) => [
      [name, f(x)],
      [`${name}, slope`, tf.grad((x) => tf.sum(f(x)))(x)],
    ]),
  ),
});

/** The outputs of `gridProgram` that `device` gets wrong, each with a point; empty if all are right. */
export function gridFaults(outputs: HostArrays, device: string): string[] {
  assert.equal(Object.keys(outputs).length, 2 * Object.keys(GRID_FUNCTIONS).length);
  const [kind] = device.split(":");
  const { absolute, hidesNaN } = DEVIATIONS[kind] ?? { absolute: {}, hidesNaN: [] };
  return Object.entries(outputs).flatMap(([output, { data }]) => {
    const [name, isSlope] = output.split(", ");
    const { value, slope } = GRID_FUNCTIONS[name];
    const isHidden = hidesNaN === "all" || hidesNaN.includes(name);
    const wrong = POINTS.findIndex((x, i) => {
      if (!Number.isFinite(x) && (isHidden || isSlope && !Number.isNaN(x))) return false;
      if (isSlope && !isInDomain(x, value)) return false;
      const [actual, expected] = [data[i], Math.fround((isSlope ? slope : value)(x))];
      if (!Number.isFinite(expected)) return !Object.is(actual, expected);
      const allowed = KERNEL_TOLERANCE * Math.abs(expected) + SMALLEST + (absolute[output] ?? 0);
      return !(Math.abs(actual - expected) <= allowed);
    });
    if (wrong < 0) return [];
    const x = POINTS[wrong];
    return [`${output} at ${x} is ${(isSlope ? slope : value)(x)}, got ${data[wrong]}`];
  });
}

/** Whether the function has a finite value at x, so that it has a slope; true for NaN, which must come out again. */
function isInDomain(x: number, value: GridFunction["value"]): boolean {
  return Number.isNaN(x) || Number.isFinite(Math.fround(value(x)));
}

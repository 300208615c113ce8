/**
 * Functions with their second derivatives in closed form. Gradients may be right where gradients of gradients are not, on
 * every device alike, so that comparing devices does not find the error.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";

/** An elementwise function and its exact second derivative. */
export interface Curve {
  readonly f: (x: tf.Tensor) => tf.Tensor;
  readonly second: (x: number) => number;
  /** Where it is tested; `REAL` if absent. */
  readonly points?: readonly number[];
}

/** Points away from the kinks of relu and its relatives. */
export const REAL: readonly number[] = [-6.5, -3.1, -1.2, -0.4, 0.3, 0.5, 1.7, 2.9, 7.5];
const POSITIVE = [0.2, 0.5, 1.3, 4.1];

const logistic = (x: number) => 1 / (1 + Math.exp(-x));
/** Derivative of the logistic function. */
const slope = (x: number) => logistic(x) * logistic(-x);
const tanhSecond = (x: number) => -2 * Math.tanh(x) * (1 - Math.tanh(x) ** 2);
/** Second derivative of log(e^x + e^2x + e^-x), the variance of (1, 2, -1) under its softmax. */
const spread = (x: number) => {
  const weights = [Math.exp(x), Math.exp(2 * x), Math.exp(-x)];
  const total = weights[0] + weights[1] + weights[2];
  const mean = (weights[0] + 2 * weights[1] - weights[2]) / total;
  return (weights[0] + 4 * weights[1] + weights[2]) / total - mean ** 2;
};
/** The three logits x, 2x, -x of `spread`, on a new last axis. */
const logits = (x: tf.Tensor) => tf.stack([x, tf.mul(x, 2), tf.neg(x)], -1);
const last = (x: tf.Tensor) => tf.slice(x, [0, 2], [-1, 1]);
const GELU = Math.sqrt(2 / Math.PI);

/** Every activation and every smooth function that nets and densities use. */
export const CURVES: Readonly<Record<string, Curve>> = {
  exp: { f: tf.exp, second: Math.exp },
  expm1: { f: tf.expm1, second: Math.exp },
  sigmoid: { f: tf.sigmoid, second: (x) => slope(x) * (1 - 2 * logistic(x)) },
  logSigmoid: { f: tf.logSigmoid, second: (x) => -slope(x) },
  softplus: { f: tf.softplus, second: slope },
  swish: {
    f: (x) => tf.mul(x, tf.sigmoid(x)),
    second: (x) => slope(x) * (2 + x * (1 - 2 * logistic(x))),
  },
  tanh: { f: tf.tanh, second: tanhSecond },
  erf: { f: tf.erf, second: (x) => -4 / Math.sqrt(Math.PI) * x * Math.exp(-x * x) },
  "softmax at its last logit": {
    f: (x) => last(tf.softmax(logits(x))),
    second: (x) => {
      const h = 1e-4; // differences in float64, exact to 1e-7
      const p = (x: number) => Math.exp(-x) / (Math.exp(x) + Math.exp(2 * x) + Math.exp(-x));
      return (p(x + h) - 2 * p(x) + p(x - h)) / h ** 2;
    },
  },
  "GELU by tanh": {
    f: (x) =>
      tf.mul(
        tf.mul(x, 0.5),
        tf.add(1, tf.tanh(tf.mul(GELU, tf.add(x, tf.mul(0.044715, tf.pow(x, 3)))))),
      ),
    second: (x) => {
      const [u, v, w] = [x + 0.044715 * x ** 3, 1 + 3 * 0.044715 * x ** 2, 6 * 0.044715 * x]
        .map((term) => GELU * term);
      const t = 1 - Math.tanh(u) ** 2;
      return t * v + 0.5 * x * (tanhSecond(u) * v ** 2 + t * w);
    },
  },
  elu: { f: tf.elu, second: (x) => x > 0 ? 0 : Math.exp(x) },
  selu: {
    f: tf.selu,
    second: (x) => x > 0 ? 0 : 1.0507009873554805 * 1.6732632423543772 * Math.exp(x),
  },
  "relu of a square": { f: (x) => tf.relu(tf.square(x)), second: () => 2 },
  "leakyRelu of a cube": {
    f: (x) => tf.leakyRelu(tf.pow(x, 3), 0.2),
    second: (x) => 6 * x * (x > 0 ? 1 : 0.2),
  },
  "abs of a cube": { f: (x) => tf.abs(tf.mul(x, tf.square(x))), second: (x) => 6 * Math.abs(x) },
  "relu6 of a square": { f: (x) => tf.relu6(tf.square(x)), second: (x) => x * x < 6 ? 2 : 0 },
  "clipByValue of a square": {
    f: (x) => tf.clipByValue(tf.square(x), 1, 6),
    second: (x) => x * x > 1 && x * x < 6 ? 2 : 0,
  },
  "maximum of a square and a line": {
    f: (x) => tf.maximum(tf.square(x), tf.mul(x, 2)),
    second: (x) => x > 0 && x < 2 ? 0 : 2,
  },
  "where of a square and a cube": {
    f: (x) => tf.where(tf.greater(x, 0), tf.square(x), tf.pow(x, 3)),
    second: (x) => x > 0 ? 2 : 6 * x,
  },
  square: { f: tf.square, second: () => 2 },
  squaredDifference: {
    f: (x) => tf.squaredDifference(tf.square(x), 1),
    second: (x) => 12 * x * x - 4,
  },
  "pow 3": { f: (x) => tf.pow(x, 3), second: (x) => 6 * x },
  "2 to the power x": {
    f: (x) => tf.pow(tf.scalar(2), x),
    second: (x) => Math.LN2 ** 2 * 2 ** x,
  },
  sin: { f: tf.sin, second: (x) => -Math.sin(x) },
  cos: { f: tf.cos, second: (x) => -Math.cos(x) },
  sqrt: { f: tf.sqrt, second: (x) => -(x ** -1.5) / 4, points: POSITIVE },
  rsqrt: { f: tf.rsqrt, second: (x) => 0.75 * x ** -2.5, points: POSITIVE },
  log: { f: tf.log, second: (x) => -1 / x ** 2, points: POSITIVE },
  log1p: { f: tf.log1p, second: (x) => -1 / (1 + x) ** 2, points: POSITIVE },
  reciprocal: { f: tf.reciprocal, second: (x) => 2 / x ** 3 },
  "1 / x": { f: (x) => tf.div(1, x), second: (x) => 2 / x ** 3 },
  "x / norm": {
    f: (x) => tf.div(x, tf.sqrt(tf.add(tf.square(x), 1))),
    second: (x) => -3 * x * (x * x + 1) ** -2.5,
  },
  logSumExp: { f: (x) => tf.logSumExp(logits(x), -1), second: spread },
  "logSoftmax at its last logit": {
    f: (x) => last(tf.logSoftmax(logits(x))),
    second: (x) => -spread(x),
  },
  "max of a square and a line": {
    f: (x) => tf.max(tf.stack([tf.square(x), tf.mul(x, 2)], -1), -1),
    second: (x) => x > 0 && x < 2 ? 0 : 2,
  },
  "min of a square and a line": {
    f: (x) => tf.min(tf.stack([tf.square(x), tf.mul(x, 2)], -1), -1),
    second: (x) => x > 0 && x < 2 ? 2 : 0,
  },
};

/** The second derivative of an elementwise function by nested gradients. */
export function nestedSecond(f: Curve["f"]): (x: tf.Tensor) => tf.Tensor {
  const derivative = (g: (x: tf.Tensor) => tf.Tensor) => tf.grad((x) => tf.sum(g(x)));
  return derivative(derivative(f));
}

/** The derivative of a scalar function of a scalar by nested gradients, and by differences of its values. */
export interface Chain {
  /** A scalar, [], whose value depends on gradients. */
  readonly value: (t: tf.Tensor) => tf.Tensor;
  /** Weights of `value` at 0 + offset that add up to its derivative at 0. */
  readonly differences: readonly (readonly [offset: number, weight: number])[];
}

const wave = (shape: number[], scale: number) => {
  const size = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(Array.from({ length: size }, (_, i) => scale * Math.sin(1 + 1.7 * i)), shape);
};
const half = (x: tf.Tensor) => tf.mul(0.5, tf.sum(tf.square(x)));
const convolve = (x: tf.Tensor, w: tf.Tensor) =>
  tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 2, "same");
/** A line through `at` in the direction of its reverse. */
const along = (at: tf.Tensor, t: tf.Tensor) =>
  tf.add(at, tf.mul(t, tf.reshape(tf.stack(tf.unstack(tf.reshape(at, [-1])).reverse()), at.shape)));

/** Exact for polynomials up to degree 2, so that only rounding differs. */
const QUADRATIC: Chain["differences"] = [[1, 0.5], [-1, -0.5]];
/** Five points, with an error of order h^4. */
const FIVE_POINTS = (h: number): Chain["differences"] =>
  [[-2, 1], [-1, -8], [1, 8], [2, -1]].map(([at, weight]) => [at * h, weight / (12 * h)] as const);

/** Two layers, swish and tanh, of a decoder [n, 2] -> [n, 6]. */
function decode(z: tf.Tensor): tf.Tensor {
  const h = tf.matMul(z as tf.Tensor2D, wave([2, 5], 0.8) as tf.Tensor2D);
  return tf.tanh(tf.matMul(tf.mul(h, tf.sigmoid(h)), wave([5, 6], 0.7) as tf.Tensor2D));
}

/** Functions that read gradients, as Hamiltonian bounds and penalties on gradients do. */
export const CHAINS: Readonly<Record<string, Chain>> = {
  "gradient of a convolution's filter gradient along its filter": {
    value: (t) => {
      const loss = (w: tf.Tensor) => half(convolve(wave([2, 5, 5, 3], 1), w));
      return half(tf.grad(loss)(along(wave([3, 3, 3, 2], 0.3), t)));
    },
    differences: QUADRATIC,
  },
  "gradient of a convolution's filter gradient along its image": {
    value: (t) => {
      const x = along(wave([2, 5, 5, 3], 0.3), t);
      const loss = (w: tf.Tensor) => tf.sum(tf.mul(wave([2, 3, 3, 2], 1), convolve(x, w)));
      return half(tf.grad(loss)(wave([3, 3, 3, 2], 1)));
    },
    differences: QUADRATIC,
  },
  "gradient of a convolution's image gradient along its filter": {
    value: (t) => {
      const w = along(wave([3, 3, 3, 2], 0.3), t);
      const loss = (x: tf.Tensor) => tf.sum(tf.mul(wave([2, 3, 3, 2], 1), convolve(x, w)));
      return half(tf.grad(loss)(wave([2, 5, 5, 3], 1)));
    },
    differences: QUADRATIC,
  },
  ...Object.fromEntries(
    ([
      ["average pooling", (x) => tf.avgPool(x, 2, 2, "valid")],
      ["nearest upsampling", (x) => tf.image.resizeNearestNeighbor(x, [8, 8])],
      ["a strided slice", (x) => tf.stridedSlice(x, [0, 1, 0, 0], [2, 4, 4, 3], [1, 2, 3, 1])],
      ["a reversal", (x) => tf.reverse(x, [1, 3])],
    ] as [string, (x: tf.Tensor4D) => tf.Tensor][]).map(([name, f]) => [
      `gradient of the gradient of ${name}`,
      {
        value: (t: tf.Tensor) =>
          half(tf.grad((x) => half(f(x as tf.Tensor4D)))(along(wave([2, 4, 4, 3], 0.5), t))),
        differences: QUADRATIC,
      },
    ]),
  ),
  "energy after three leapfrog steps along the logarithm of their size": {
    value: (t) => {
      const step = tf.mul(0.3, tf.exp(t));
      const data = wave([4, 6], 0.9);
      const energy = (z: tf.Tensor) => tf.add(half(z), tf.mul(2, half(tf.sub(data, decode(z)))));
      const force = tf.grad(energy);
      let [z, p] = [wave([4, 2], 1), wave([4, 2], 0.5)] as tf.Tensor[];
      for (let k = 0; k < 3; k++) {
        p = tf.sub(p, tf.mul(tf.mul(0.5, step), force(z)));
        z = tf.add(z, tf.mul(step, p));
        p = tf.sub(p, tf.mul(tf.mul(0.5, step), force(z)));
      }
      return tf.add(energy(z), half(p));
    },
    differences: FIVE_POINTS(0.05),
  },
};

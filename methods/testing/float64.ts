/**
 * The networks in float64 and plain loops: functions to take central differences of, which float32 is too coarse for.
 *
 * @module
 */
import type { HostArrays } from "../../harness/core/types.ts";
import type { Activation, Layer, Net } from "../parts/nets.ts";

/** Parameters by name, row-major. */
export type Params = Readonly<Record<string, Float64Array>>;

/** The float32 entries of a state as float64. */
export function toFloat64(arrays: HostArrays): Record<string, Float64Array> {
  return Object.fromEntries(
    Object.entries(arrays).map(([name, { data }]) => [name, Float64Array.from(data)]),
  );
}

export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
export const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

const ACTIVATIONS: Readonly<Record<Activation, (x: number) => number>> = {
  swish: (x) => x * sigmoid(x),
  leaky_relu: (x) => x > 0 ? x : 0.2 * x,
  relu: (x) => Math.max(0, x),
  gelu: (x) => x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  tanh: Math.tanh,
  identity: (x) => x,
};

/** Outputs of `net` for one input, flat. */
export function forward(net: Net, params: Params, x: Float64Array): Float64Array {
  return net.layers.reduce((h, layer, i) => {
    const y = applyLayer(layer, {
      weight: params[`${net.name}/${i}/weight`],
      bias: params[`${net.name}/${i}/bias`],
      x: h,
    });
    return y.map(ACTIVATIONS[i < net.layers.length - 1 ? net.activation : net.output]);
  }, x);
}

function applyLayer(
  layer: Layer,
  { weight, bias, x }: { weight: Float64Array; bias: Float64Array; x: Float64Array },
): Float64Array {
  const { inputs, outputs } = layer;
  if (layer.kind === "linear") {
    return bias.map((b, o) => x.reduce((sum, v, i) => sum + v * weight[i * outputs + o], b));
  }
  const { kernel, stride, pad, inputSize, outputSize } = layer;
  const y = new Float64Array(outputSize ** 2 * outputs).map((_, i) => bias[i % outputs]);
  // A convolution reads large[stride small + tap - pad] into small; its transpose writes the other way.
  const down = layer.kind === "conv";
  const [small, large] = down ? [outputSize, inputSize] : [inputSize, outputSize];
  const padding = Math.max(0, (small - 1) * stride + kernel - large);
  const near = pad === "same" ? Math.floor(padding / 2) : pad;
  for (let r = 0; r < small; r++) {
    for (let c = 0; c < small; c++) {
      for (let a = 0; a < kernel; a++) {
        for (let b = 0; b < kernel; b++) {
          const [row, column] = [r * stride + a - near, c * stride + b - near];
          if (row < 0 || row >= large || column < 0 || column >= large) continue;
          const tap = a * kernel + b;
          const [at, to] = [row * large + column, r * small + c];
          for (let i = 0; i < inputs; i++) {
            for (let o = 0; o < outputs; o++) {
              if (down) {
                y[to * outputs + o] += x[at * inputs + i] *
                  weight[(tap * inputs + i) * outputs + o];
              } else {
                y[at * outputs + o] += x[to * inputs + i] *
                  weight[(tap * outputs + o) * inputs + i];
              }
            }
          }
        }
      }
    }
  }
  return y;
}

/** d f(params + h direction) / dh at 0 by central differences, direction given for some of the parameters. */
export function directionalDerivative(
  f: (params: Params) => number,
  { params, direction, step = 1e-4 }: { params: Params; direction: Params; step?: number },
): number {
  const moved = (h: number) => ({
    ...params,
    ...Object.fromEntries(
      Object.entries(direction).map((
        [name, v],
      ) => [name, params[name].map((p, i) => p + h * v[i])]),
    ),
  });
  return (f(moved(step)) - f(moved(-step))) / (2 * step);
}

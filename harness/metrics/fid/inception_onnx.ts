/**
 * Writes the Inception network as an ONNX graph with batch normalization folded into the convolutions.
 *
 * @module
 */
import type { OnnxGraph, OnnxInitializer, OnnxNode } from "../../formats/onnx_model.ts";
import {
  BATCH_NORM_EPSILON,
  CLASS_COUNT,
  FEATURE_COUNT,
  INCEPTION,
  type Pool,
  type Step,
  type Unit,
} from "./inception_network.ts";
import type { Weights, WeightTensor } from "../../formats/torch_file.ts";

/**
 * Makes the graph from `images` [n, 3, height, width], normalized to [-1, 1], to `pool3` [n, 2048] and
 * `logits_unbiased` [n, 1008] = pool3 fc^T without bias, on which the Inception Score is defined. No score uses
 * `fc.bias`, so it is omitted. `weights` must have the parameters of `inceptionParameters()`; throws RangeError if one is
 * missing.
 */
export function inceptionGraph(weights: Weights): OnnxGraph {
  const nodes: OnnxNode[] = [];
  const initializers: OnnxInitializer[] = [];

  function parameter(name: string): WeightTensor {
    const tensor = weights.get(name);
    if (!tensor) throw new RangeError(`Weights lack the parameter ${name}`);
    return tensor;
  }
  function unit(input: string, { unit: name, out, kernel, stride, pad }: Unit): string {
    const folded = foldBatchNorm(parameter(`${name}.conv.weight`).data, {
      gamma: parameter(`${name}.bn.weight`).data,
      beta: parameter(`${name}.bn.bias`).data,
      mean: parameter(`${name}.bn.running_mean`).data,
      variance: parameter(`${name}.bn.running_var`).data,
    });
    const shape = parameter(`${name}.conv.weight`).shape;
    initializers.push(
      { name: `${name}.weight`, type: "float32", shape, data: folded.weight },
      { name: `${name}.bias`, type: "float32", shape: [out], data: folded.bias },
    );
    nodes.push(
      {
        op: "Conv",
        inputs: [input, `${name}.weight`, `${name}.bias`],
        outputs: [`${name}.conv`],
        attributes: {
          kernel_shape: kernel,
          strides: [stride, stride],
          pads: [...pad, ...pad],
        },
      },
      { op: "Relu", inputs: [`${name}.conv`], outputs: [name] },
    );
    return name;
  }
  function pool(input: string, { pool: kind, stride, pad }: Pool): string {
    const output = `${input}.pool${nodes.length}`;
    const window = { kernel_shape: [3, 3], strides: [stride, stride], pads: [pad, pad, pad, pad] };
    nodes.push(
      kind === "max" ? { op: "MaxPool", inputs: [input], outputs: [output], attributes: window } : {
        op: "AveragePool",
        inputs: [input],
        outputs: [output],
        attributes: { ...window, count_include_pad: 0 },
      },
    );
    return output;
  }
  function run(steps: readonly Step[], input: string): string {
    return steps.reduce((value, step) => {
      if ("unit" in step) return unit(value, step);
      if ("pool" in step) return pool(value, step);
      const inputs = step.branches.map((branch) => run(branch, value));
      const output = `concat${nodes.length}`;
      nodes.push({ op: "Concat", inputs, outputs: [output], attributes: { axis: 1 } });
      return output;
    }, input);
  }

  const maps = run(INCEPTION, "images");
  initializers.push({ name: "fc.weight", type: "float32", ...parameter("fc.weight") });
  nodes.push(
    { op: "GlobalAveragePool", inputs: [maps], outputs: ["mean"] },
    { op: "Flatten", inputs: ["mean"], outputs: ["pool3"], attributes: { axis: 1 } },
    {
      op: "Gemm",
      inputs: ["pool3", "fc.weight"],
      outputs: ["logits_unbiased"],
      attributes: { transB: 1 },
    },
  );
  return {
    name: "fid_inception_2015_12_05",
    nodes,
    initializers,
    inputs: [{ name: "images", type: "float32", shape: ["n", 3, "height", "width"] }],
    outputs: [
      { name: "pool3", type: "float32", shape: ["n", FEATURE_COUNT] },
      { name: "logits_unbiased", type: "float32", shape: ["n", CLASS_COUNT] },
    ],
  };
}

/**
 * Folds batch normalization into the weights and bias of the preceding convolution: per output channel,
 * k = gamma / sqrt(variance + epsilon), weight k, bias beta - mean k. In float64, rounded once.
 */
export function foldBatchNorm(
  weight: Float32Array,
  norm: {
    readonly gamma: Float32Array;
    readonly beta: Float32Array;
    readonly mean: Float32Array;
    readonly variance: Float32Array;
  },
): { readonly weight: Float32Array; readonly bias: Float32Array } {
  const channels = norm.gamma.length;
  const perChannel = weight.length / channels;
  const folded = new Float32Array(weight.length);
  const bias = new Float32Array(channels);
  for (let c = 0; c < channels; c++) {
    const k = norm.gamma[c] / Math.sqrt(norm.variance[c] + BATCH_NORM_EPSILON);
    for (let i = c * perChannel; i < (c + 1) * perChannel; i++) folded[i] = weight[i] * k;
    bias[c] = norm.beta[c] - norm.mean[c] * k;
  }
  return { weight: folded, bias };
}

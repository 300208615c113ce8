/**
 * Reads Google's `classify_image_graph_def.pb`, the original file of the weights: a frozen TensorFlow 1 GraphDef (field
 * numbers: tensorflow/core/framework/{graph,node_def,attr_value,tensor}.proto).
 *
 * @module
 */
import { excerpt } from "../../core/plain_text.ts";
import { fields, utf8 } from "../../formats/protobuf.ts";
import { inceptionUnits } from "./inception_network.ts";
import type { Weights, WeightTensor } from "../../formats/torch_file.ts";

/**
 * Reads Inception's weights from a GraphDef, with the names and layout of PyTorch. Throws SyntaxError if the file is
 * broken or has another graph.
 */
export function readGraphDef(bytes: Uint8Array<ArrayBuffer>): Weights {
  const constants = readConstants(bytes);
  const constant = (name: string): WeightTensor => {
    const tensor = constants.get(name);
    if (!tensor) {
      throw new SyntaxError(`GraphDef lacks the constant ${name}: not the Inception graph`);
    }
    return tensor;
  };
  const weights = new Map<string, WeightTensor>();
  for (const { unit } of inceptionUnits()) {
    const node = tensorflowName(unit);
    weights.set(`${unit}.conv.weight`, permute(constant(`${node}/conv2d_params`), [3, 2, 0, 1]));
    weights.set(`${unit}.bn.weight`, constant(`${node}/batchnorm/gamma`));
    weights.set(`${unit}.bn.bias`, constant(`${node}/batchnorm/beta`));
    weights.set(`${unit}.bn.running_mean`, constant(`${node}/batchnorm/moving_mean`));
    weights.set(`${unit}.bn.running_var`, constant(`${node}/batchnorm/moving_variance`));
  }
  weights.set("fc.weight", permute(constant("softmax/weights"), [1, 0]));
  weights.set("fc.bias", constant("softmax/biases"));
  return weights;
}

const BLOCKS = [
  ...["5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e", "7a", "7b", "7c"].entries(),
].map(([i, name]) => [`Mixed_${name}`, i === 0 ? "mixed" : `mixed_${i}`] as const);

const STEM: Readonly<Record<string, string>> = {
  Conv2d_1a_3x3: "conv",
  Conv2d_2a_3x3: "conv_1",
  Conv2d_2b_3x3: "conv_2",
  Conv2d_3b_1x1: "conv_3",
  Conv2d_4a_3x3: "conv_4",
};

/** TensorFlow's tower of a block by PyTorch's name of the branch; `tensorflowName` handles the exceptions. */
const TOWERS: Readonly<Record<string, string>> = {
  branch1x1: "",
  branch3x3: "", // in 6a; a tower in 7a, 7b and 7c
  branch5x5: "tower/",
  branch7x7: "tower/",
  branch3x3dbl: "tower_1/", // the first tower in 6a
  branch7x7dbl: "tower_1/",
  branch7x7x3: "tower_1/",
  branch_pool: "tower_2/",
};

/**
 * TensorFlow's node name of a unit: `Mixed_7b.branch3x3dbl_3a` is `mixed_9/tower_1/mixed/conv`. As in torch-fidelity,
 * utils/util_convert_inception_weights.py. Throws RangeError for an unknown unit.
 */
export function tensorflowName(unit: string): string {
  if (Object.hasOwn(STEM, unit)) return STEM[unit];
  const [block, place] = unit.split(".");
  const found = BLOCKS.find(([name]) => name === block);
  const parts = /^(branch_pool|branch\d+x\d+(?:x3|dbl)?)(?:_(\d)([ab]?))?$/.exec(place ?? "");
  if (!found || !parts) throw new RangeError(`Unknown unit "${unit}"`);
  const [, branch, number, half] = parts;
  let tower = TOWERS[branch];
  if (block === "Mixed_6a" && branch === "branch3x3dbl") tower = "tower/";
  if (block.startsWith("Mixed_7") && branch === "branch3x3") tower = "tower/";
  if (half) return `${found[1]}/${tower}mixed/${half === "a" ? "conv" : "conv_1"}`;
  const index = Number(number ?? 1) - 1;
  return `${found[1]}/${tower}${index === 0 ? "conv" : `conv_${index}`}`;
}

/** Most numbers in all constants: Inception has 24 million. A few bytes can state more, since one value fills a tensor. */
const LARGEST = 2 ** 25;

/** Reads the float32 constants of a GraphDef. */
function readConstants(bytes: Uint8Array<ArrayBuffer>): Map<string, WeightTensor> {
  const constants = new Map<string, WeightTensor>();
  let room = LARGEST;
  for (const node of fields(bytes)) {
    if (node.number !== 1 || !node.bytes) continue;
    let name = "", op = "", tensor: Uint8Array<ArrayBuffer> | undefined;
    for (const field of fields(node.bytes)) {
      if (field.number === 1) name = utf8(field.bytes);
      if (field.number === 2) op = utf8(field.bytes);
      if (field.number === 5) tensor ??= attributeTensor(field.bytes); // only the attribute "value" has one
    }
    if (op !== "Const" || !tensor) continue;
    const value = readTensor(tensor, { name, largest: room });
    if (value) constants.set(name, value);
    room -= value?.data.length ?? 0;
  }
  return constants;
}

function attributeTensor(entry: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | undefined {
  const value = [...fields(entry)].find(({ number }) => number === 2);
  return value && [...fields(value.bytes)].find(({ number }) => number === 8)?.bytes;
}

/** Reads a TensorProto of at most `largest` elements; returns undefined if it is not float32 (dtype 1). */
function readTensor(
  bytes: Uint8Array<ArrayBuffer>,
  { name, largest }: { readonly name: string; readonly largest: number },
): WeightTensor | undefined {
  let dtype = 0;
  let content = new Uint8Array();
  const shape: number[] = [];
  for (const field of fields(bytes)) {
    if (field.number === 1) dtype = field.value;
    if (field.number === 4 || field.number === 5) content = field.bytes; // raw or packed floats, which have the same bytes
    if (field.number === 2) {
      for (const dim of fields(field.bytes)) {
        if (dim.number !== 2) continue;
        shape.push([...fields(dim.bytes)].find(({ number }) => number === 1)?.value ?? 0);
      }
    }
  }
  if (dtype !== 1) return undefined;
  const count = shape.reduce((a, b) => a * b, 1);
  if (!(count <= largest)) {
    throw new SyntaxError(
      `Constant ${excerpt(name)} [${excerpt(`${shape}`)}] is too large: not the Inception graph`,
    );
  }
  const values = new Float32Array(content.slice(0, content.length & ~3).buffer);
  // A single value fills the tensor (tensor.proto, version_number).
  if (values.length === 1) return { shape, data: new Float32Array(count).fill(values[0]) };
  if (content.length !== 4 * count) {
    throw new SyntaxError(
      `Constant ${excerpt(name)} [${excerpt(`${shape}`)}] has ${content.length} bytes: truncated`,
    );
  }
  return { shape, data: values };
}

/** Permutes the axes of a tensor, as numpy.transpose. */
function permute({ shape, data }: WeightTensor, axes: readonly number[]): WeightTensor {
  if (shape.length !== axes.length) {
    throw new SyntaxError(`Constant must have ${axes.length} axes, got shape [${shape}]`);
  }
  const outShape = axes.map((axis) => shape[axis]);
  const strides = axes.map((axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const out = new Float32Array(data.length);
  const index = axes.map(() => 0);
  for (let to = 0, from = 0; to < out.length; to++) {
    out[to] = data[from];
    for (let i = axes.length - 1; i >= 0; i--) { // the next index and its offset
      from += strides[i];
      if (++index[i] < outShape[i]) break;
      from -= strides[i] * outShape[i];
      index[i] = 0;
    }
  }
  return { shape: outShape, data: out };
}

import assert from "node:assert/strict";
import { bytes, encode, int, message, type Pieces, text } from "../../formats/protobuf.ts";
import { readGraphDef, tensorflowName } from "./graph_def.ts";
import { inceptionUnits } from "./inception_network.ts";
import { randomWeights } from "./random_weights.ts";
import type { WeightTensor } from "../../formats/torch_file.ts";
import { readInceptionWeights } from "./weights.ts";

Deno.test("tensorflowName() returns the names of Google's graph", () => {
  // torch-fidelity, utils/util_convert_inception_weights.py
  const known = {
    "Conv2d_1a_3x3": "conv",
    "Conv2d_4a_3x3": "conv_4",
    "Mixed_5b.branch1x1": "mixed/conv",
    "Mixed_5c.branch5x5_2": "mixed_1/tower/conv_1",
    "Mixed_5d.branch3x3dbl_3": "mixed_2/tower_1/conv_2",
    "Mixed_5d.branch_pool": "mixed_2/tower_2/conv",
    "Mixed_6a.branch3x3": "mixed_3/conv",
    "Mixed_6a.branch3x3dbl_2": "mixed_3/tower/conv_1",
    "Mixed_6b.branch7x7_3": "mixed_4/tower/conv_2",
    "Mixed_6e.branch7x7dbl_5": "mixed_7/tower_1/conv_4",
    "Mixed_7a.branch3x3_2": "mixed_8/tower/conv_1",
    "Mixed_7a.branch7x7x3_4": "mixed_8/tower_1/conv_3",
    "Mixed_7b.branch3x3_1": "mixed_9/tower/conv",
    "Mixed_7b.branch3x3_2a": "mixed_9/tower/mixed/conv",
    "Mixed_7c.branch3x3dbl_3b": "mixed_10/tower_1/mixed/conv_1",
    "Mixed_7c.branch_pool": "mixed_10/tower_2/conv",
  };
  for (const [unit, node] of Object.entries(known)) assert.equal(tensorflowName(unit), node);
  assert.equal(new Set(inceptionUnits().map(({ unit }) => tensorflowName(unit))).size, 94);
  assert.throws(() => tensorflowName("Mixed_9z.branch1x1"), /Unknown unit/);
});

/** Encodes a constant of a GraphDef; tensorflow/core/framework/{node_def,attr_value,tensor}.proto. */
function constant(name: string, { shape, data }: WeightTensor): Pieces {
  const dims = shape.map((size) => message(2, int(1, size)));
  const tensor = message(8, int(1, 1), message(2, ...dims), bytes(4, new Uint8Array(data.buffer)));
  return message(
    1,
    text(1, name),
    text(2, "Const"),
    message(5, text(1, "dtype"), message(2, int(6, 1))),
    message(5, text(1, "value"), message(2, tensor)),
  );
}

/** Converts PyTorch's [out, in, height, width] to TensorFlow's [height, width, in, out]. */
function toTensorflow({ shape: [out, into, height, width], data }: WeightTensor): WeightTensor {
  const hwio = new Float32Array(data.length);
  for (let o = 0, at = 0; o < out; o++) {
    for (let i = 0; i < into; i++) {
      for (let yx = 0; yx < height * width; yx++, at++) hwio[(yx * into + i) * out + o] = data[at];
    }
  }
  return { shape: [height, width, into, out], data: hwio };
}

Deno.test("readInceptionWeights() reads the same parameters from a GraphDef", () => {
  const weights = randomWeights();
  const tensor = (name: string): WeightTensor =>
    weights.get(name) ?? { shape: [], data: new Float32Array() };
  const nodes: Pieces[] = [message(1, text(1, "input"), text(2, "Placeholder"))];
  for (const { unit } of inceptionUnits()) {
    const node = tensorflowName(unit);
    nodes.push(
      constant(`${node}/conv2d_params`, toTensorflow(tensor(`${unit}.conv.weight`))),
      constant(`${node}/batchnorm/gamma`, tensor(`${unit}.bn.weight`)),
      constant(`${node}/batchnorm/beta`, tensor(`${unit}.bn.bias`)),
      constant(`${node}/batchnorm/moving_mean`, tensor(`${unit}.bn.running_mean`)),
      constant(`${node}/batchnorm/moving_variance`, tensor(`${unit}.bn.running_var`)),
    );
  }
  const { shape: [classes, features], data } = tensor("fc.weight");
  const transposed = Float32Array.from(
    data,
    (_, i) => data[(i % classes) * features + Math.floor(i / classes)],
  );
  nodes.push(
    constant("softmax/weights", { shape: [features, classes], data: transposed }),
    constant("softmax/biases", tensor("fc.bias")),
  );
  const file = encode(...nodes);
  const { format, published, parametersSha256 } = readInceptionWeights(file, "graph.pb");
  assert.equal(format, "TensorFlow GraphDef");
  assert.equal(published, false);
  // The hash of the file that PyTorch wrote from these weights (ci/parity/inception.py with a folder).
  assert.equal(
    parametersSha256,
    "1af7abddb076012b81acd2f771bce8dce0e26ad68ec9ef595bd8e3c46889d035",
  );
  for (const length of [1, 1000, file.length - 3]) {
    assert.throws(() => readGraphDef(file.slice(0, length)), SyntaxError);
  }
});

Deno.test("readInceptionWeights() refuses files that are not Inception's weights and names them", () => {
  const html = new TextEncoder().encode("<!DOCTYPE html>");
  assert.throws(() => readInceptionWeights(html, "error.pb"), /^SyntaxError: error\.pb: /);
  const gzip = Uint8Array.of(0x1f, 0x8b, 8, 0); // as inception-2015-12-05.tgz
  assert.throws(() => readInceptionWeights(gzip, "x.tgz"), /x\.tgz: gzip archive: unpack it/);
  const torch = Deno.readFileSync(
    new URL("../../../fixtures/fid/torch_legacy.pth", import.meta.url),
  );
  assert.throws(
    () => readInceptionWeights(torch, "other.pth"),
    /Parameter Conv2d_1a_3x3.* is missing/,
  );
  // A truncated download under the published name.
  assert.throws(
    () => readInceptionWeights(torch.slice(0, 500), "pt_inception-2015-12-05-6726825d.pth"),
    /SHA-256 must be 6726825d[0-9a-f]{56} \(95628359 bytes\), got [0-9a-f]{64} \(500 bytes\)/,
  );
});

Deno.test("readGraphDef() refuses a few bytes that state more numbers than Inception has", () => {
  const filled = (name: string) =>
    constant(name, { shape: [4096, 4096], data: Float32Array.of(1) });
  const file = encode(...[1, 2, 3].map((i) => filled(`c${i}`))); // 64 MB each
  assert.throws(
    () => readGraphDef(file),
    /^SyntaxError: Constant c3 \[4096,4096\] is too large: not the Inception graph$/,
  );
});

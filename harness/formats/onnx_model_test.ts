import assert from "node:assert/strict";
import * as ort from "onnxruntime-node";
import { encodeModel } from "./onnx_model.ts";
import { fields } from "./protobuf.ts";

Deno.test("encodeModel() writes a model that ONNX Runtime runs", async () => {
  const model = encodeModel({
    name: "affine",
    nodes: [
      {
        op: "Gemm",
        inputs: ["x", "w", "b"],
        outputs: ["h"],
        attributes: { alpha: { float: 0.5 }, transB: 1 },
      },
      { op: "Transpose", inputs: ["h"], outputs: ["y"], attributes: { perm: [1, 0] } },
    ],
    inputs: [{ name: "x", type: "float32", shape: ["n", 2] }],
    outputs: [{ name: "y", type: "float32", shape: null }],
    initializers: [
      { name: "w", type: "float32", shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
      { name: "b", type: "float32", shape: [3], data: Float32Array.of(10, 20, 30) },
    ],
  });
  const session = await ort.InferenceSession.create(model);
  const { y } = await session.run({ x: new ort.Tensor("float32", Float32Array.of(2, 4), [1, 2]) });
  assert.deepEqual(y.dims, [3, 1]);
  assert.deepEqual([...y.data as Float32Array], [15, 31, 47]);
});

Deno.test("encodeModel() writes graphs of more nodes than a call takes arguments", () => {
  const count = 150_000;
  const model = encodeModel({
    name: "deep",
    nodes: Array.from({ length: count }, (_, i) => ({
      op: "Identity",
      inputs: [`${i}`],
      outputs: [`${i + 1}`],
    })),
    inputs: [],
    outputs: [],
    initializers: [],
  });
  const graph = [...fields(model)].find(({ number }) => number === 7);
  assert.ok(graph !== undefined);
  assert.equal([...fields(graph.bytes)].length, count + 1); // and the name
});

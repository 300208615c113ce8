import assert from "node:assert/strict";
import * as ort from "onnxruntime-node";
import { encodeModel } from "./onnx_model.ts";

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

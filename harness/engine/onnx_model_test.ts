import assert from "node:assert/strict";
import * as ort from "onnxruntime-node";
import { encodeModel } from "./onnx_model.ts";
import { encode, int, text } from "./protobuf.ts";

Deno.test("protobuf encode() writes the examples of the encoding guide", () => {
  // https://protobuf.dev/programming-guides/encoding/: field 1 = 150 is 08 96 01; field 2 = "testing" is 12 07 ...
  assert.deepEqual([...encode(int(1, 150))], [0x08, 0x96, 0x01]);
  assert.deepEqual([...encode(text(2, "testing"))], [
    0x12,
    0x07,
    0x74,
    0x65,
    0x73,
    0x74,
    0x69,
    0x6e,
    0x67,
  ]);
  // A negative int64 takes ten bytes.
  assert.deepEqual([...encode(int(1, -1))], [0x08, ...Array(9).fill(0xff), 0x01]);
});

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

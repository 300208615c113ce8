/** Compares every compiled kernel with eager tfjs-cpu on random inputs, in plain and blocked layout. */
import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { openEager } from "../eager/eager.ts";
import {
  caseFunction,
  caseInputs,
  CASES,
  KERNEL_TOLERANCE,
  worstError,
} from "../testing/kernel_cases.ts";
import { GRID_FUNCTIONS, GRID_INPUTS, gridFaults, gridProgram } from "../testing/unary_grid.ts";
import { Builder } from "./builder.ts";
import { isElementwise } from "./graph.ts";
import type { Call, Kernel } from "./kernel_call.ts";
import { KERNELS } from "./kernels.ts";
import { blockSize, compileOnnx, openOnnxRuntime } from "../onnx/ort.ts";

Deno.test("compile() agrees with eager tfjs for every kernel", async (t) => {
  await using eager = await openEager("tfjs-cpu", "cpu");
  const block = await blockSize();
  for (const [name, example] of Object.entries(CASES)) {
    const arrays = caseInputs(example);
    const specs = { state: {}, inputs: arrays };
    const oracle = await eager.compile(caseFunction(example), specs);
    const expected = (await oracle.run(await eager.upload({}), arrays)).outputs;
    for (const b of block ? [0, block] : [0]) {
      await t.step(`${name}${b ? ", blocked" : ""}`, async () => {
        await using program = await compileOnnx(caseFunction(example), specs, {
          threads: 1,
          block: b,
        });
        await using device = await openOnnxRuntime({ threads: 1 });
        const { outputs } = await program.run(await device.upload({}), arrays);
        const error = worstError(outputs, expected);
        assert(error <= KERNEL_TOLERANCE, `relative error ${error} > ${KERNEL_TOLERANCE}`);
      });
    }
  }
});

Deno.test("tfjs-cpu computes every elementwise function and its slope in the tails, at the infinities and at NaN", async () => {
  await using eager = await openEager("tfjs-cpu", "cpu");
  await using program = await eager.compile(gridProgram, { state: {}, inputs: GRID_INPUTS });
  const { outputs } = await program.run(await eager.upload({}), GRID_INPUTS);
  assert.deepEqual(gridFaults(outputs, "tfjs-cpu"), []);
});

Deno.test("every kernel with one array is on the grid", () => {
  const grid = Object.keys(GRID_FUNCTIONS);
  const x = new Builder().input("x", [2], "float32");
  const isElementwiseOfOne = (kernel: Kernel) => {
    try {
      const b = new Builder();
      const attrs = { alpha: 0.3, clipValueMin: -1, clipValueMax: 1 } as unknown as Call["attrs"];
      const value = kernel({ b, inputs: { x }, attrs });
      return !Array.isArray(value) && isElementwise(value) && value.op !== "cast";
    } catch {
      return false; // it needs other inputs or attributes
    }
  };
  const missing = Object.entries(KERNELS).filter(([name, kernel]) =>
    name !== "LogicalNot" && !grid.includes(name) && isElementwiseOfOne(kernel)
  ).map(([name]) => name);
  assert.deepEqual(missing, []);
});

Deno.test("a gather outside of its array gives NaN, or is refused if the index is known", async () => {
  await using device = await openOnnxRuntime({ threads: 1 });
  const inputs = {
    x: { shape: [3, 2], dtype: "float32" as const, data: Float32Array.of(0, 1, 2, 3, 4, 5) },
    i: { shape: [4], dtype: "int32" as const, data: Int32Array.of(2, -1, 0, 3) },
  };
  await using program = await device.compile(
    ({ inputs: { x, i } }) => ({ outputs: { y: tf.gather(x, i as tf.Tensor1D) } }),
    { state: {}, inputs },
  );
  const { y } = (await program.run(await device.upload({}), inputs)).outputs;
  assert.deepEqual([...y.data], [4, 5, NaN, NaN, 0, 1, NaN, NaN]);
  await assert.rejects(
    async () =>
      await device.compile(({ inputs: { x } }) => ({ outputs: { y: tf.gather(x, [0, -1]) } }), {
        state: {},
        inputs,
      }),
    /tf\.gather: an index must be in \[0, 3\), got -1/,
  );
});

Deno.test("every kernel of KERNELS has a case", () => {
  const names = Object.keys(CASES).join(" ");
  const covered = ["Conv2D", "Conv2DBackpropInput", "Conv2DBackpropFilter"]; // by the convolution cases
  const missing = Object.keys(KERNELS).filter((k) => !names.includes(k) && !covered.includes(k));
  assert.deepEqual(missing, []);
});

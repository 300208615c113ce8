/** Compares every compiled kernel with eager tfjs-cpu on random inputs, in plain and blocked layout. */
import assert from "node:assert/strict";
import { openEager } from "../eager/eager.ts";
import {
  caseFunction,
  caseInputs,
  CASES,
  KERNEL_TOLERANCE,
  worstError,
} from "../testing/kernel_cases.ts";
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

Deno.test("every kernel of KERNELS has a case", () => {
  const names = Object.keys(CASES).join(" ");
  const covered = ["Conv2D", "Conv2DBackpropInput", "Conv2DBackpropFilter"]; // by the convolution cases
  const missing = Object.keys(KERNELS).filter((k) => !names.includes(k) && !covered.includes(k));
  assert.deepEqual(missing, []);
});

/** Tests compiled training steps: loops, noise, carried state and memory. */
import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { openEager } from "./eager/eager.ts";
import { blockSize, compileOnnx, openOnnxRuntime } from "./onnx/ort.ts";
import {
  BATCH,
  filled,
  inputs,
  langevinStep,
  STATE,
  STATE_TOLERANCE,
  states,
} from "./testing/step_case.ts";

Deno.test("compile() agrees with eager tfjs after three steps, with and without blocked layout and batch chunks", async () => {
  await using eager = await openEager("tfjs-cpu", "cpu");
  const specs = { state: STATE, inputs: inputs(0) };
  const expected = await states(eager, await eager.compile(langevinStep, specs), 3);
  for (const block of [0, await blockSize()]) {
    for (const [batch, chunkElements] of [[0, 1], [BATCH, 2 * 8 * 8 * 16]]) {
      await using device = await openOnnxRuntime({ threads: 1 });
      await using program = await compileOnnx(langevinStep, specs, {
        threads: 1,
        block,
        batch,
        pieceElements: batch ? 300 : undefined,
        chunks: { wide: 1, elements: chunkElements, minPositions: 1, minDepth: 1 },
      });
      const actual = await states(device, program, 3);
      for (const [name, { data }] of Object.entries(expected)) {
        const values: number[] = [...data];
        const scale = Math.max(...values.map(Math.abs));
        const error = Math.max(...values.map((x, i) => Math.abs(x - actual[name].data[i]))) / scale;
        assert(
          error <= STATE_TOLERANCE,
          `${name}, block ${block}, batch ${batch}: relative error ${error}`,
        );
      }
      assert.notDeepEqual(actual.w1.data, STATE.w1.data); // it changed
      assert.deepEqual(actual.frozen.data, STATE.frozen.data); // it did not, bit for bit
    }
  }
});

Deno.test("Program.run() returns the same bits for the same step, and others for another step", async () => {
  await using device = await openOnnxRuntime({ threads: 2 });
  await using program = await device.compile(langevinStep, { state: STATE, inputs: inputs(0) });
  const run = async (step: number) =>
    (await program.run(await device.upload(STATE), inputs(step))).outputs.loss.data[0];
  assert.equal(await run(0), await run(0));
  assert.notEqual(await run(0), await run(1));
});

Deno.test("Program.run() refuses arrays of the wrong shape or type and names them", async () => {
  await using device = await openOnnxRuntime({ threads: 1 });
  await using program = await device.compile(langevinStep, { state: STATE, inputs: inputs(0) });
  const state = await device.upload(STATE);
  await assert.rejects(
    () => program.run(state, { ...inputs(0), images: filled([3, 8, 8, 1], 1) }),
    /input "images" must be float32 \[12,8,8,1\], got float32 \[3,8,8,1\]/,
  );
  await assert.rejects(
    () => program.run(state, { images: inputs(0).images }),
    /input "step" must be int32 \[\], got nothing/,
  );
});

Deno.test("Program.run() does not grow resident memory over 1,000 steps", async () => {
  await using device = await openOnnxRuntime({ threads: 1 });
  await using program = await device.compile(langevinStep, { state: STATE, inputs: inputs(0) });
  let state = await device.upload(STATE);
  // Collect garbage before each reading, so that only live memory counts.
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const resident = () => (collect(), collect(), Deno.memoryUsage().rss);
  let early = 0;
  for (let step = 0; step < 1000; step++) {
    ({ state } = await program.run(state, inputs(step)));
    if (step === 100) early = resident();
  }
  // The requirement is less than 5 % growth after step 100.
  const growth = resident() / early - 1;
  assert(
    growth < 0.05,
    `resident memory grew by ${(100 * growth).toFixed(1)} % between steps 100 and 1,000`,
  );
});

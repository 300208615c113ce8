/**
 * Compares every available device with eager tfjs-cpu, on all kernels and ten steps of all methods, and checks the error
 * messages of absent devices.
 */
import assert from "node:assert/strict";
import { METHODS } from "../../methods/mod.ts";
import {
  initialState,
  TINY_PROBLEM,
  tinyHyper,
  tinyImages,
  train,
} from "../../methods/testing/tiny_problem.ts";
import type { Device, Hyperparams, Method } from "../core/types.ts";
import { openDevice } from "./device.ts";
import { GRID_INPUTS, gridFaults, gridProgram } from "./testing/unary_grid.ts";
import { DEVICE_NAMES, deviceLabel, tryDevice } from "./testing/devices.ts";
import { allCases, allInputs, KERNEL_TOLERANCE, worstError } from "./testing/kernel_cases.ts";

/** Error of float32 sums in another order over ten training steps, relative to the largest value of each entry. */
const TRAINING_TOLERANCE = 1e-4;

if (!DEVICE_NAMES.some((name) => name.startsWith("pjrt:"))) {
  console.log(
    "XLA's CPU plugin is not tested: it was not found; fetch it with deno task gpu --fetch cpu",
  );
}

async function runCases(device: Device) {
  await using program = await device.compile(allCases, { state: {}, inputs: allInputs });
  return (await program.run(await device.upload({}), allInputs)).outputs;
}

/** Even, for flows with couplings; and few steps that are differentiated through. */
const SMALLER: Hyperparams = { latentDim: 4, integratorSteps: 2 };

async function tenSteps(device: Device, method: Method) {
  const problem = TINY_PROBLEM;
  const known = Object.entries(SMALLER).filter(([name]) => name in method.defaults);
  const model = method.build(problem, tinyHyper(method, Object.fromEntries(known)));
  const images = tinyImages(problem.trainCount, problem.image);
  const state = await initialState(model, 0);
  return await train(model, { device, problem, images, state, seed: 0, steps: [0, 10] });
}

/** Result on the reference device, computed once. */
function reference<T>(run: (device: Device) => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () =>
    answer ??= openDevice("tfjs-cpu", { threads: 1 }).then(async (device) => {
      await using eager = device;
      return await run(eager);
    });
}
const expectedCases = reference(runCases);
const expectedSteps = new Map(
  Object.values(METHODS).map((method) => [
    method,
    reference((device) => tenSteps(device, method)),
  ]),
);

for (const name of DEVICE_NAMES) {
  const opened = await tryDevice(name);
  const isAbsent = opened instanceof Error;
  if (isAbsent) console.log(`${name} is not tested: ${opened.message}`);
  const device = opened as Device;
  const label = deviceLabel(name);

  Deno.test({
    name: `openDevice("${label}") gives a hint in one line`,
    ignore: !isAbsent,
    fn: () => assert.match((opened as Error).message, /^(Device [\w-]+|PJRT_)[^\n]+: [^\n]+$/),
  });

  Deno.test({
    name: `${label} agrees with tfjs-cpu for every kernel`,
    ignore: isAbsent,
    async fn(t) {
      const actual = await runCases(device);
      const expected = await expectedCases();
      assert.deepEqual(Object.keys(actual), Object.keys(expected));
      for (const key of Object.keys(expected)) {
        const error = worstError({ x: actual[key] }, { x: expected[key] });
        if (error > KERNEL_TOLERANCE) {
          await t.step(key, () => assert.fail(`relative error ${error} > ${KERNEL_TOLERANCE}`));
        }
      }
    },
  });

  Deno.test({
    name:
      `${label} computes every elementwise function and its slope in the tails, at the infinities and at NaN`,
    ignore: isAbsent,
    async fn() {
      await using program = await device.compile(gridProgram, { state: {}, inputs: GRID_INPUTS });
      const { outputs } = await program.run(await device.upload({}), GRID_INPUTS);
      assert.deepEqual(gridFaults(outputs, name), []);
    },
  });

  for (const [method, expected] of expectedSteps) {
    Deno.test({
      name: `${label} trains ${method.name} like tfjs-cpu for ten steps`,
      ignore: isAbsent || method.wrongOn?.[name] !== undefined,
      async fn() {
        const { history, state } = await expected();
        const actual = await tenSteps(device, method);
        for (const [step, { loss }] of history.entries()) {
          const gap = Math.abs(actual.history[step].loss / loss - 1);
          assert(gap <= TRAINING_TOLERANCE, `the loss of step ${step} differs by ${gap}`);
        }
        const error = worstError(actual.state, state);
        assert(error <= TRAINING_TOLERANCE, `the state differs by ${error}`);
      },
    });
  }
}

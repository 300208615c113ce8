/** Every device that this machine has against eager tfjs-cpu: all kernels, ten steps of all methods; what absent ones say. */
import assert from "node:assert/strict";
import { METHODS } from "../../methods/mod.ts";
import {
  initialState,
  TOY,
  toyHyper,
  toyImages,
  train,
} from "../../methods/testing/tiny_problem.ts";
import type { Device, Method } from "../core/types.ts";
import { openDevice } from "./device.ts";
import { allCases, allInputs, KERNEL_TOLERANCE, worstError } from "./testing/kernel_cases.ts";
import { openPjrt } from "./xla/pjrt.ts";
import { findCpuPlugin } from "./xla/pjrt_find.ts";

/** Float32 sums in another order through ten training steps, relative to each entry's largest value. */
const TRAINING_TOLERANCE = 1e-4;

const plugin = findCpuPlugin();
if (!plugin) console.log("No XLA CPU plugin here, it is not tested: deno task gpu --fetch cpu");
const NAMES = [
  "cpu",
  ...plugin ? [`pjrt:${plugin.path}`] : [],
  "cuda:highest", // whole float32 products, as the oracle's
  "webgpu",
  "tfjs-node",
  "tfjs-node-gpu",
];

async function runCases(device: Device) {
  await using program = await device.compile(allCases, { state: {}, inputs: allInputs });
  return (await program.run(await device.upload({}), allInputs)).outputs;
}

async function tenSteps(device: Device, method: Method) {
  const images = toyImages(TOY.trainCount, TOY.image);
  const options = { problem: TOY, hyper: toyHyper(method), seed: 0, images } as const;
  const state = await initialState(method, options);
  return await train(method, { ...options, device, state, steps: [0, 10] });
}

/** What the oracle says, computed once. */
function oracle<T>(run: (device: Device) => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () =>
    answer ??= openDevice("tfjs-cpu", { threads: 1 }).then(async (device) => {
      await using eager = device;
      return await run(eager);
    });
}
const expectedCases = oracle(runCases);
const expectedSteps = new Map(
  Object.values(METHODS).map((method) => [
    method,
    oracle((device) => tenSteps(device, method)),
  ]),
);

/** XLA's CPU plugin compiles in any case, whatever the user's cache holds. */
async function open(name: string): Promise<Device> {
  return name.startsWith("pjrt:")
    ? openPjrt(name.slice("pjrt:".length), { name, cache: null })
    : await openDevice(name, { threads: 1 });
}

for (const name of NAMES) {
  const opened = await open(name).catch((error: Error) => error);
  const isAbsent = opened instanceof Error;
  if (isAbsent) console.log(`${name} is not tested: ${opened.message}`);
  const device = opened as Device;
  const label = name.replace(/:.*\//, ":");

  Deno.test({
    name: `openDevice("${label}") says in one line what would help`,
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

  for (const [method, expected] of expectedSteps) {
    Deno.test({
      name: `${label} trains ${method.name} as tfjs-cpu does, ten steps`,
      ignore: isAbsent,
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

/** Eager devices besides tfjs-cpu, where this machine has them; what they say where it does not. */
import assert from "node:assert/strict";
import { METHODS } from "../../methods/mod.ts";
import { initialState, TOY, toyHyper, toyImages, train } from "../../methods/_toy.ts";
import type { Device, Method } from "../types.ts";
import { openDevice } from "./device.ts";
import { openEager } from "./eager.ts";
import { caseFunction, caseInputs, CASES, KERNEL_TOLERANCE, worstError } from "./kernel_cases.ts";

/** WebGPU's shader computes log(1 + x) by just that, which loses the small x of the case. */
const INEXACT: Readonly<Record<string, readonly string[]>> = { webgpu: ["Log1p"] };

/** Float32 sums in another order through two training steps, relative to each entry's largest value. */
const TRAINING_TOLERANCE = 1e-4;

for (const name of ["webgpu", "tfjs-node", "tfjs-node-gpu"]) {
  const opened = await openDevice(name, { threads: 1 }).catch((error: Error) => error);
  const isAbsent = opened instanceof Error;
  if (isAbsent) console.log(`${name} is not tested: ${opened.message}`);
  const device = opened as Device;

  Deno.test({
    name: `openDevice("${name}") says in one line what would help`,
    ignore: !isAbsent,
    fn: () =>
      assert.match((opened as Error).message, new RegExp(`^Device ${name}[^\\n]+: [^\\n]+$`)),
  });

  Deno.test({
    name: `${name} agrees with tfjs-cpu for every kernel`,
    ignore: isAbsent,
    async fn() {
      await using eager = await openEager("tfjs-cpu", "cpu");
      for (const [kernel, example] of Object.entries(CASES)) {
        if (INEXACT[name]?.includes(kernel)) continue;
        const arrays = caseInputs(example);
        const specs = { state: {}, inputs: arrays };
        const run = async (on: Device) => {
          await using program = await on.compile(caseFunction(example), specs);
          return (await program.run(await on.upload({}), arrays)).outputs;
        };
        const error = worstError(await run(device), await run(eager));
        assert(error <= KERNEL_TOLERANCE, `${kernel}: relative error ${error}`);
      }
    },
  });

  Deno.test({
    name: `${name} trains vae and lae as tfjs-cpu does, two steps`,
    ignore: isAbsent,
    async fn() {
      await using eager = await openEager("tfjs-cpu", "cpu");
      const images = toyImages(TOY.trainCount, TOY.image);
      for (const method of [METHODS.vae, METHODS.lae] as unknown as Method[]) {
        const hyper = toyHyper(method);
        const options = { problem: TOY, hyper, seed: 0, images, steps: [0, 2] as const };
        const state = await initialState(method, options);
        const expected = await train(method, { ...options, device: eager, state });
        const actual = await train(method, { ...options, device, state });
        const error = worstError(actual.state, expected.state);
        assert(error <= TRAINING_TOLERANCE, `${method.name}: the state differs by ${error}`);
      }
    },
  });
}

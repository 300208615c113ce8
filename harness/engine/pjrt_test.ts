/**
 * The conformance suite on a real plugin: XLA's CPU plugin, as `deno task gpu --fetch cpu` leaves it in the cache, or
 * any plugin named by LAEBENCH_PJRT_PLUGIN.
 */
import assert from "node:assert/strict";
import { openEager } from "./eager.ts";
import { caseFunction, caseInputs, CASES, KERNEL_TOLERANCE, worstError } from "./kernel_cases.ts";
import { openPjrt } from "./pjrt.ts";

const path = Deno.env.get("LAEBENCH_PJRT_PLUGIN");

Deno.test({
  name: "openPjrt() agrees with eager tfjs for every kernel",
  ignore: !path,
  async fn(t) {
    await using eager = await openEager("tfjs-cpu", "cpu");
    await using device = openPjrt(path ?? "", { name: "pjrt", highest: true });
    for (const [name, example] of Object.entries(CASES)) {
      const arrays = caseInputs(example);
      const specs = { state: {}, inputs: arrays };
      const oracle = await eager.compile(caseFunction(example), specs);
      const expected = (await oracle.run(await eager.upload({}), arrays)).outputs;
      await t.step(name, async () => {
        await using program = await device.compile(caseFunction(example), specs);
        const { outputs } = await program.run(await device.upload({}), arrays);
        const error = worstError(outputs, expected);
        assert(error <= KERNEL_TOLERANCE, `relative error ${error} > ${KERNEL_TOLERANCE}`);
      });
    }
  },
});

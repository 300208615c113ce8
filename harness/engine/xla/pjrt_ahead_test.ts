/**
 * Programs for cards that are not here, compiled by XLA's CUDA plugin: skipped where it or NVIDIA's assembler is not;
 * `deno task gpu --fetch cuda13-compiler` brings both. That programs compute what tfjs does is tested on the devices at
 * hand, in devices_test.ts: the same StableHLO. Steps of all methods: harness/cli/gpu_compile_test.ts.
 */
import assert from "node:assert/strict";
import { GPU_CARDS, type GpuCard } from "./gpu_specs.ts";
import { workOf } from "./hlo_program.ts";
import { allCases, allInputs } from "../testing/kernel_cases.ts";
import { gpuFlags } from "./pjrt.ts";
import { compileAhead } from "./pjrt_ahead.ts";
import { loadPlugin } from "./pjrt_api.ts";
import { cudaDataFolder, findCudaPlugin } from "./pjrt_find.ts";
import { BATCH, inputs, langevinStep, STATE } from "../testing/step_case.ts";

const found = findCudaPlugin();
const folder = found ? cudaDataFolder(found) : undefined;
if (!folder) {
  console.log("Nothing is compiled for NVIDIA's cards here: deno task gpu --fetch cuda13-compiler");
}

function withCompiler(name: string, fn: (t: Deno.TestContext) => Promise<void>): void {
  Deno.test({ name, ignore: !folder, fn });
}

const plugin = () => loadPlugin(found!.path);
const flags = gpuFlags({ cudaDataFolder: folder });

withCompiler("compileAhead() compiles every kernel", async () => {
  const { program } = await compileAhead(plugin(), GPU_CARDS.h200, allCases, {
    state: {},
    inputs: allInputs,
    flags,
    precision: "HIGHEST",
  });
  assert.ok(workOf(program).launches > 100);
});

for (const [name, card] of Object.entries<GpuCard>(GPU_CARDS)) {
  withCompiler(
    `compileAhead() makes cuDNN's input gradients of a loop's, for ${name}`,
    async () => {
      const { program, memory } = await compileAhead(plugin(), card, langevinStep, {
        state: STATE,
        inputs: inputs(0),
        flags,
        precision: "DEFAULT",
      });
      const { libraryCalls } = workOf(program);
      assert.ok(libraryCalls["__cudnn$convBackwardInput"] >= 3, JSON.stringify(libraryCalls));
      const images = 4 * BATCH * 8 * 8;
      const weights = Object.values(STATE).reduce((sum, { data }) => sum + data.byteLength, 0);
      assert.equal(memory.arguments, weights + images + 4); // and the number of the step
      assert.ok(memory.temporaries > images);
    },
  );
}

withCompiler("compileAhead() carries the compiler's text over", async () => {
  await assert.rejects(
    () =>
      compileAhead(plugin(), GPU_CARDS.h200, langevinStep, {
        state: STATE,
        inputs: inputs(0),
        flags: { xla_gpu_no_such_flag: true },
        precision: "DEFAULT",
      }),
    /^PjrtError: PJRT_Compile: .*xla_gpu_no_such_flag/,
  );
});

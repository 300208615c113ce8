/**
 * Compiles programs for GPUs that need not be present by XLA's CUDA plugin. Skipped without the plugin or NVIDIA's
 * assembler; `deno task gpu --fetch cuda13-compiler` fetches both. devices_test.ts tests that the same StableHLO
 * computes what tfjs does, on available devices; harness/cli/gpu_compile_test.ts compiles the steps of all methods.
 */
import assert from "node:assert/strict";
import { GPU_SPECS, type GpuSpec } from "./gpu_specs.ts";
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
  console.log(
    "Compilation for NVIDIA GPUs is not tested: run deno task gpu --fetch cuda13-compiler",
  );
}

function withCompiler(name: string, fn: (t: Deno.TestContext) => Promise<void>): void {
  Deno.test({ name, ignore: !folder, fn });
}

const plugin = () => loadPlugin(found!.path);
const flags = gpuFlags({ cudaDataFolder: folder });

withCompiler("compileAhead() compiles every kernel", async () => {
  const { program } = await compileAhead(plugin(), GPU_SPECS.h200, allCases, {
    state: {},
    inputs: allInputs,
    flags,
    precision: "HIGHEST",
  });
  assert.ok(workOf(program).launches > 100);
});

for (const [name, gpu] of Object.entries<GpuSpec>(GPU_SPECS)) {
  withCompiler(
    `compileAhead() uses cuDNN's input gradients inside loops for ${name}`,
    async () => {
      const { program, memory } = await compileAhead(plugin(), gpu, langevinStep, {
        state: STATE,
        inputs: inputs(0),
        flags,
        precision: "DEFAULT",
      });
      const { libraryCalls } = workOf(program);
      assert.ok(libraryCalls["__cudnn$convBackwardInput"] >= 3, JSON.stringify(libraryCalls));
      const images = 4 * BATCH * 8 * 8;
      const weights = Object.values(STATE).reduce((sum, { data }) => sum + data.byteLength, 0);
      assert.equal(memory.arguments, weights + images + 4); // and the step counter
      assert.ok(memory.temporaries > images);
    },
  );
}

withCompiler("compileAhead() reports the compiler's error text", async () => {
  await assert.rejects(
    () =>
      compileAhead(plugin(), GPU_SPECS.h200, langevinStep, {
        state: STATE,
        inputs: inputs(0),
        flags: { xla_gpu_no_such_flag: true },
        precision: "DEFAULT",
      }),
    /^PjrtError: PJRT_Compile: .*xla_gpu_no_such_flag/,
  );
});

/**
 * Ahead-of-time compilation for a GPU that is not present: XLA's CUDA plugin needs a GPU to run a program but not to
 * compile it.
 *
 * @module
 */
import type { ArraySpec, PureFunction } from "../../core/types.ts";
import { type GpuSpec, targetConfig } from "./gpu_specs.ts";
import { type HloProgram, readHloProgram } from "./hlo_program.ts";
import type { Plugin } from "./pjrt_api.ts";
import { optimizedProgram } from "./pjrt_client.ts";
import { compileOptions, namedValues, programArgs, type XlaFlags } from "./pjrt_options.ts";
import { withHint } from "./pjrt_hint.ts";
import { emitStableHlo } from "./stablehlo.ts";
import type { Precision } from "./stablehlo_writer.ts";
import { trace } from "../graph/trace.ts";

/** Options of a compilation. */
export interface AheadOptions {
  readonly state: Readonly<Record<string, ArraySpec>>;
  readonly inputs: Readonly<Record<string, ArraySpec>>;
  readonly flags: XlaFlags;
  readonly precision: Precision;
}

/** A program compiled for a GPU that need not be present. */
export interface AheadProgram {
  /** Number of StableHLO operations; those inside a loop count once. */
  readonly nodes: number;
  /** Compilation time in seconds. */
  readonly compileSeconds: number;
  /** The program after XLA's optimizations. */
  readonly program: HloProgram;
  /** GPU memory in bytes: arguments, results that do not reuse an argument, and temporaries. */
  readonly memory: {
    readonly arguments: number;
    readonly results: number;
    readonly temporaries: number;
  };
}

/**
 * Compiles `fn` for `gpu` by XLA's CUDA plugin. Kernels are chosen without timing them, which would need the GPU.
 * Throws PjrtError, or Error with a hint.
 */
export function compileAhead(
  plugin: Plugin,
  gpu: GpuSpec,
  fn: PureFunction,
  options: AheadOptions,
): Promise<AheadProgram> {
  return withHint(() => compile(plugin, gpu, fn, options));
}

async function compile(
  plugin: Plugin,
  gpu: GpuSpec,
  fn: PureFunction,
  { state, inputs, flags, precision }: AheadOptions,
): Promise<AheadProgram> {
  const { text, nodeCount } = emitStableHlo(trace(fn, { state, inputs }), { precision });
  const options = namedValues({ target_config: targetConfig(gpu), topology: "1x1x1" });
  const topology = plugin.call("TopologyDescription_Create", { 32: options, 40: 2 }).word(48);
  try {
    const started = performance.now();
    const settings = compileOptions({ ...flags, xla_gpu_autotune_level: "0" });
    const executable = (await plugin.callAsync("Compile", {
      16: topology,
      24: programArgs(text),
      32: settings,
      40: settings.length,
    })).word(56);
    const compileSeconds = (performance.now() - started) / 1000;
    try {
      const memory = plugin.call("Executable_GetCompiledMemoryStats", { 16: executable });
      const [taken, results, aliased, temporaries] = [32, 40, 48, 56].map((at) =>
        Number(memory.word(at))
      );
      return {
        nodes: nodeCount,
        compileSeconds,
        program: readHloProgram(optimizedProgram(plugin, executable)),
        memory: { arguments: taken, results: results - aliased, temporaries },
      };
    } finally {
      plugin.call("Executable_Destroy", { 16: executable });
    }
  } finally {
    plugin.call("TopologyDescription_Destroy", { 16: topology });
  }
}

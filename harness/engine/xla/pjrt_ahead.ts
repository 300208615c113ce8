/**
 * Compiling for a card that is not here: XLA's CUDA plugin needs a card to run a program, not to compile one.
 *
 * @module
 */
import type { ArraySpec, PureFunction } from "../../core/types.ts";
import { type GpuCard, targetConfig } from "./gpu_specs.ts";
import { type HloProgram, readHloProgram } from "./hlo_program.ts";
import type { Plugin } from "./pjrt_api.ts";
import { optimizedProgram } from "./pjrt_client.ts";
import { compileOptions, namedValues, programArgs, type XlaFlags } from "./pjrt_options.ts";
import { withRemedy } from "./pjrt_hint.ts";
import { emitStableHlo } from "./stablehlo.ts";
import type { Precision } from "./stablehlo_writer.ts";
import { trace } from "../graph/trace.ts";

/** How to compile. */
export interface AheadOptions {
  readonly state: Readonly<Record<string, ArraySpec>>;
  readonly inputs: Readonly<Record<string, ArraySpec>>;
  readonly flags: XlaFlags;
  readonly precision: Precision;
}

/** A program compiled for a card, without the card. */
export interface AheadProgram {
  /** Operations of StableHLO, those inside loops once. */
  readonly nodes: number;
  /** Seconds that XLA took. */
  readonly compileSeconds: number;
  /** After XLA's optimisations. */
  readonly program: HloProgram;
  /** Bytes of the card's memory: arguments, results that take no argument's place, and what lies between. */
  readonly memory: {
    readonly arguments: number;
    readonly results: number;
    readonly temporaries: number;
  };
}

/**
 * Compiles `fn` for `card` by XLA's CUDA plugin; no timing chooses among kernels, for lack of a card to time them on.
 * Throws PjrtError, or Error with a remedy.
 */
export function compileAhead(
  plugin: Plugin,
  card: GpuCard,
  fn: PureFunction,
  options: AheadOptions,
): Promise<AheadProgram> {
  return withRemedy(() => compile(plugin, card, fn, options));
}

async function compile(
  plugin: Plugin,
  card: GpuCard,
  fn: PureFunction,
  { state, inputs, flags, precision }: AheadOptions,
): Promise<AheadProgram> {
  const { text, nodeCount } = emitStableHlo(trace(fn, { state, inputs }), { precision });
  const options = namedValues({ target_config: targetConfig(card), topology: "1x1x1" });
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

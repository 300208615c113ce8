/**
 * `deno task gpu:compile`: compiles a training step of every method with the paper's networks by XLA for an NVIDIA GPU that
 * need not be in this machine, and reports its kernels, calls of cuDNN, memory and memory traffic.
 *
 * @module
 */
import { GPU_SPECS, type GpuSpec } from "../engine/xla/gpu_specs.ts";
import { type HloWork, workOf } from "../engine/xla/hlo_program.ts";
import { gpuFlags } from "../engine/xla/pjrt.ts";
import { type AheadProgram, compileAhead } from "../engine/xla/pjrt_ahead.ts";
import { loadPlugin } from "../engine/xla/pjrt_api.ts";
import { cudaDataFolder, findCudaPlugin } from "../engine/xla/pjrt_find.ts";
import { METHODS } from "../../methods/mod.ts";
import { fail, runProgram } from "./programs.ts";
import { prepareStep } from "./training_step.ts";
import { readCounts, readNames, readOptions } from "./arguments.ts";
import { methodsNamed } from "./tables.ts";

const HELP = `Usage: deno task gpu:compile [options]

Compiles a training step of every method with XLA's CUDA plugin for an NVIDIA GPU that need not be in this machine,
and reports kernels, calls of cuDNN, memory, and the time at the GPU's full rates. No kernel is timed.

  --gpu NAME         ${Object.keys(GPU_SPECS).join(", ")} (default h200)
  --methods LIST     comma-separated names, or modules of your own: ./mine.ts; default all
  --highest          full float32 products, as --device cuda:highest; XLA rounds to TF32 by default
  --batch N          default 100
  --size 32|64       image size, 3 channels (default 32)
  --latent-dim N     default 64
  --json             one JSON line per method
  --help
`;

/** Facts about the compiled step of a method. */
export interface Compiled extends Pick<AheadProgram, "nodes" | "compileSeconds" | "memory"> {
  readonly method: string;
  /** The method's name in tables. */
  readonly label: string;
  readonly gpu: string;
  /** Floating-point operations per step; absent without a formula. */
  readonly flops?: number;
  readonly work: HloWork;
  /** Seconds per step at the GPU's full rates. */
  readonly fullRateSeconds?: number;
}

async function main(): Promise<void> {
  const options = readOptions(HELP, {
    gpu: { type: "string", default: "h200" },
    methods: { type: "string", default: Object.keys(METHODS).join() },
    highest: { type: "boolean", default: false },
    batch: { type: "string", default: "100" },
    size: { type: "string", default: "32" },
    "latent-dim": { type: "string", default: "64" },
    json: { type: "boolean", default: false },
  });
  const { batch, size, latentDim } = readCounts({
    batch: options.batch,
    size: options.size,
    latentDim: options["latent-dim"],
  });
  const methods = await methodsNamed(options.methods);
  const gpus = readNames(options.gpu, { kind: "GPU", known: Object.keys(GPU_SPECS) });
  if (gpus.length > 1) fail(`--gpu takes one name, got "${options.gpu}"`, 2);
  const gpu = GPU_SPECS[gpus[0] as keyof typeof GPU_SPECS];
  const compiler = openCompiler();
  const rows: Compiled[] = [];
  for (const [i, method] of methods.entries()) {
    const { name, label } = method;
    console.error(`${name} (${i + 1} of ${methods.length}) ...`);
    try {
      const training = prepareStep(method, {
        image: { height: size, width: size, channels: 3 },
        batchSize: batch,
        overrides: { latentDim },
      });
      const { nodes, compileSeconds, memory, program } = await compileAhead(
        compiler.plugin,
        gpu,
        training.fn,
        {
          state: await training.initial(),
          inputs: training.specs,
          flags: compiler.flags,
          precision: options.highest ? "HIGHEST" : "DEFAULT",
        },
      );
      const work = workOf(program);
      const { flops } = training;
      rows.push({
        method: name,
        label,
        gpu: gpu.label,
        nodes,
        compileSeconds,
        memory,
        flops,
        work,
        ...flops !== undefined && {
          fullRateSeconds: fullRateSeconds(gpu, { flops, work, highest: options.highest }),
        },
      });
      const needed = memory.arguments + memory.results + memory.temporaries;
      if (needed > gpu.memory) {
        console.error(
          `${name}: ${megabytes(needed)} do not fit into ${gpu.label}: choose a smaller --batch`,
        );
      }
      if (options.json) console.log(JSON.stringify(rows.at(-1)));
    } catch (error) {
      console.error(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      Deno.exitCode = 1;
    }
  }
  if (options.json || rows.length === 0) return;
  const precision = options.highest ? "float32 products" : "TF32 products";
  console.log(format(rows));
  console.log(
    `\n${gpu.label}; ${precision}; batch ${batch}, ${size}x${size}x3, latent ${latentDim}; PJRT ${compiler.plugin.version}`,
  );
}

/** Loads the plugin, with flags that locate its assembler; ends the program with one line if either is missing. */
function openCompiler() {
  const found = findCudaPlugin();
  const folder = found && cudaDataFolder(found);
  if (!found || !folder) {
    return fail(
      `${
        found ? "NVIDIA's assembler is missing beside the CUDA plugin" : "No CUDA plugin was found"
      }: run deno task gpu --fetch cuda13-compiler (260 MB)`,
      1,
    );
  }
  try {
    return { plugin: loadPlugin(found.path), flags: gpuFlags({ cudaDataFolder: folder }) };
  } catch (error) {
    return fail((error as Error).message, 1);
  }
}

/**
 * Seconds per step if every kernel ran at the full memory bandwidth of the GPU, and convolutions at the full rate of its
 * products where that takes longer. Real kernels reach neither and have launch overhead; cached data moves faster. An
 * estimate to compare programs, GPUs and measurements with.
 */
export function fullRateSeconds(
  gpu: GpuSpec,
  { flops, work, highest }: {
    readonly flops: number;
    readonly work: HloWork;
    readonly highest: boolean;
  },
): number {
  const computing = flops / (highest ? gpu.float32 : gpu.tf32);
  const moving = work.convolutionBytes / gpu.bandwidth;
  return Math.max(computing, moving) + (work.bytes - work.convolutionBytes) / gpu.bandwidth;
}

/** cuDNN functions by column. */
const CONVOLUTIONS = {
  "forward": ["__cudnn$convForward", "__cudnn$convBiasActivationForward"],
  "input gradient": ["__cudnn$convBackwardInput"],
  "filter gradient": ["__cudnn$convBackwardFilter"],
} as const;

/** Formats the table. */
export function format(rows: readonly Compiled[]): string {
  const header = [
    "method",
    "compile",
    "kernels",
    ...Object.keys(CONVOLUTIONS).map((name) => `cuDNN ${name}`),
    "state and inputs",
    "results and temporaries",
    "memory traffic",
    "TFLOP",
    "at full rates",
  ];
  const lines = rows.map(({ label, compileSeconds, memory, flops, work, fullRateSeconds }) => [
    label,
    `${compileSeconds.toFixed(1)} s`,
    String(work.launches),
    ...Object.values(CONVOLUTIONS).map((functions) =>
      String(functions.reduce((sum, name) => sum + (work.libraryCalls[name] ?? 0), 0))
    ),
    megabytes(memory.arguments),
    megabytes(memory.results + memory.temporaries),
    `${(work.bytes / 1e9).toFixed(2)} GB`,
    flops === undefined ? "–" : (flops / 1e12).toFixed(3),
    fullRateSeconds === undefined ? "–" : `${(fullRateSeconds * 1000).toFixed(2)} ms`,
  ]);
  return [header, header.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

if (import.meta.main) await runProgram(main);

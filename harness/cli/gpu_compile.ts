/**
 * `deno task gpu:compile`: a training step of every method at the paper's nets, compiled by XLA for an NVIDIA card that
 * need not be here: which kernels a step launches, which of cuDNN's functions, what memory it takes and moves.
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
import { fail } from "./programs.ts";
import { prepareStep } from "./training_step.ts";
import { readCounts, readNames, readOptions } from "./arguments.ts";

const HELP = `Usage: deno task gpu:compile [options]

Compiles a training step of every method for an NVIDIA card, which need not be here, by XLA's CUDA plugin:
kernels, calls of cuDNN, memory, and the time that the card's full rates would allow. No kernel is timed.

  --card NAME        ${Object.keys(GPU_SPECS).join(", ")} (default h200)
  --methods LIST     comma-separated; default all
  --highest          whole float32 products, as --device cuda:highest; XLA rounds to TF32 by default
  --batch N          default 100
  --size 32|64       image size, 3 channels (default 32)
  --latent-dim N     default 64
  --json             one JSON line a method
  --help
`;

/** What was compiled of a method. */
export interface Compiled extends Pick<AheadProgram, "nodes" | "compileSeconds" | "memory"> {
  readonly method: string;
  readonly card: string;
  /** Absent without a formula. */
  readonly flops?: number;
  readonly work: HloWork;
  /** Seconds a step at the card's full rates. */
  readonly fullRateSeconds?: number;
}

async function main(): Promise<void> {
  const words = readOptions({
    card: { type: "string", default: "h200" },
    methods: { type: "string", default: Object.keys(METHODS).join() },
    highest: { type: "boolean", default: false },
    batch: { type: "string", default: "100" },
    size: { type: "string", default: "32" },
    "latent-dim": { type: "string", default: "64" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  });
  if (words.help) return console.log(HELP);
  const { batch, size, latentDim } = readCounts({
    batch: words.batch,
    size: words.size,
    latentDim: words["latent-dim"],
  });
  const names = readNames(words.methods, { kind: "method", known: Object.keys(METHODS) });
  const cards = readNames(words.card, { kind: "card", known: Object.keys(GPU_SPECS) });
  if (cards.length > 1) fail("One card at a time: --card h200", 2);
  const card = GPU_SPECS[cards[0] as keyof typeof GPU_SPECS];
  const compiler = openCompiler();
  const rows: Compiled[] = [];
  for (const [i, name] of names.entries()) {
    console.error(`${name} (${i + 1} of ${names.length}) ...`);
    try {
      const training = prepareStep(METHODS[name], {
        image: { height: size, width: size, channels: 3 },
        batchSize: batch,
        overrides: { latentDim },
      });
      const { nodes, compileSeconds, memory, program } = await compileAhead(
        compiler.plugin,
        card,
        training.fn,
        {
          state: await training.initial(),
          inputs: training.specs,
          flags: compiler.flags,
          precision: words.highest ? "HIGHEST" : "DEFAULT",
        },
      );
      const work = workOf(program);
      const { flops } = training;
      rows.push({
        method: name,
        card: card.label,
        nodes,
        compileSeconds,
        memory,
        flops,
        work,
        ...flops !== undefined && {
          fullRateSeconds: fullRateSeconds(card, { flops, work, highest: words.highest }),
        },
      });
      const needed = memory.arguments + memory.results + memory.temporaries;
      if (needed > card.memory) {
        console.error(
          `${name}: ${megabytes(needed)} do not fit into ${card.label}: take a smaller batch`,
        );
      }
      if (words.json) console.log(JSON.stringify(rows.at(-1)));
    } catch (error) {
      console.error(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      Deno.exitCode = 1;
    }
  }
  if (words.json || rows.length === 0) return;
  const precision = words.highest ? "float32 products" : "TF32 products";
  console.log(format(rows));
  console.log(
    `\n${card.label}; ${precision}; batch ${batch}, ${size}x${size}x3, latent ${latentDim}; PJRT ${compiler.plugin.version}`,
  );
}

/** The plugin and the flags with which it finds its assembler; without them the program ends with one line. */
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
 * Seconds a step where every kernel runs at the full rate of the card's memory, and convolutions at that of its products
 * if that takes longer. Real kernels reach neither, and launches come on top; data that stays in the card's cache moves
 * faster. An estimate to compare programs and cards with, and to hold a measurement against.
 */
export function fullRateSeconds(
  card: GpuSpec,
  { flops, work, highest }: {
    readonly flops: number;
    readonly work: HloWork;
    readonly highest: boolean;
  },
): number {
  const computing = flops / (highest ? card.float32 : card.tf32);
  const moving = work.convolutionBytes / card.bandwidth;
  return Math.max(computing, moving) + (work.bytes - work.convolutionBytes) / card.bandwidth;
}

/** Functions of cuDNN as columns: each counts the calls of those whose names begin so. */
const CONVOLUTIONS = {
  "forward": ["__cudnn$convForward", "__cudnn$convBiasActivationForward"],
  "input gradient": ["__cudnn$convBackwardInput"],
  "filter gradient": ["__cudnn$convBackwardFilter"],
} as const;

/** The table. */
export function format(rows: readonly Compiled[]): string {
  const header = [
    "method",
    "compile",
    "kernels",
    ...Object.keys(CONVOLUTIONS).map((name) => `cuDNN ${name}`),
    "state and inputs",
    "more memory",
    "moved",
    "TFLOP",
    "at full rates",
  ];
  const lines = rows.map(({ method, compileSeconds, memory, flops, work, fullRateSeconds }) => [
    METHODS[method].label,
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

if (import.meta.main) await main();

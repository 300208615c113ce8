/**
 * `deno task bench:nodes`: where the time of a training step goes on the CPU, by ONNX operator, with one thread and with
 * several. Operators that do not gain from threads bound the step on larger machines.
 *
 * @module
 */
import { availableParallelism } from "node:os";
import { blockSize, compileOnnx, openOnnxRuntime } from "../engine/onnx/ort.ts";
import { readCounts, readOptions } from "./arguments.ts";
import { methodsNamed } from "./tables.ts";
import { prepareStep, readSettings, type TrainingStep, WARM_UPS } from "./training_step.ts";
import { fail, runProgram } from "./programs.ts";
import { type OperatorTimes, operatorTimes, scaledTime } from "./operator_times.ts";

/** Folder of the runtime's profiles, which are removed after reading. */
const FOLDER = "runs";
/** Threads of the larger machines whose steps are estimated. */
const LARGER = [4, 16, 64];

const HELP = `Usage: deno task bench:nodes [options]

Milliseconds of a training step by operator, with one thread and with several, as the runtime profiles them. Profiling itself
takes about a microsecond a node.

  --method NAME      default vae
  --steps N          profiled steps after ${WARM_UPS} warm-ups (default 10)
  --threads N        default all cores
  --batch N          default 100
  --size 32|64       image size (default 32)
  --channels 1|3     grey or colour images (default 3)
  --latent-dim N     default 64
  --set KEY=VALUE    sets a hyperparameter, e.g. width=0.25`;

if (import.meta.main) await runProgram(main);

async function main(): Promise<void> {
  const options = readOptions(HELP, {
    method: { type: "string", default: "vae" },
    steps: { type: "string", default: "10" },
    threads: { type: "string", default: String(availableParallelism()) },
    batch: { type: "string", default: "100" },
    size: { type: "string", default: "32" },
    channels: { type: "string", default: "3" },
    "latent-dim": { type: "string", default: "64" },
    set: { type: "string", multiple: true, default: [] },
  });
  const { method, set } = options;
  const counts = readCounts({
    steps: options.steps,
    threads: options.threads,
    batch: options.batch,
    size: options.size,
    channels: options.channels,
    "latent-dim": options["latent-dim"],
  });
  const methods = await methodsNamed(method);
  if (methods.length !== 1) fail(`--method must name one method, got ${method}`, 2);
  if (counts.threads < 2) fail("--threads must be at least 2: one thread is always measured", 2);
  const step = prepareStep(methods[0], {
    image: { height: counts.size, width: counts.size, channels: counts.channels },
    batchSize: counts.batch,
    overrides: { latentDim: counts["latent-dim"], ...readSettings(set, methods) },
  });
  const one = await profile(step, { threads: 1, steps: counts.steps });
  const several = await profile(step, { threads: counts.threads, steps: counts.steps });
  console.log(format(one, several, counts.threads));
}

/** Profiles a step, compiled with `threads`. */
async function profile(
  step: TrainingStep,
  { threads, steps }: { readonly threads: number; readonly steps: number },
): Promise<OperatorTimes> {
  await Deno.mkdir(FOLDER, { recursive: true });
  const prefix = `profile-${crypto.randomUUID()}`;
  await using device = await openOnnxRuntime({ threads });
  const inputs = step.inputs();
  let state = await device.upload(await step.initial());
  {
    await using program = await compileOnnx(
      step.fn,
      { state: state.specs, inputs: step.specs },
      { threads, block: await blockSize(), profile: `${FOLDER}/${prefix}` },
    );
    for (let i = 0; i < WARM_UPS + steps; i++) {
      inputs.step.data[0] = i;
      ({ state } = await program.run(state, inputs));
    }
  }
  for await (const { name } of Deno.readDir(FOLDER)) {
    if (!name.startsWith(prefix)) continue;
    const text = await Deno.readTextFile(`${FOLDER}/${name}`);
    await Deno.remove(`${FOLDER}/${name}`);
    return operatorTimes(JSON.parse(text), { skip: WARM_UPS });
  }
  throw new Error(`The runtime wrote no profile to ${FOLDER}: is the folder writable?`);
}

/** Table by operator, slowest first, and the estimate for larger machines. */
function format(one: OperatorTimes, several: OperatorTimes, threads: number): string {
  const ms = (x: number) => x.toFixed(2);
  const rows = Object.entries(one).toSorted(([, a], [, b]) => b.ms - a.ms).map(
    ([op, { nodes, ms: t }]) => {
      const faster = several[op]?.ms ?? 0;
      return `| ${op} | ${nodes} | ${ms(t)} | ${ms(faster)} | ${(t / faster).toFixed(2)} |`;
    },
  );
  const total = (times: OperatorTimes) => Object.values(times).reduce((sum, { ms }) => sum + ms, 0);
  const estimates = LARGER.filter((count) => count > threads).map((count) => {
    const time = scaledTime(one, several, { measured: threads, threads: count });
    return `${count} threads ${ms(time)} ms, ${(total(one) / time / count).toFixed(2)} of linear`;
  });
  return [
    `| operator | nodes | ms, 1 thread | ms, ${threads} threads | gain |`,
    "|---|---|---|---|---|",
    ...rows,
    `| all | ${Object.values(one).reduce((sum, { nodes }) => sum + nodes, 0)} | ${
      ms(total(one))
    } | ${ms(total(several))} | ${(total(one) / total(several)).toFixed(2)} |`,
    "",
    `By Amdahl's law for each operator: ${estimates.join("; ")}`,
  ].join("\n");
}

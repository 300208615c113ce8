/**
 * `deno task threads`: compares the bits of training steps on the device `cpu` between numbers of threads: whether a run on
 * another number of threads is the same run.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { cpus } from "node:os";
import { parseCount } from "../core/arguments.ts";
import type { HostArrays, Method } from "../core/types.ts";
import { METHODS } from "../../methods/mod.ts";
import { openDevice } from "../engine/device.ts";
import { markdownTable } from "../../reports/markdown.ts";
import { readCounts, readOptions } from "./arguments.ts";
import { runProgram } from "./programs.ts";
import { methodsNamed } from "./tables.ts";
import { prepareStep } from "./training_step.ts";

const HELP = `Usage: deno task threads [options]

Trains every method for a few steps on the device cpu with 1 thread and with others, and says whether the bits of the state
are equal.

  --methods LIST   comma-separated names, or modules of your own: ./mine.ts; default all
  --threads LIST   numbers of threads to compare with 1; default 2,3,4,8
  --width FACTOR   of the networks, 1 is the paper's (default 0.25)
  --steps N        default 2
  --batch N        default 50
`;

const options = readOptions(HELP, {
  methods: { type: "string", default: Object.keys(METHODS).join() },
  threads: { type: "string", default: "2,3,4,8" },
  width: { type: "string", default: "0.25" },
  steps: { type: "string", default: "2" },
  batch: { type: "string", default: "50" },
});
await runProgram(main);

async function main(): Promise<void> {
  const counts = readCounts({ steps: options.steps, batch: options.batch });
  const threads = options.threads.split(",").map((text) => parseCount(text, "--threads"));
  const methods = await methodsNamed(options.methods);
  const rows: string[][] = [];
  for (const method of methods) {
    const setting = { ...counts, width: Number(options.width) };
    const alone = await stateAfter(method, { ...setting, threads: 1 });
    const row = [method.name];
    for (const count of threads) {
      const state = await stateAfter(method, { ...setting, threads: count });
      row.push(digestOf(state) === digestOf(alone) ? "equal" : "unlike");
    }
    rows.push(row);
  }
  console.log(markdownTable(["Method", ...threads.map((count) => `${count} threads`)], rows));
  console.log(
    `\nState after ${options.steps} steps against that with 1 thread, width ${options.width}, batch ${options.batch}, ` +
      `32x32x3; ${cpus()[0].model}`,
  );
}

/** The state of `method` after `steps` steps with `threads` threads. */
async function stateAfter(
  method: Method,
  { threads, steps, batch, width }: {
    readonly threads: number;
    readonly steps: number;
    readonly batch: number;
    readonly width: number;
  },
): Promise<HostArrays> {
  const prepared = prepareStep(method, {
    image: { height: 32, width: 32, channels: 3 },
    batchSize: batch,
    overrides: { width, posteriorSteps: 2, priorSteps: 2 },
  });
  await using device = await openDevice("cpu", { threads });
  let state = await device.upload(await prepared.initial());
  const specs = { state: state.specs, inputs: prepared.specs };
  await using program = await device.compile(prepared.fn, specs);
  for (let step = 0; step < steps; step++) {
    ({ state } = await program.run(state, prepared.inputs()));
  }
  return await device.download(state);
}

/** SHA-256 of the names and bytes of `arrays`. */
function digestOf(arrays: HostArrays): string {
  const hash = createHash("sha256");
  for (const [name, { data }] of Object.entries(arrays)) {
    hash.update(name).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest("hex");
}

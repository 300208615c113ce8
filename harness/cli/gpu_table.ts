/**
 * `deno task gpu:table`: makes the table of a GPU: a training step of every method in laebench (`bench:step`), in
 * PyTorch eager and compiled (`ci/peers/torch_steps.py`), and in laebench in deterministic mode, each beside the rate of
 * matrix products, and the functions of NVIDIA's libraries that XLA's step calls.
 *
 * Each measurement runs in a separate process and is saved immediately; the same command resumes after the saved ones.
 *
 * @module
 */
import { join } from "node:path";
import { METHODS } from "../../methods/mod.ts";
import { makeOutputFolder } from "../core/files.ts";
import { projectPath } from "../core/project.ts";
import { type Measured, toTable } from "./gpu_table_format.ts";
import { fail, runProgram } from "./programs.ts";
import { readCounts, readNames, readOptions } from "./arguments.ts";

const HELP = `Usage: deno task gpu:table [options]

Prints a table of the seconds per training step on a GPU, in laebench and in PyTorch.

  --device NAME         default cuda; cuda:highest compares without TF32
  --methods LIST        comma-separated; default all
  --modes LIST          modes of PyTorch: eager,compile (default both; "" for none); needs python3 with torch 2.13
  --deterministic LIST  methods to time also in deterministic mode (default lae,lebm; "" for none)
  --steps N             timed steps after two warm-ups (default 30)
  --batch N             default 100
  --product N           size of the matrices of the product (default 8192)
  --set KEY=NUMBER      width, posteriorSteps or priorSteps, for a trial at small sizes
  --minutes N           start no measurement after N minutes (default 60)
  --out FOLDER          folder for measurements (default runs/gpu)
`;

const options = readOptions(HELP, {
  device: { type: "string", default: "cuda" },
  methods: { type: "string", default: Object.keys(METHODS).join() },
  modes: { type: "string", default: "eager,compile" },
  deterministic: { type: "string", default: "lae,lebm" },
  steps: { type: "string", default: "30" },
  batch: { type: "string", default: "100" },
  product: { type: "string", default: "8192" },
  set: { type: "string", multiple: true, default: [] },
  minutes: { type: "string", default: "60" },
  out: { type: "string", default: "runs/gpu" },
});

/** A command whose last line of output is a measurement. */
interface Task {
  readonly engine: string;
  readonly method: string;
  readonly path: string;
  readonly args: readonly string[];
}

await runProgram(main);

async function main(): Promise<void> {
  const begun = performance.now();
  const { steps, batch, product, minutes: limit } = options;
  const { minutes } = readCounts({ steps, batch, product, minutes: limit });
  await makeOutputFolder(options.out);
  const path = join(options.out, "measurements.jsonl");
  const lines = (await Deno.readTextFile(path).catch(() => "")).split("\n").filter(Boolean);
  const measured: Measured[] = lines.map((line) => JSON.parse(line));
  const known = new Set(measured.map(keyOf));
  for (const task of await tasks()) {
    const { engine, method } = task;
    if (known.has(keyOf({ engine, method, settings: settings() }))) continue;
    if (performance.now() - begun > minutes * 60_000) {
      console.error(`Stopped after ${minutes} min: run the same command again to continue`);
      break;
    }
    console.error(`${method} by ${engine} ...`);
    const result = await measure(task);
    if (result === undefined) continue;
    const row = { engine, method, settings: settings(), ...result };
    measured.push(row);
    await Deno.writeTextFile(path, `${JSON.stringify(row)}\n`, { append: true });
  }
  const shown = measured.filter((row) => row.settings === settings());
  if (shown.length === 0) fail("All measurements failed: see the messages above", 1);
  const report = toTable(shown);
  console.log(report);
  await Deno.writeTextFile(join(options.out, "table.md"), `${report}\n`);
}

/** All measurements in order of priority: laebench, PyTorch eager, PyTorch compiled, laebench deterministic. */
async function tasks(): Promise<Task[]> {
  const methods = readNames(options.methods, { kind: "method", known: Object.keys(METHODS) });
  const common = ["--json", "--steps", options.steps, "--batch", options.batch].concat(
    ["--product", options.product],
    options.set.flatMap((setting) => ["--set", setting]),
  );
  const own = (device: string, engine: string) => (method: string): Task => ({
    engine,
    method,
    path: Deno.execPath(),
    args: ["task", "--quiet", "bench:step", "--device", device, "--methods", method, ...common],
  });
  const torch = (mode: string) => (method: string): Task => ({
    engine: `PyTorch ${mode}`,
    method,
    path: "python3",
    args: [
      projectPath("ci/peers/torch_steps.py"),
      ...["--device", isCuda() ? "cuda" : "cpu", "--methods", method, "--modes", mode],
      ...options.device.includes("highest") ? ["--highest"] : [],
      ...common,
    ],
  });
  const deterministic = namesOrNone(options.deterministic, "method", Object.keys(METHODS))
    .filter((method) => isCuda() && methods.includes(method));
  const name = `${options.device}${options.device.includes(":") ? "," : ":"}deterministic`;
  return [
    ...methods.map(own(options.device, "laebench")),
    ...(await torchModes()).flatMap((mode) => methods.map(torch(mode))),
    ...deterministic.map(own(name, "laebench deterministic")),
  ];
}

function namesOrNone(text: string, kind: string, known: readonly string[]): string[] {
  return text === "" ? [] : readNames(text, { kind, known });
}

/** The requested modes of PyTorch; empty, with a warning, if PyTorch is not installed. */
async function torchModes(): Promise<string[]> {
  const modes = namesOrNone(options.modes, "mode", ["eager", "compile"]);
  if (modes.length === 0) return [];
  const { success } = await run("python3", ["-c", "import torch"]);
  if (success) return modes;
  console.error(
    "PyTorch is skipped because the python3 on the PATH does not have it: pip install torch==2.13.0",
  );
  return [];
}

async function measure(
  { path, args, method, engine }: Task,
): Promise<Omit<Measured, "engine" | "method" | "settings"> | undefined> {
  const { success, stdout, stderr } = await run(path, args);
  const last = stdout.trim().split("\n").at(-1) ?? "";
  if (success && last.startsWith("{")) return JSON.parse(last);
  const reason = stderr.trim().split("\n").findLast((line) => !/failed: see/.test(line)) ?? "";
  console.error(`${method} by ${engine} failed: ${reason}`);
  Deno.exitCode = 1;
  return undefined;
}

async function run(path: string, args: readonly string[]) {
  try {
    const output = await new Deno.Command(path, { args: [...args] }).output();
    const [stdout, stderr] = [output.stdout, output.stderr].map((b) => new TextDecoder().decode(b));
    return { success: output.success, stdout, stderr };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return { success: false, stdout: "", stderr: `${path} was not found` };
  }
}

function keyOf({ engine, method, settings }: Pick<Measured, "engine" | "method" | "settings">) {
  return [engine, method, settings].join(" ");
}

/** Settings that the measurements of one table share. */
function settings(): string {
  const { device, steps, batch, product, set } = options;
  return [device, `${steps} steps of ${batch}`, `product ${product}`, ...set].join(", ");
}

function isCuda(): boolean {
  return options.device.split(":")[0] === "cuda";
}

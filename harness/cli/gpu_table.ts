/**
 * `deno task gpu:table`: the table of a GPU in one command: a training step of every method here (`bench:step`), in
 * PyTorch eager and compiled (`ci/peers/torch_steps.py`), and here with the same bits every time; the ceiling of matrix
 * products beside each, and which functions of NVIDIA's libraries XLA's step calls.
 *
 * Each measurement runs in a process of its own and is kept as soon as it is there; the same command goes on after them.
 *
 * @module
 */
import { join } from "node:path";
import { METHODS } from "../../methods/mod.ts";
import { projectPath } from "../core/project.ts";
import { type Measured, toTable } from "./gpu_table_format.ts";
import { fail } from "./programs.ts";
import { readCounts, readNames, readWords } from "./arguments.ts";

const HELP = `Usage: deno task gpu:table [options]

Seconds a training step on a GPU, here and in PyTorch, as a table.

  --device NAME         default cuda; cuda:highest compares without TF32
  --methods LIST        comma-separated; default all
  --modes LIST          of PyTorch: eager,compile (default both; "" for none); needs python3 with torch 2.13
  --deterministic LIST  methods to time in deterministic mode too (default lae,lebm; "" for none)
  --steps N             timed steps, after two warm-ups (default 30)
  --batch N             default 100
  --product N           size of the matrices of the product (default 8192)
  --set KEY=NUMBER      width, posteriorSteps or priorSteps, for a trial at small sizes
  --minutes N           start nothing more after so long (default 60)
  --out FOLDER          where measurements are kept (default runs/gpu)
`;

const words = readWords({
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
  help: { type: "boolean", default: false },
});

/** A command whose last line of output is a measurement. */
interface Task {
  readonly engine: string;
  readonly method: string;
  readonly path: string;
  readonly args: readonly string[];
}

if (words.help) console.log(HELP);
else await main();

async function main(): Promise<void> {
  const begun = performance.now();
  const { steps, batch, product, minutes: limit } = words;
  const { minutes } = readCounts({ steps, batch, product, minutes: limit });
  await Deno.mkdir(words.out, { recursive: true });
  const path = join(words.out, "measurements.jsonl");
  const lines = (await Deno.readTextFile(path).catch(() => "")).split("\n").filter(Boolean);
  const measured: Measured[] = lines.map((line) => JSON.parse(line));
  const known = new Set(measured.map(keyOf));
  for (const task of await tasks()) {
    const { engine, method } = task;
    if (known.has(keyOf({ engine, method, settings: settings() }))) continue;
    if (performance.now() - begun > minutes * 60_000) {
      console.error(`After ${minutes} min the rest is left; the same command goes on`);
      break;
    }
    console.error(`${method} by ${engine} ...`);
    const result = await measure(task);
    if (result === undefined) continue;
    const row = { engine, method, settings: settings(), ...result };
    measured.push(row);
    await Deno.writeTextFile(path, `${JSON.stringify(row)}\n`, { append: true });
  }
  const wanted = measured.filter((row) => row.settings === settings());
  if (wanted.length === 0) fail("Nothing was measured: see the messages above", 1);
  const report = toTable(wanted);
  console.log(report);
  await Deno.writeTextFile(join(words.out, "table.md"), `${report}\n`);
}

/** All measurements in the order of their worth: ours, PyTorch eager, compiled, ours deterministic. */
async function tasks(): Promise<Task[]> {
  const methods = readNames(words.methods, { kind: "method", known: Object.keys(METHODS) });
  const common = ["--json", "--steps", words.steps, "--batch", words.batch].concat(
    ["--product", words.product],
    words.set.flatMap((word) => ["--set", word]),
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
      ...words.device.includes("highest") ? ["--highest"] : [],
      ...common,
    ],
  });
  const deterministic = namesOrNone(words.deterministic, "method", Object.keys(METHODS))
    .filter((method) => isCuda() && methods.includes(method));
  const name = `${words.device}${words.device.includes(":") ? "," : ":"}deterministic`;
  return [
    ...methods.map(own(words.device, "laebench")),
    ...(await torchModes()).flatMap((mode) => methods.map(torch(mode))),
    ...deterministic.map(own(name, "laebench deterministic")),
  ];
}

function namesOrNone(text: string, kind: string, known: readonly string[]): string[] {
  return text === "" ? [] : readNames(text, { kind, known });
}

/** PyTorch's modes that were asked for, if PyTorch is here. */
async function torchModes(): Promise<string[]> {
  const modes = namesOrNone(words.modes, "mode", ["eager", "compile"]);
  if (modes.length === 0) return [];
  const { success } = await run("python3", ["-c", "import torch"]);
  if (success) return modes;
  console.error(
    "PyTorch is left out: the python3 on the PATH has no torch: pip install torch==2.13.0",
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

/** What measurements of one table have in common. */
function settings(): string {
  const { device, steps, batch, product, set } = words;
  return [device, `${steps} steps of ${batch}`, `product ${product}`, ...set].join(", ");
}

function isCuda(): boolean {
  return words.device.split(":")[0] === "cuda";
}

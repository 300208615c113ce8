/**
 * Sweeps of tiny runs, their processes, and their comparison with an undisturbed sweep.
 *
 * @module
 */
import { projectPath } from "../../harness/core/project.ts";
import type { RunRecord } from "../../harness/core/records.ts";
import type { HostArrays } from "../../harness/core/types.ts";
import { loadCheckpoint } from "../../harness/run/checkpoint_files.ts";
import { readResults } from "../../harness/sweep/store.ts";
import type { Tally } from "./tally.ts";

/** Arguments of bench for runs of a few epochs of 20 steps. */
export const TINY_RUN = [
  ...["bench", "--preset", "smoke", "--methods", "vae", "--threads", "1"],
  ...["--metrics", "fd_fashion", "--set", "vae.width=0.0625"],
  ...["--set", "vae.featureDim=16", "--set", "vae.latentDim=4"],
];

/** Two runs of four epochs, side by side, with a checkpoint after each step or nearly so. */
const SWEEP = [
  ...TINY_RUN,
  ...["--epochs", "4", "--seeds", "0..1", "--jobs", "2", "--checkpoint-seconds", "0.02"],
];

/** The command of a sweep in the folder `out`, with the permissions of `deno task bench`. */
export function sweepCommand(
  out: string,
  sweep: readonly string[] = SWEEP,
): { readonly path: string; readonly args: string[] } {
  const path = Deno.execPath();
  const permissions = [
    ...["--no-prompt", "--allow-read", "--allow-write", "--allow-ffi=node_modules", "--allow-env"],
    ...["--allow-sys", `--allow-run=${path},git`],
  ];
  const main = projectPath("harness/cli/main.ts");
  const config = `--config=${projectPath("deno.json")}`;
  return {
    path,
    args: ["run", "--quiet", ...permissions, config, main, ...sweep, "--out", out],
  };
}

/** How a process ended, with the last line that it wrote to standard error. */
export interface Ending {
  readonly code: number;
  readonly lastLine: string;
}

/** A sweep under way. */
export interface Sweep {
  readonly pid: number;
  readonly ended: Promise<Ending>;
}

/** Starts the sweep in `out`, with the variables `env` besides those of this process. */
export function startSweep(out: string, env: Readonly<Record<string, string>> = {}): Sweep {
  const { path, args } = sweepCommand(out);
  // Deno asks for the permission to run anything where a library is to be loaded into a program.
  const isPlain = env.LD_PRELOAD === undefined;
  const child = new Deno.Command(path, {
    args: isPlain ? args : args.map((arg) => arg.replace(/^--allow-run=.*/, "--allow-run")),
    env,
    cwd: projectPath("."),
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const ended = Promise.all([child.status, new Response(child.stderr).text()])
    .then(([{ code }, text]) => ({ code, lastLine: text.trim().split("\n").at(-1) ?? "" }));
  return { pid: child.pid, ended };
}

/** Runs the sweep in `out` to its end, with the variables `env`. Throws Error if it fails. */
export async function finishSweep(
  out: string,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { code, lastLine } = await startSweep(out, env).ended;
  if (code !== 0) throw new Error(`The sweep in ${out} ended with exit code ${code}: ${lastLine}`);
}

/** Whether processes can be listed here: minimal systems have no ps. */
export async function canListProcesses(): Promise<boolean> {
  try {
    return (await new Deno.Command("ps", { args: ["-ww", "-eo", "pid=,args="] }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Process ids of the runs in `out`. */
export async function runsIn(out: string): Promise<number[]> {
  const { stdout } = await new Deno.Command("ps", { args: ["-ww", "-eo", "pid=,args="] }).output();
  return new TextDecoder().decode(stdout).split("\n")
    .filter((line) => line.includes(` run ${out}/`)).map((line) => Number.parseInt(line));
}

/** Seconds after which a process without a parent counts as an orphan: it looks for its parent four times a second. */
const ORPHAN_SECONDS = 3;

/** Number of processes of runs in `out` that are still there a while after their parent is gone; kills them. */
export async function countOrphans(out: string): Promise<number> {
  const end = performance.now() + 1000 * ORPHAN_SECONDS;
  let pids = await runsIn(out);
  while (pids.length > 0 && performance.now() < end) {
    await pause(100);
    pids = await runsIn(out);
  }
  for (const pid of pids) killIfThere(pid);
  return pids.length;
}

/** Kills a process; nothing if it has ended. */
export function killIfThere(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound) && !(error instanceof TypeError)) throw error;
  }
}

/** Compares the finished sweep in `out` with the undisturbed one in `expected`. */
export async function compareSweeps(
  out: string,
  expected: string,
): Promise<Pick<Tally, "runsLost" | "duplicates" | "different">> {
  const completed = async (dir: string) =>
    (await readResults(dir)).records.filter(({ status }) => status === "completed");
  const found = await completed(out);
  let [runsLost, duplicates, different] = [0, 0, 0];
  for (const record of await completed(expected)) {
    const own = found.filter(({ id }) => id === record.id);
    if (own.length === 0) runsLost++;
    else {
      duplicates += own.length - 1;
      const [there, here] = [record, own[own.length - 1]].map(numbersOf);
      const weights = await Promise.all(
        [expected, out].map(async (dir) => bitsOf(await loadCheckpoint(`${dir}/${record.id}`))),
      );
      if (there !== here || weights[0] !== weights[1]) different++;
    }
  }
  return { runsLost, duplicates, different };
}

/** The numbers of a record that a fault must not change, as text. */
function numbersOf(record: RunRecord): string {
  const { epochs } = record;
  return JSON.stringify([
    record.status === "completed" && [record.scores, record.untrained, record.calibration],
    epochs.map(({ epoch, steps, metrics }) => [epoch, steps, metrics]),
  ]);
}

/** The arrays of a checkpoint as text. */
function bitsOf(
  checkpoint: { readonly state: HostArrays; readonly chains: HostArrays } | undefined,
): string {
  return JSON.stringify(
    [checkpoint?.state, checkpoint?.chains],
    (_, value) =>
      ArrayBuffer.isView(value)
        ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength).toHex()
        : value,
  );
}

/** Resolves after a while. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

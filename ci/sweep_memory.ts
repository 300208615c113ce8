/**
 * Memory of a sweep of many tiny runs: of the sweep's process after each run, and the peak of each run's process. Neither may grow
 * with the number of runs.
 *
 * `deno task test:memory`
 *
 * @module
 */
import { readOptions } from "../harness/cli/arguments.ts";
import { fail } from "../harness/cli/programs.ts";
import { parseCount } from "../harness/core/arguments.ts";
import { ifThere, readTextIfAny } from "../harness/core/files.ts";
import { projectPath } from "../harness/core/project.ts";
import { studentInterval } from "../harness/statistics/student.ts";
import { mean, median, sampleStd } from "../harness/statistics/summary.ts";
import { RESULTS_FILE } from "../harness/sweep/store.ts";
import { markdownTable } from "../reports/markdown.ts";
import { pause, sweepCommand, TINY_RUN } from "./faults/sweeps.ts";

const HELP = `Usage: deno task test:memory [options]

Runs a sweep of tiny runs and measures the memory of its process after each run, and the peak of each run's process. Exit code 1
if either grows with the number of runs. Needs Linux.

  --runs N   runs of the sweep (default 72, about five seconds each)
  --jobs N   runs at a time (default 2)
`;

/** Bytes of memory of a sweep. */
export interface SweepMemory {
  /** Of the sweep's process, after each run. */
  readonly parent: readonly number[];
  /** The peak of each run's process, in the order of their ends. */
  readonly children: readonly number[];
  /** Size of all records as text. */
  readonly records: number;
}

/** A comparison of the first with the last runs of a sweep, in bytes. */
export interface Growth {
  readonly first: number;
  readonly last: number;
  readonly growth: number;
  /** Largest growth of a sweep whose memory is flat. */
  readonly bound: number;
}

/** Bytes of JavaScript objects for each byte of a record as JSON: a small object takes some 100 bytes, its text 15. */
const OBJECTS = 8;

/** The two halves of V8's young generation, which are in use or not when memory is measured. */
const YOUNG_GENERATION = 2 * 16 * 2 ** 20;

/**
 * Growth of the sweep's process from the first third of the runs to the last, by their medians. It holds all records, so it may
 * grow by these and by what the garbage collector leaves.
 */
export function parentGrowth({ parent, records }: SweepMemory): Growth {
  const third = Math.floor(parent.length / 3);
  const [first, last] = [parent.slice(0, third), parent.slice(-third)].map(median);
  return { first, last, growth: last - first, bound: OBJECTS * records + YOUNG_GENERATION };
}

/** One-sided probability that runs whose memory is flat are taken for growing. */
const FALSE_ALARM = 1e-3;

/**
 * Growth of the peaks of the runs' processes from the first half of the runs to the last, by their means. The bound comes from
 * Student's distribution of the mean of the differences between run i and run i + n / 2.
 */
export function childGrowth({ children }: SweepMemory): Growth {
  const half = Math.floor(children.length / 2);
  const [first, last] = [children.slice(0, half), children.slice(-half)];
  const differences = last.map((value, i) => value - first[i]);
  const growth = mean(differences);
  const of = { mean: 0, std: sampleStd(differences), n: half };
  const [, bound] = studentInterval(of, 1 - 2 * FALSE_ALARM) ?? [0, Infinity];
  return { first: mean(first), last: mean(last), growth, bound };
}

/** Runs a sweep of `runs` tiny runs in the folder `out`, `jobs` at a time, and measures it. Throws Error if it fails. */
async function measure(out: string, { runs, jobs }: {
  readonly runs: number;
  readonly jobs: number;
}): Promise<SweepMemory> {
  const words = ["--seeds", `0..${runs - 1}`, "--jobs", `${jobs}`, "--epochs", "1"];
  const { path, args } = sweepCommand(out, [...TINY_RUN, ...words]);
  const sweep = new Deno.Command(path, { args, cwd: projectPath("."), stdout: "null" }).spawn();
  const ended = sweep.status;
  let hasEnded = false;
  ended.then(() => hasEnded = true);
  const parent: number[] = [];
  const peaks = new Map<number, number>();
  let records = "";
  while (!hasEnded) {
    const memory = await readMemory(sweep.pid, "VmRSS");
    records = await readTextIfAny(`${out}/${RESULTS_FILE}`) ?? "";
    const done = records.split("\n").length - 1;
    if (memory !== undefined) { while (parent.length < done) parent.push(memory); }
    for (const pid of await runsOf(sweep.pid, out)) {
      const peak = await readMemory(pid, "VmHWM");
      if (peak !== undefined) peaks.set(pid, peak);
    }
    await pause(50);
  }
  const { code } = await ended;
  if (code !== 0) throw new Error(`The sweep ended with exit code ${code}`);
  return {
    parent,
    children: [...peaks.values()],
    records: new TextEncoder().encode(records).length,
  };
}

/** Process ids of the runs in `out` that are children of the process `pid`; none if it has ended. */
async function runsOf(pid: number, out: string): Promise<number[]> {
  const children = await readProcess(`${pid}/task/${pid}/children`);
  const runs: number[] = [];
  for (const child of children.split(" ").filter((word) => word !== "").map(Number)) {
    if ((await readProcess(`${child}/cmdline`)).includes(`\0${out}/`)) runs.push(child);
  }
  return runs;
}

/** The file at `path` in /proc; empty if the process has ended. */
async function readProcess(path: string): Promise<string> {
  return await Deno.readTextFile(`/proc/${path}`).catch(() => "");
}

/** A size in the status of a process, in bytes; undefined if it has ended. */
async function readMemory(pid: number, field: "VmRSS" | "VmHWM"): Promise<number | undefined> {
  const status = await readProcess(`${pid}/status`);
  const found = new RegExp(`^${field}:\\s*(\\d+) kB$`, "m").exec(status);
  return found === null ? undefined : 1024 * Number(found[1]);
}

if (import.meta.main) {
  const options = readOptions(HELP, {
    runs: { type: "string", default: "72" },
    jobs: { type: "string", default: "2" },
  });
  const runs = parseCount(options.runs, "--runs");
  const jobs = parseCount(options.jobs, "--jobs");
  if (runs < 6) fail(`--runs must be >= 6, got ${runs}`, 2);
  if (!await ifThere(Deno.stat("/proc/self/task"))) fail("Memory is measured on Linux only", 1);
  const out = await Deno.makeTempDir({ prefix: "laebench_memory_" });
  try {
    const memory = await measure(out, { runs, jobs });
    const megabytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
    const rows = Object.entries({
      "the sweep, after each run": parentGrowth(memory),
      "the runs, at their peaks": childGrowth(memory),
    });
    console.log(markdownTable(
      [`MB, ${runs} runs`, "first", "last", "growth", "bound"],
      rows.map(([name, { first, last, growth, bound }]) => [
        name,
        ...[first, last, growth, bound].map(megabytes),
      ]),
    ));
    if (rows.some(([, { growth, bound }]) => growth > bound)) Deno.exitCode = 1;
  } finally {
    await Deno.remove(out, { recursive: true });
  }
}

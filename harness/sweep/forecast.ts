import { childCommand, permissionsOf } from "./child.ts";
import {
  estimateSweep,
  formatDuration,
  type Pace,
  paceKey,
  type Paces,
  pacesOf,
  stepsOfRun,
} from "../experiment/estimate.ts";
import { describeRun } from "./progress.ts";
import type { Tables } from "../experiment/spec.ts";
import type { RunRecord, RunSpec } from "../core/records.ts";

/**
 * Describes how long the runs `todo` will take and how that was estimated: from `records` of earlier runs and, with `probe`,
 * from the first steps of runs without any.
 */
export async function forecast(
  todo: readonly RunSpec[],
  { tables, jobs, records, probe, dataFolder, moduleFolders }: {
    readonly tables: Tables;
    readonly jobs: number;
    readonly records: readonly RunRecord[];
    readonly probe: boolean;
    readonly dataFolder: string | undefined;
    readonly moduleFolders?: readonly string[];
  },
): Promise<string> {
  const earlier = pacesOf(records);
  const distinct = [...new Map(todo.map((spec) => [paceKey(spec), spec])).values()];
  const unknown = distinct.filter((spec) => !earlier.has(paceKey(spec)));
  if (unknown.length > 0 && !probe) {
    return `${countRuns(todo.length)}, not all timed here before: ` +
      "the first epochs will show the remaining time, --dry-run --probe measures it";
  }
  const measured: Map<string, Pace> = new Map();
  for (const spec of unknown) {
    measured.set(paceKey(spec), await probePace(spec, { dataFolder, moduleFolders }));
  }
  const paces: Paces = new Map([...earlier, ...measured]);
  const runs = todo.map((spec) => ({
    key: paceKey(spec),
    steps: stepsOfRun(spec, tables.datasets[spec.dataset]),
  }));
  const { seconds = 0 } = estimateSweep(runs, { paces, jobs });
  const basis = distinct.map((spec) => {
    const key = paceKey(spec);
    const step = paces.get(key)?.secondsPerStep ?? 0;
    const source = measured.has(key) ? "first steps, timed now" : "earlier runs in this folder";
    return `  ${spec.method} ${spec.dataset}: ${step.toPrecision(3)} s per step (${source})`;
  });
  const scores = measured.size > 0 ? "; without the time to score the runs timed now" : "";
  return [
    `${countRuns(todo.length)} will take about ${
      formatDuration(seconds)
    } with --jobs ${jobs}${scores}:`,
    ...basis,
  ].join("\n");
}

/** Measures the pace of `spec` in a child process. */
async function probePace(
  spec: RunSpec,
  folders: Parameters<typeof permissionsOf>[1],
): Promise<Pace> {
  const { path, args } = childCommand(
    ["probe", JSON.stringify(spec)],
    permissionsOf(spec, folders),
  );
  const start = performance.now();
  const output = await new Deno.Command(path, { args: [...args], stderr: "piped" }).output();
  const stderr = new TextDecoder().decode(output.stderr).trim();
  if (!output.success) {
    throw new Error(
      `Timing the first steps of ${describeRun(spec)} failed: ${stderr.split("\n").at(-1)}`,
    );
  }
  const lastLine = new TextDecoder().decode(output.stdout).trim().split("\n").at(-1) ?? "";
  const { secondsPerStep, restSeconds, seconds } = JSON.parse(lastLine) as Pace & {
    readonly seconds: number;
  };
  const processStart = (performance.now() - start) / 1000 - seconds;
  return { secondsPerStep, restSeconds: restSeconds + processStart };
}

function countRuns(count: number): string {
  return count === 1 ? "1 run" : `${count} runs`;
}

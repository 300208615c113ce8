/**
 * The epochs of a run by the machine that trained them: a run that was resumed elsewhere has several.
 *
 * @module
 */
import type { EpochRecord, Machine, RunRecord } from "../../harness/core/records.ts";

/** Epochs that one machine trained. */
export interface TimedPart {
  readonly machine: Machine;
  /** Without the warm-ups, in their order; not empty. */
  readonly epochs: readonly EpochRecord[];
}

/** A machine, as tables show it: times of machines that read alike are comparable. */
export function describeMachine({ device, cpu, cores, jobs, os }: Machine): string {
  const runs = jobs === 1 ? "1 run at a time" : `${jobs} runs at a time`;
  return `${device}, ${cpu}, ${cores} cores, ${runs}, ${os}`;
}

/** The machines of a run in the order of its processes, each once; none where it has no provenance. */
export function machinesOf({ segments, provenance }: RunRecord): Machine[] {
  const all = segments?.map(({ machine }) => machine) ?? (provenance === null ? [] : [provenance]);
  return all.filter((machine, i) => all.findIndex((other) => isAlike(machine, other)) === i);
}

/** The epochs of `run` that count, by machine. An epoch that two processes shared is a warm-up of the second. */
export function timedParts(run: RunRecord): TimedPart[] {
  const segments = run.segments ??
    (run.provenance === null ? [] : [{ epoch: 0, machine: run.provenance }]);
  const parts: { readonly machine: Machine; readonly epochs: EpochRecord[] }[] = [];
  for (const epoch of run.epochs) {
    const machine = segments.findLast((segment) => segment.epoch <= epoch.epoch)?.machine;
    if (epoch.warmup || machine === undefined) continue;
    const part = parts.find((part) => isAlike(part.machine, machine));
    if (part === undefined) parts.push({ machine, epochs: [epoch] });
    else part.epochs.push(epoch);
  }
  return parts;
}

function isAlike(a: Machine, b: Machine): boolean {
  return describeMachine(a) === describeMachine(b);
}

/** Seconds of the epochs of `part`. */
export function secondsOf({ epochs }: TimedPart): number[] {
  return epochs.map(({ seconds }) => seconds);
}

/**
 * Largest ratio of the slowest epoch to the fastest on a machine that does nothing else: the epochs of a run do equal work. A
 * wider range says that other programs took a part of the machine, unknown for each epoch.
 */
export const STEADY_RANGE = 1.3;

/** Whether the range of `seconds` is too wide for a machine that did nothing else. */
export function isBusy(seconds: readonly number[]): boolean {
  return Math.max(...seconds) > STEADY_RANGE * Math.min(...seconds);
}

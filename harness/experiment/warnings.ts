import { modelOf, type Tables } from "./spec.ts";
import type { RunSpec } from "../core/records.ts";
import { UsageError } from "../core/arguments.ts";

/** Warnings of the models of `specs`, one line each, without repetitions over seeds. */
export function warningsOf(specs: readonly RunSpec[], tables: Tables): string[] {
  const lines = specs.flatMap((spec) => {
    const model = modelOf(spec, tables);
    return (model.warnings ?? []).map((text) => `${spec.method} on ${spec.dataset}: ${text}`);
  });
  return [...new Set(lines)];
}

/** A line about more threads than cores, which wait for each other in turn; undefined if they fit. */
export function threadsWarning(
  { device, threads, jobs, cores }: {
    readonly device: string;
    readonly threads: number;
    readonly jobs: number;
    readonly cores: number;
  },
): string | undefined {
  if (device !== "cpu" || threads * jobs <= cores) return undefined;
  const each = `${threads} thread${threads === 1 ? "" : "s"}`;
  const asked = jobs === 1 ? each : `${jobs} runs of ${each}`;
  return `${asked} on ${cores} cores: threads that wait for each other make runs many times slower; at most --threads ${
    Math.max(1, Math.floor(cores / jobs))
  } is advised`;
}

/** Throws UsageError if `strict` is set and there are warnings. */
export function refuseIfStrict(warnings: readonly string[], strict: boolean): void {
  if (strict && warnings.length > 0) {
    throw new UsageError(`Refused by --strict: ${warnings.join("; ")}`);
  }
}

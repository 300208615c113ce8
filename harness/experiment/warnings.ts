import { problemOf, type Tables } from "./spec.ts";
import type { RunSpec } from "../core/types.ts";
import { UsageError } from "../core/arguments.ts";

/** What the methods have to say against the settings of `specs`: a line each, said once for all seeds. */
export function adviceOn(specs: readonly RunSpec[], tables: Tables): string[] {
  const lines = specs.flatMap((spec) => {
    const method = tables.methods[spec.method];
    const problem = problemOf(spec, tables.datasets[spec.dataset]);
    return (method.warnings?.(problem, spec.hyper) ?? []).map((text) =>
      `${spec.method} on ${spec.dataset}: ${text}`
    );
  });
  return [...new Set(lines)];
}

/** Throws UsageError where `strict` and the methods warn. */
export function refuseIfStrict(advice: readonly string[], strict: boolean): void {
  if (strict && advice.length > 0) {
    throw new UsageError(`Refused by --strict: ${advice.join("; ")}`);
  }
}

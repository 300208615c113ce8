import { modelOf, type Tables } from "./spec.ts";
import type { RunSpec } from "../core/types.ts";
import { UsageError } from "../core/arguments.ts";

/** Warnings of the models of `specs`, one line each, without repetitions over seeds. */
export function warningsOf(specs: readonly RunSpec[], tables: Tables): string[] {
  const lines = specs.flatMap((spec) => {
    const model = modelOf(spec, tables);
    return (model.warnings ?? []).map((text) => `${spec.method} on ${spec.dataset}: ${text}`);
  });
  return [...new Set(lines)];
}

/** Throws UsageError if `strict` is set and there are warnings. */
export function refuseIfStrict(warnings: readonly string[], strict: boolean): void {
  if (strict && warnings.length > 0) {
    throw new UsageError(`Refused by --strict: ${warnings.join("; ")}`);
  }
}

import type { ToyRow } from "../core/toy_report.ts";
import type { Gates } from "./gates.ts";
import type { ScoredRun } from "./score_run.ts";
import { TOY_METRICS } from "./toy_metrics.ts";

/** The rows of scored draws and `known` rows beside them, in the order of tables. */
export function metricRows(
  { scores, exact, predicted }: Pick<ScoredRun, "scores" | "exact" | "predicted">,
  { names, gates, known }: {
    readonly names: Pick<ToyRow, "experiment" | "sampler">;
    readonly gates: Gates;
    readonly known: readonly ToyRow[];
  },
): ToyRow[] {
  return TOY_METRICS.flatMap(({ name }): ToyRow[] => {
    if (!(name in scores)) return known.filter(({ metric }) => metric === name);
    const value = scores[name];
    const gate = gates[name];
    return [{
      ...names,
      metric: name,
      value: finiteOrNull(value),
      exact: exact[name]?.mean ?? null,
      error: predicted[name]?.std ?? null,
      low: finiteOrNull(gate?.low),
      high: finiteOrNull(gate?.high),
      verdict: !gate ? "shown" : value >= gate.low && value <= gate.high ? "pass" : "fail",
    }];
  });
}

function finiteOrNull(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}

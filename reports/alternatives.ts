/**
 * Rows of the other ways to sample a trained model: each follows the row of its method, and shares its training.
 *
 * @module
 */
import type { Run } from "./conditions.ts";
import type { RowRuns } from "./rows.ts";

/** A row of `rowsOf`, or of an alternative of its runs. */
export interface AlternativeRow extends RowRuns {
  /** Null for samples drawn in the method's own way. */
  readonly alternative: { readonly name: string; readonly label: string } | null;
}

/** `row`, then a row for each alternative that its runs were sampled in. */
export function withAlternatives(row: RowRuns): AlternativeRow[] {
  const labels = new Map(
    row.runs.flatMap((run) =>
      run.status === "completed"
        ? Object.entries(run.alternatives ?? {}).map(([name, { label }]) => [name, label] as const)
        : []
    ),
  );
  return [
    { ...row, alternative: null },
    ...[...labels].map(([name, label]) => ({
      ...row,
      alternative: { name, label },
      runs: row.runs.map((run) => sampledIn(name, run)),
    })),
  ];
}

/** `run` with the scores of its alternative `name`, and without what belongs to the method's own row. */
function sampledIn(name: string, run: Run): Run {
  if (run.status !== "completed") return run;
  const {
    alternatives,
    scores: _own,
    untrained: _ownUntrained,
    families: _ownFamilies,
    bounds: _bounds,
    reconstructionError: _reconstructionError,
    fitError: _fitError,
    anomaly: _anomaly,
    inpainting: _inpainting,
    diagnostics: _diagnostics,
    priorCheck: _priorCheck,
    ...rest
  } = run;
  const { scores, untrained, families, error } = alternatives?.[name] ??
    { scores: {}, untrained: {} };
  if (error !== undefined) return { ...rest, status: "failed", error };
  return { ...rest, scores, untrained, ...families && { families } };
}

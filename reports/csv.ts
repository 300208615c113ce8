import type { RunRecord } from "../harness/core/records.ts";
import { median } from "../harness/statistics/summary.ts";

type Value = string | number | boolean | null | undefined;

/**
 * One line a run, in the order of `records`, with a column for every setting, score and hyperparameter that any run has; empty
 * where a run has none. Numbers are whole, not rounded. RFC 4180, with line feeds.
 */
export function toCsv(records: readonly RunRecord[]): string {
  const rows = records.map(rowOf);
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = rows.map((row) => columns.map((name) => fieldOf(row[name])).join());
  return [columns.map(fieldOf).join(), ...lines, ""].join("\n");
}

function rowOf(record: RunRecord): Readonly<Record<string, Value>> {
  const { id, experiment, spec, status, epochs, seconds, provenance, startedAt } = record;
  const { method, dataset, seed, hyper, metrics: _metrics, modules: _modules, ...settings } = spec;
  const steady = epochs.filter(({ warmup }) => !warmup).map((epoch) => epoch.seconds);
  const completed = record.status === "completed" ? record : undefined;
  return {
    id,
    experiment,
    method,
    dataset,
    seed,
    status,
    ...settings,
    ...prefixed("score", completed?.scores),
    ...prefixed("untrained", completed?.untrained),
    ...prefixed("decoded", completed?.decodedScores),
    reconstructionError: completed?.reconstructionError,
    secondsPerEpoch: steady.length === 0 ? undefined : median(steady),
    ...prefixed("seconds", { ...seconds }),
    ...prefixed("hyper", hyper),
    commit: provenance?.commit,
    code: provenance?.code?.sha256,
    machine: provenance?.cpu,
    startedAt,
  };
}

function prefixed(
  prefix: string,
  values: Readonly<Record<string, Value>> = {},
): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [`${prefix}.${name}`, value]),
  );
}

function fieldOf(value: Value): string {
  const text = String(value ?? "");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

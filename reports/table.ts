import type { RunRecord } from "../harness/core/types.ts";
import { freedomCell, ratioCells, reconstructionCell, scoreCell, timeCell } from "./cells.ts";
import {
  type MetricName,
  type Names,
  type ResultTable,
  type Row,
  TABLE_SCHEMA,
} from "./document/result_table.ts";
import {
  collectHyper,
  collectProvenance,
  collectSettings,
  describeDifference,
  separateVariants,
} from "./settings.ts";

/** The table of `records`, of which each id must occur once. */
export function buildTable(records: readonly RunRecord[], names: Names): ResultTable {
  const datasets = inOrder(records.map(({ spec }) => spec.dataset), names.datasets)
    .map((name) => ({ name, label: labelOf(names.datasets, name) }));
  const metricNames = inOrder(records.flatMap(({ spec }) => spec.metrics), names.metrics);
  const methods = inOrder(records.map(({ spec }) => spec.method), names.methods);
  const rows = methods.flatMap((method) => {
    const own = records.filter(({ spec }) => spec.method === method);
    const groups = separateVariants(own);
    return groups.map((group, i): Row => ({
      method,
      label: labelOf(names.methods, method),
      description: names.methods.find(({ name }) => name === method)?.description ?? "",
      variant: i === 0 ? "" : describeDifference(group[0].spec, groups[0][0].spec),
      scores: datasets.flatMap((dataset) =>
        metricNames.map((metric) => scoreCell(group, { metric, dataset: dataset.name }))
      ),
      times: datasets.flatMap((dataset) => timeCell(group, dataset.name)),
      reconstructions: datasets.flatMap(({ name }) => reconstructionCell(group, name)),
      freedom: datasets.flatMap((dataset) => freedomCell(group, dataset.name)),
    }));
  });
  const count = (ended: RunRecord["status"]) =>
    records.filter(({ status }) => status === ended).length;
  return {
    schema: TABLE_SCHEMA,
    experiments: distinct(records.map(({ experiment }) => experiment)),
    datasets,
    metrics: metricNames.map((name) => metricName(name, names)),
    rows,
    ratios: datasets.flatMap(({ name }) => ratioCells(rows, name)),
    settings: collectSettings(records),
    hyper: collectHyper(records, methods),
    provenance: collectProvenance(records),
    runs: {
      completed: count("completed"),
      diverged: count("diverged"),
      failed: count("failed"),
      interrupted: count("interrupted"),
    },
  };
}

function metricName(name: string, { metrics }: Names): MetricName {
  const known = metrics.find((metric) => metric.name === name);
  const { label = name, better = "lower", importanceSamples } = known ?? {};
  return { name, label, better, ...importanceSamples !== undefined && { importanceSamples } };
}

/** The distinct ones of `present`: first those of `table` in its order, then strangers as they come. */
function inOrder(
  present: readonly string[],
  table: readonly { readonly name: string }[],
): string[] {
  const found = new Set(present);
  const known = table.map(({ name }) => name).filter((name) => found.has(name));
  return [...new Set([...known, ...found])];
}

function labelOf(
  table: readonly { readonly name: string; readonly label: string }[],
  name: string,
): string {
  return table.find((entry) => entry.name === name)?.label ?? name;
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)];
}

import type { AnnealedResult } from "../harness/core/annealed.ts";
import type { RunRecord, RunSpec } from "../harness/core/records.ts";
import { chainHealthCells } from "./chain_health_cells.ts";
import { densityCells } from "./density_cells.ts";
import { annealedCells } from "./annealed_cells.ts";
import { calibrationCells } from "./calibration_cells.ts";
import type { MissingRun, Run } from "./conditions.ts";
import {
  type MetricName,
  type Names,
  type ResultTable,
  type Row,
  TABLE_SCHEMA,
} from "./document/result_table.ts";
import { type AlternativeRow, withAlternatives } from "./alternatives.ts";
import type { RowRecords } from "./page/content.ts";
import { priorCheckCell } from "./prior_check_cells.ts";
import { rowsOf } from "./rows.ts";
import { realCells, sampleCells } from "./sample_cells.ts";
import {
  amortizationCell,
  anomalyCells,
  fitCells,
  inpaintingCells,
  reconstructionCell,
  type RunList,
  scoreCell,
} from "./seed_cells.ts";
import { collectHyper, collectProvenance, collectSettings } from "./settings.ts";
import { ratioCells, timingsOf } from "./time_cells.ts";

/** A run that an experiment asks for. */
export interface ListedRun {
  readonly id: string;
  readonly spec: RunSpec;
}

/** The table of `records`, and the records behind each of its rows. */
export interface Results {
  readonly table: ResultTable;
  readonly rows: readonly RowRecords[];
}

/**
 * The results of `records`, of which each id must occur once. `runList` has the runs that were asked for, so that the table
 * can say which are missing; null where that is not known.
 */
export function buildResults(
  records: readonly RunRecord[],
  { names, runList, likelihoods = [] }: {
    readonly names: Names;
    readonly runList: readonly ListedRun[] | null;
    /** Of `deno task likelihood`, for any of the runs. */
    readonly likelihoods?: readonly AnnealedResult[];
  },
): Results {
  const recorded = new Set(records.map(({ id }) => id));
  const missing = (runList ?? []).filter(({ id }) => !recorded.has(id))
    .map(({ id, spec }): MissingRun => ({ status: "missing", id, spec, provenance: null }));
  const runs: readonly Run[] = [...records, ...missing];
  const datasets = inOrder(runs.map(({ spec }) => spec.dataset), names.datasets)
    .map((name) => ({ name, label: labelOf(names.datasets, name) }));
  const metrics = inOrder(runs.flatMap(({ spec }) => spec.metrics), names.metrics)
    .map((name) => metricName(name, names));
  const methods = inOrder(runs.map(({ spec }) => spec.method), names.methods);
  const listed: RunList = runList === null ? null : new Set(runList.map(({ id }) => id));
  const grouped = methods.flatMap((method) => rowsOf(method, runs)).flatMap(withAlternatives)
    .map((row) => ({ ...row, key: keyOf(row) }));
  const timings = grouped.filter(isOwn).flatMap(({ key, runs }) =>
    datasets.flatMap(({ name }) => timingsOf(runs, { row: key, dataset: name }))
  );
  const rows = grouped.map(({ key, method, variant, alternative, runs }): Row => {
    const cells = datasets.flatMap(({ name }) => {
      const own = runs.filter(({ spec }) => spec.dataset === name);
      return own.length === 0 ? [] : [{ dataset: name, runs: { runs: own, runList: listed } }];
    });
    return {
      key,
      method,
      label: alternative?.label ?? labelOf(names.methods, method),
      description: names.methods.find(({ name }) => name === method)?.description ?? "",
      variant,
      alternative: alternative?.name ?? null,
      scores: cells.flatMap(({ dataset, runs }) => {
        const scores = metrics.filter(alternative === null ? () => true : isOfSamples)
          .map(({ name }) => scoreCell(runs, { metric: name, dataset }));
        // The published numbers are of the method's own samples.
        return alternative === null ? scores : scores.map((s) => ({ ...s, published: null }));
      }),
      samples: cells.flatMap(({ dataset, runs }) => sampleCells(runs.runs, dataset)),
      ...alternative === null
        ? {
          times: timings.filter(({ row }) => row === key).map(({ cell }) => cell),
          reconstructions: cells.map(({ dataset, runs }) => reconstructionCell(runs, dataset)),
          anomaly: cells.flatMap(({ dataset, runs }) => anomalyCells(runs, dataset)),
          inpainting: cells.flatMap(({ dataset, runs }) => inpaintingCells(runs, dataset)),
          fits: cells.flatMap(({ dataset, runs }) => fitCells(runs, dataset)),
          calibration: cells.flatMap(({ dataset, runs }) => calibrationCells(runs.runs, dataset)),
          annealed: cells.flatMap(({ dataset, runs }) =>
            annealedCells(runs.runs, { dataset, likelihoods })
          ),
          amortization: cells.flatMap(({ dataset, runs }) => amortizationCell(runs, dataset)),
          densities: cells.flatMap(({ dataset, runs }) => densityCells(runs, dataset)),
          chainHealth: cells.flatMap(({ dataset, runs }) => chainHealthCells(runs, dataset)),
          priorCheck: cells.flatMap(({ dataset, runs }) => priorCheckCell(runs, dataset)),
        }
        : {
          times: [],
          reconstructions: [],
          fits: [],
          anomaly: [],
          inpainting: [],
          calibration: [],
          annealed: [],
          amortization: [],
          densities: [],
          chainHealth: [],
          priorCheck: [],
        },
    };
  });
  const count = (ended: RunRecord["status"]) =>
    records.filter(({ status }) => status === ended).length;
  const table: ResultTable = {
    schema: TABLE_SCHEMA,
    experiments: [...new Set(records.map(({ experiment }) => experiment))],
    datasets,
    metrics,
    rows,
    real: datasets.flatMap(({ name }) => realCells(records, name)),
    ratios: datasets.flatMap(({ name }) => ratioCells(rows, { timings, dataset: name })),
    settings: collectSettings(records),
    hyper: collectHyper(records, methods),
    provenance: collectProvenance(records),
    runs: {
      completed: count("completed"),
      diverged: count("diverged"),
      failed: count("failed"),
      interrupted: count("interrupted"),
    },
    runList: runList === null ? null : { asked: runList.length, missing: missing.length },
  };
  const recordsOf = grouped.map(({ alternative, runs }) => {
    const ids = new Set(alternative === null ? runs.map(({ id }) => id) : []);
    return records.filter(({ id }) => ids.has(id));
  });
  return { table, rows: rows.map((row, i) => ({ row, records: recordsOf[i] })) };
}

/** The key of a row: the method, its way of sampling unless it is its own, and what distinguishes it from other rows of both. */
function keyOf({ method, variant, alternative }: AlternativeRow): string {
  const name = alternative === null ? method : `${method} + ${alternative.name}`;
  return variant === "" ? name : `${name} (${variant})`;
}

/** Whether a row is of the method's own samples. */
function isOwn({ alternative }: AlternativeRow): boolean {
  return alternative === null;
}

/** Whether a metric judges samples, and not the model itself. */
function isOfSamples({ importanceSamples }: MetricName): boolean {
  return importanceSamples === undefined;
}

function metricName(name: string, { metrics }: Names): MetricName {
  const known = metrics.find((metric) => metric.name === name);
  const { label = name, better = "lower", importanceSamples, family } = known ?? {};
  return {
    name,
    label,
    better,
    ...importanceSamples !== undefined && { importanceSamples },
    ...family !== undefined && { family: family.name },
  };
}

/** The distinct ones of `present`: first those of `table` in its order, then the others as they come. */
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

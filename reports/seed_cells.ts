import { mean, median, sampleStd } from "../harness/statistics/summary.ts";
import type { BoundBasis, EpochRecord, RunRecord, RunSpec } from "../harness/core/types.ts";
import { PAPER_RATIOS, PAPER_SCORES, type Published } from "./published/paper.ts";
import { POSTER_SCORES } from "./published/poster.ts";
import type {
  FreedomCell,
  RatioCell,
  ReconstructionCell,
  Row,
  ScoreCell,
  TimeCell,
} from "./document/result_table.ts";
import { describeMachine } from "./settings.ts";

/** The score of a method on a data set, over the seeds of `group`. */
export function scoreCell(
  group: readonly RunRecord[],
  { metric, dataset }: {
    readonly metric: string;
    readonly dataset: string;
  },
): ScoreCell {
  const runs = group.filter(({ spec }) => spec.dataset === dataset)
    .toSorted((a, b) => a.spec.seed - b.spec.seed);
  const values: { seed: number; value: number; run: string }[] = [];
  const untrained: number[] = [];
  const bases: BoundBasis[] = [];
  const lost: { seed: number; why: string }[] = [];
  for (const record of runs) {
    const { seed } = record.spec;
    if (record.status === "completed" && record.scores[metric] !== undefined) {
      values.push({ seed, value: record.scores[metric], run: record.id });
      const basis = record.bounds?.[metric];
      if (basis !== undefined) bases.push(basis);
      if (record.untrained[metric] !== undefined) untrained.push(record.untrained[metric]);
    } else if (record.spec.metrics.includes(metric)) {
      lost.push({ seed, why: describeLoss(record) });
    }
  }
  const numbers = values.map(({ value }) => value);
  return {
    metric,
    dataset,
    mean: numbers.length === 0 ? null : mean(numbers),
    std: sampleStd(numbers),
    n: numbers.length,
    values,
    untrained: untrained.length === 0 ? null : mean(untrained),
    lost,
    basis: bases.toSorted((a, b) => b.standardError - a.standardError).at(0) ?? null,
    paper: runs.length === 0 ? null : publishedScore(runs[0].spec, metric),
  };
}

/** The paper's number for a run such as `spec`. The poster's are of pixels in 256 levels, no other law of them. */
function publishedScore({ method, dataset, hyper }: RunSpec, metric: string): Published | null {
  const discrete = hyper.likelihood === "discretized_logistic";
  const found = [...PAPER_SCORES, ...discrete ? POSTER_SCORES : []].find((score) =>
    score.method === method && score.dataset === dataset && score.metric === metric
  );
  return found === undefined ? null : { mean: found.mean, std: found.std };
}

function describeLoss(record: RunRecord): string {
  switch (record.status) {
    case "diverged":
      return `diverged in epoch ${record.epoch + 1}: ${record.metric} was not finite`;
    case "failed":
      return `failed: ${record.error}`;
    case "interrupted":
      return `interrupted after ${record.epochs.length} epochs`;
    case "completed":
      return "completed without this score";
  }
}

/** At most one cell: of the machine that measured the most epochs. */
export function timeCell(group: readonly RunRecord[], dataset: string): TimeCell[] {
  const byMachine = new Map<string, EpochRecord[]>();
  for (const record of group) {
    if (record.spec.dataset !== dataset || record.provenance === null) continue;
    const steady = record.epochs.filter(({ warmup }) => !warmup);
    if (steady.length === 0) continue;
    const machine = describeMachine(record.spec, record.provenance);
    byMachine.set(machine, [...byMachine.get(machine) ?? [], ...steady]);
  }
  const largest = [...byMachine].toSorted(([, a], [, b]) => b.length - a.length).at(0);
  if (largest === undefined) return [];
  const [machine, epochs] = largest;
  const seconds = epochs.map((epoch) => epoch.seconds);
  return [{
    dataset,
    median: median(seconds),
    min: Math.min(...seconds),
    max: Math.max(...seconds),
    n: seconds.length,
    machine,
  }];
}

/** At most one cell: the error of reconstructions over seeds. */
export function reconstructionCell(
  group: readonly RunRecord[],
  dataset: string,
): ReconstructionCell[] {
  const errors = group.flatMap((record) =>
    record.spec.dataset === dataset && record.status === "completed" &&
      record.reconstructionError !== undefined
      ? [record.reconstructionError]
      : []
  );
  if (errors.length === 0) return [];
  return [{ dataset, mean: mean(errors), std: sampleStd(errors), n: errors.length }];
}

/** At most one cell: what was measured of amortized chains, mean over seeds. */
export function freedomCell(group: readonly RunRecord[], dataset: string): FreedomCell[] {
  const found = group.flatMap((record) =>
    record.spec.dataset === dataset && record.status === "completed" && record.diagnostics
      ? [record.diagnostics]
      : []
  );
  if (found.length === 0) return [];
  const [{ features, rows, moves }] = found;
  const ratios = found.flatMap(({ varianceRatio }) =>
    varianceRatio === null ? [] : [varianceRatio]
  );
  return [{
    dataset,
    features,
    rows,
    rank: mean(found.map(({ rank }) => rank)),
    leverage: {
      mean: mean(found.map(({ leverage }) => leverage.mean)),
      min: mean(found.map(({ leverage }) => leverage.min)),
      max: mean(found.map(({ leverage }) => leverage.max)),
    },
    varianceRatio: ratios.length === 0 ? null : mean(ratios),
    moves,
    n: found.length,
  }];
}

/** The paper's ratios of seconds per epoch, from the first row of each method. */
export function ratioCells(rows: readonly Row[], dataset: string): RatioCell[] {
  const timeOf = (method: string) =>
    rows.find((row) => row.method === method)?.times.find((time) => time.dataset === dataset);
  return PAPER_RATIOS.flatMap(({ numerator, denominator, paper }) => {
    const above = timeOf(numerator);
    const below = timeOf(denominator);
    if (above === undefined && below === undefined) return [];
    const comparable = above !== undefined && above.machine === below?.machine;
    const ratio = comparable ? above.median / below.median : null;
    return [{ numerator, denominator, dataset, ratio, paper }];
  });
}

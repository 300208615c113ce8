import type { ChainHealth, Estimate, ImageChainHealth } from "../harness/core/records.ts";
import { judgeChain, VERDICTS } from "../harness/statistics/chain_health.ts";
import { mean } from "../harness/statistics/summary.ts";
import type { ChainHealthCell } from "./document/result_table.ts";
import type { CellRuns } from "./seed_cells.ts";

/** The health of the Langevin chains of one row on one data set, a cell each; none where no record has any. */
export function chainHealthCells({ runs }: CellRuns, dataset: string): ChainHealthCell[] {
  const found = runs.flatMap((run) => run.status === "completed" ? run.chainHealth ?? [] : []);
  const names = [...new Set(found.map(({ chain }) => chain))];
  return names.map((name) => cellOf(dataset, found.filter(({ chain }) => chain === name)));
}

/** One chain, seed by seed. */
function cellOf(dataset: string, seeds: readonly ChainHealth[]): ChainHealthCell {
  const judged = seeds.map(judgeChain);
  const worst =
    judged.toSorted((a, b) => VERDICTS.indexOf(b.verdict) - VERDICTS.indexOf(a.verdict))[0];
  const [{ chain, dimension, steps }] = seeds; // equal in all runs of a row
  const stabilities = seeds.flatMap(({ stability }) => stability ?? []);
  return {
    dataset,
    chain,
    dimension,
    steps,
    stepSize: mean(seeds.map(({ stepSize }) => stepSize)),
    stability: stabilities.length === 0 ? null : {
      quantile90: mean(stabilities.map(({ quantile90 }) => quantile90)),
      largest: Math.max(...stabilities.map(({ largest }) => largest)),
    },
    acceptance: pool(seeds.map(({ acceptance }) => acceptance)),
    drift: pool(seeds.map(({ drift }) => drift)),
    virial: pool(seeds.map(({ virial }) => virial)),
    images: poolImages(seeds.flatMap(({ images }) => images ?? [])),
    verdict: worst.verdict,
    reasons: worst.reasons,
    affected: judged.filter(({ verdict }) => verdict === worst.verdict).length,
    n: seeds.length,
  };
}

/** The mean over the seeds that have the number, with its standard error; null where none has. */
function pool(estimates: readonly (Estimate | null | undefined)[]): Estimate | null {
  const found = estimates.filter((estimate) => estimate !== null && estimate !== undefined);
  if (found.length === 0) return null;
  const errors = found.flatMap(({ standardError }) => standardError ?? []);
  return {
    mean: mean(found.map((estimate) => estimate.mean)),
    standardError: errors.length < found.length ? null : Math.hypot(...errors) / found.length,
  };
}

/** Means over the seeds of chains on images; null where there is none. */
function poolImages(seeds: readonly ImageChainHealth[]): ImageChainHealth | null {
  if (seeds.length === 0) return null;
  const over = (read: (one: ImageChainHealth) => number | null) => meanOfFound(seeds.map(read));
  return {
    energy: {
      data: pool(seeds.map(({ energy }) => energy.data)),
      start: pool(seeds.map(({ energy }) => energy.start)),
      end: pool(seeds.map(({ energy }) => energy.end)),
    },
    gradientNorm: {
      start: over(({ gradientNorm }) => gradientNorm.start),
      end: over(({ gradientNorm }) => gradientNorm.end),
    },
    saturated: {
      data: over(({ saturated }) => saturated.data),
      start: over(({ saturated }) => saturated.start),
      end: over(({ saturated }) => saturated.end),
    },
    distance: over(({ distance }) => distance),
  };
}

/** The mean of the numbers that are not null; null where all are. */
function meanOfFound(values: readonly (number | null)[]): number | null {
  const found = values.filter((value) => value !== null);
  return found.length === 0 ? null : mean(found);
}

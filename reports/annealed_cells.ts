import type { AnnealedResult } from "../harness/core/annealed.ts";
import { mean, sampleStd } from "../harness/statistics/summary.ts";
import type { Run } from "./conditions.ts";
import type { AnnealedCell } from "./document/result_table.ts";

/** The likelihoods of one row on one data set: a cell for each setting, over the seeds that have it. */
export function annealedCells(
  runs: readonly Run[],
  { dataset, likelihoods }: {
    readonly dataset: string;
    readonly likelihoods: readonly AnnealedResult[];
  },
): AnnealedCell[] {
  const ids = new Set(runs.map(({ id }) => id));
  const own = likelihoods.filter(({ id }) => ids.has(id));
  const kinds = [...new Set(own.map(({ settings }) => settingsKey(settings)))];
  return kinds.map((kind) => {
    const found = own.filter(({ settings }) => settingsKey(settings) === kind);
    const results = found.map(({ likelihood }) => likelihood);
    const normalisers = results.flatMap(({ normaliser }) => normaliser ?? []);
    const bounds = results.map(({ test, normaliser }) => test.mean - (normaliser?.upper.mean ?? 0));
    const gaps = results.map(({ simulated }) => simulated.gap);
    // log Z has one estimate for all images of a seed: its error adds to that of the mean over images.
    const chainsErrors = results.map(({ test, normaliser }) =>
      Math.hypot(test.standardError, normaliser?.upper.standardError ?? 0)
    );
    return {
      dataset,
      settings: found[0].settings,
      bound: { mean: mean(bounds), std: sampleStd(bounds), n: bounds.length },
      chainsError: rootMeanSquare(chainsErrors),
      imagesError: rootMeanSquare(results.map(({ test }) => test.imagesError)),
      largestError: Math.max(...results.map(({ test }) => test.largestError)),
      gap: {
        mean: mean(gaps.map((gap) => gap.mean)),
        standardError: rootMeanSquare(gaps.map(({ standardError }) => standardError)) /
          Math.sqrt(gaps.length),
      },
      normaliser: normalisers.length === 0 ? null : {
        lower: mean(normalisers.map(({ lower }) => lower.mean)),
        upper: mean(normalisers.map(({ upper }) => upper.mean)),
      },
      acceptance: mean(results.map(({ acceptance }) => acceptance)),
      dimensions: results[0].dimensions,
    };
  });
}

function settingsKey({ images, temperatures, chains }: AnnealedResult["settings"]): string {
  return [images, temperatures, chains].join(" ");
}

function rootMeanSquare(values: readonly number[]): number {
  return Math.sqrt(mean(values.map((v) => v * v)));
}

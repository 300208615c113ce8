import type { CalibrationTests } from "../harness/core/types.ts";
import { mean } from "../harness/statistics/summary.ts";
import { effectBand, LEVEL, smallestEffect } from "../harness/statistics/symmetry_tests.ts";
import type { Run } from "./conditions.ts";
import type { CalibrationCell, StatisticCell } from "./document/result_table.ts";

/** Calibration of one row on one data set: a cell for each way to draw z' that its runs have. */
export function calibrationCells(runs: readonly Run[], dataset: string): CalibrationCell[] {
  const found = runs.flatMap((run) =>
    run.status === "completed" && run.calibration !== undefined ? [run.calibration] : []
  );
  return (["infer", "fromTruth"] as const).flatMap((start) => {
    const ofSeeds = found.flatMap(({ [start]: tests }) => tests ?? []);
    if (ofSeeds.length === 0) return [];
    const [{ images, priorIsExact }] = found; // equal in all runs of a row
    return [{
      dataset,
      start,
      images,
      n: ofSeeds.length,
      rejected: ofSeeds.filter(isRejected).length,
      notFinite: ofSeeds.reduce((sum, { notFinite }) => sum + notFinite, 0),
      priorIsExact,
      band: effectBand(images),
      smallestEffect: smallestEffect(images),
      statistics: statisticCells(ofSeeds),
    }];
  });
}

function isRejected({ notFinite, tests }: CalibrationTests): boolean {
  return notFinite > 0 || tests === null || Object.values(tests).some(({ p }) => p < LEVEL);
}

function statisticCells(ofSeeds: readonly CalibrationTests[]): StatisticCell[] {
  const found = ofSeeds.flatMap(({ tests }) => tests === null ? [] : [tests]);
  return Object.keys(found[0] ?? {}).map((statistic) => {
    const tests = found.map((tests) => tests[statistic]);
    return {
      statistic,
      z: mean(tests.map(({ z }) => z)),
      effect: mean(tests.map(({ effect }) => effect)),
      p: Math.min(...tests.map(({ p }) => p)),
      signP: Math.min(...tests.map(({ signP }) => signP)),
      ties: tests.reduce((sum, { ties }) => sum + ties, 0),
      histogram: tests[0].histogram.map((_, bin) =>
        tests.reduce((sum, { histogram }) => sum + histogram[bin], 0)
      ),
    };
  });
}

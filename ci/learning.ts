/**
 * Tests whether methods learn: every completed run in an output folder must score better than its own untrained state
 * and than independent Gaussian pixels with the means and variances of its training images; where it records the error
 * of its reconstructions, that must fall over the epochs.
 *
 * `deno task learning [FOLDER]`, after `deno task bench`; FOLDER is runs/quick by default.
 *
 * @module
 */
import { readWords } from "../harness/cli/arguments.ts";
import { runProgram } from "../harness/cli/programs.ts";
import { entriesOf } from "../harness/cli/tables.ts";
import { fdFashion } from "../harness/metrics/fd_fashion.ts";
import { foldIn, keyOf, words } from "../harness/core/noise.ts";
import { createImageSet } from "../harness/core/image_set.ts";
import { scoreImages } from "../harness/run/scorer.ts";
import { userPath } from "../harness/core/project.ts";
import { latestRecords, readResults } from "../harness/sweep/store.ts";
import type { Dataset, ImageSet } from "../harness/core/types.ts";
import type { RunRecord, RunSpec } from "../harness/core/records.ts";
import { NONE } from "../reports/document/block.ts";
import { markdownTable } from "../reports/markdown.ts";

const METRIC = "fd_fashion";

const HELP = `Usage: deno task learning [FOLDER]

Tests whether methods learn: every completed run in FOLDER must score better than before training
and than independent Gaussian pixels, and its reconstructions must improve. Exit code 1 if one does not.

  FOLDER  output of deno task bench (default: runs/quick)
`;

/** Images of independent Gaussian pixels with the means and variances of the pixels of `set`, in 256 levels. */
export function pixelGaussian({ image, count, pixels }: ImageSet, samples: number): ImageSet {
  const size = image.height * image.width * image.channels;
  const [mean, square] = [new Float64Array(size), new Float64Array(size)];
  pixels.forEach((level, k) => {
    mean[k % size] += level / count;
    square[k % size] += level * level / count;
  });
  const radii = words(foldIn(keyOf(0), "radius"), 0, samples * size);
  const angles = words(foldIn(keyOf(0), "angle"), 0, samples * size);
  const drawn = Uint8Array.from({ length: samples * size }, (_, k) => {
    const p = k % size;
    const deviation = Math.sqrt(Math.max(0, square[p] - mean[p] ** 2));
    // The Box-Muller transform.
    const radius = Math.sqrt(-2 * Math.log((radii[k] + 1) * 2 ** -32));
    const level = mean[p] + deviation * radius * Math.cos(2 * Math.PI * angles[k] * 2 ** -32);
    return Math.round(Math.min(255, Math.max(0, level)));
  });
  return createImageSet({ image, pixels: drawn });
}

/** The score of `samples` images of independent Gaussian pixels on a data set. */
export async function pixelGaussianScore(dataset: Dataset, samples: number): Promise<number> {
  const reference = await fdFashion.reference(await dataset.load("test"));
  const images = pixelGaussian(await dataset.load("train"), samples);
  return await scoreImages(fdFashion, images, reference);
}

/** A run beside the scores that it must beat. */
export interface LearningRow {
  readonly run: string;
  readonly trained: number;
  readonly untrained: number;
  readonly pixelGaussian: number;
  /** Mean squared error of the reconstructions by epoch; empty for a method that records none. */
  readonly curve: readonly number[];
  readonly learned: boolean;
}

/** The completed runs among `records` that are scored before and after training, each beside `baseline` of its spec. */
export function learningRows(
  records: readonly RunRecord[],
  baseline: (spec: RunSpec) => number,
): LearningRow[] {
  return records.flatMap((record) => {
    if (record.status !== "completed") return [];
    const [trained, untrained] = [record.scores[METRIC], record.untrained[METRIC]];
    if (trained === undefined || untrained === undefined) return [];
    const { method, dataset, seed } = record.spec;
    const gaussian = baseline(record.spec);
    const curve = record.epochs.flatMap(({ metrics }) => metrics.squaredError ?? []);
    const falls = curve.length === 0 || curve.length > 1 && curve[curve.length - 1] < curve[0];
    return [{
      run: `${method} ${dataset} seed ${seed}`,
      trained,
      untrained,
      pixelGaussian: gaussian,
      curve,
      learned: trained < untrained && trained < gaussian && falls,
    }];
  });
}

async function main(): Promise<void> {
  const [given = "runs/quick"] = readWords(HELP, 1);
  const folder = userPath(given);
  const records = latestRecords((await readResults(folder)).records);
  if (records.length === 0) {
    throw new Error(`No results in ${folder}: create them with deno task bench --out ${folder}`);
  }
  const baselines = new Map<string, number>();
  const keyOfBaseline = ({ dataset, sampleCount }: RunSpec) => `${dataset} ${sampleCount}`;
  for (const { spec } of records.filter(({ spec }) => spec.metrics.includes(METRIC))) {
    const key = keyOfBaseline(spec);
    if (baselines.has(key)) continue;
    const { dataset } = await entriesOf(spec);
    baselines.set(key, await pixelGaussianScore(dataset, spec.sampleCount));
  }
  const rows = learningRows(records, (spec) => baselines.get(keyOfBaseline(spec)) ?? NaN);
  const round = (x: number) => String(Number(x.toPrecision(4)));
  console.log(markdownTable(
    ["run", "trained", "untrained", "Gaussian pixels", "squared error by epoch", ""],
    rows.map((row) => [
      row.run,
      round(row.trained),
      round(row.untrained),
      round(row.pixelGaussian),
      row.curve.map(round).join(" ") || NONE,
      row.learned ? "learned" : "did not learn",
    ]),
  ));
  if (rows.length === 0) {
    console.error(
      `No completed runs in ${folder} have ${METRIC} before and after training: deno task bench records it`,
    );
  }
  if (rows.length === 0 || rows.some(({ learned }) => !learned)) Deno.exitCode = 1;
}

if (import.meta.main) await runProgram(main);

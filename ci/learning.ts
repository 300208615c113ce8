/**
 * Whether methods learn: every completed run of an output folder must score better than its own untrained state and than
 * independent Gaussian pixels of the training images' means and variances, with an error that fell over its epochs.
 *
 * `deno task learning [FOLDER]`, after `deno task bench`; FOLDER is runs/quick by default.
 *
 * @module
 */
import { fashion4k } from "../datasets/fashion_4k.ts";
import { fdFashion } from "../harness/metrics/fd_fashion.ts";
import { foldIn, keyOf, words } from "../harness/core/noise.ts";
import { createImageSet } from "../harness/core/image_set.ts";
import { scoreImages } from "../harness/run/scorer.ts";
import { userPath } from "../harness/core/project.ts";
import { latestRecords, readResults } from "../harness/sweep/store.ts";
import type { ImageSet, RunRecord } from "../harness/core/types.ts";
import { markdownTable } from "../reports/markdown.ts";

const METRIC = "fd_fashion";

/** Images whose pixels are independent Gaussians with the means and variances of those of `set`, in 256 levels. */
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
    // Box and Muller's transform.
    const radius = Math.sqrt(-2 * Math.log((radii[k] + 1) * 2 ** -32));
    const level = mean[p] + deviation * radius * Math.cos(2 * Math.PI * angles[k] * 2 ** -32);
    return Math.round(Math.min(255, Math.max(0, level)));
  });
  return createImageSet({ image, pixels: drawn });
}

/** The score of independent Gaussian pixels on fashion_4k, for as many samples as a run draws. */
export async function pixelGaussianScore(samples: number): Promise<number> {
  const reference = await fdFashion.reference(await fashion4k.load("test"));
  const images = pixelGaussian(await fashion4k.load("train"), samples);
  return await scoreImages(fdFashion, images, reference);
}

/** A run beside what it has to beat. */
export interface LearningRow {
  readonly run: string;
  readonly trained: number;
  readonly untrained: number;
  readonly pixelGaussian: number;
  /** Mean squared error of the reconstructions by epoch. */
  readonly curve: readonly number[];
  readonly learned: boolean;
}

/** The completed runs among `records` that have the score, trained and not. */
export function learningRows(
  records: readonly RunRecord[],
  baseline: (samples: number) => number,
): LearningRow[] {
  return records.flatMap((record) => {
    if (record.status !== "completed") return [];
    const [trained, untrained] = [record.scores[METRIC], record.untrained[METRIC]];
    if (trained === undefined || untrained === undefined) return [];
    const { method, dataset, seed, sampleCount } = record.spec;
    const gaussian = baseline(sampleCount);
    const curve = record.epochs.map(({ metrics }) => metrics.squaredError);
    const falls = curve.length > 1 && curve[curve.length - 1] < curve[0];
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

if (import.meta.main) {
  const folder = userPath(Deno.args[0] ?? "runs/quick");
  const records = latestRecords((await readResults(folder)).records);
  const baselines = new Map<number, number>();
  for (const { spec: { sampleCount } } of records) {
    if (!baselines.has(sampleCount)) {
      baselines.set(sampleCount, await pixelGaussianScore(sampleCount));
    }
  }
  const rows = learningRows(records, (samples) => baselines.get(samples) ?? NaN);
  const round = (x: number) => String(Number(x.toPrecision(4)));
  console.log(markdownTable(
    ["run", "trained", "untrained", "Gaussian pixels", "squared error by epoch", ""],
    rows.map((row) => [
      row.run,
      round(row.trained),
      round(row.untrained),
      round(row.pixelGaussian),
      row.curve.map(round).join(" "),
      row.learned ? "learned" : "did not learn",
    ]),
  ));
  if (rows.length === 0) console.error(`No completed runs scored by ${METRIC} in ${folder}`);
  if (rows.length === 0 || rows.some(({ learned }) => !learned)) Deno.exitCode = 1;
}

/**
 * Computes all scores of a pair of image sets.
 *
 * @module
 */
import { shuffledRows } from "../../core/row_order.ts";
import { foldIn, keyOf } from "../../core/noise.ts";
import { type FeatureTable, growingTable } from "./feature_table.ts";
import type { Split } from "./feature_extractor.ts";
import type { Statistics } from "./feature_statistics.ts";
import { inceptionStatistics } from "./fid.ts";
import { fidInfinity, INFINITY_MINIMUM } from "./fid_infinity.ts";
import { frechetDistance } from "./frechet.ts";
import type { ImageSource } from "./image_source.ts";
import { CLASS_COUNT, FEATURE_COUNT } from "./inception_network.ts";
import { INCEPTION_SCORE_SPLITS, inceptionScore } from "./inception_score.ts";
import type { StoredInception } from "./inception_store.ts";
import { type Estimate, kernelInceptionDistance, kidOfAllImages, type Spread } from "./kid.ts";
import { neighbourOverlap, OVERLAP_MINIMUM } from "./neighbours.ts";
import type { Mode } from "./preprocess.ts";
import type { Origin, SavedStatistics } from "./statistics_file.ts";

/** Selection of scores besides the FID. */
export interface Wanted {
  readonly kid: boolean;
  readonly inceptionScore: boolean;
  readonly overlap: boolean;
  readonly fidInfinity: boolean;
}

/** One side of a comparison: its statistics and, if kept, its features and logits. */
export interface Described extends SavedStatistics {
  readonly name: string;
  /** Extensions of the image files, if known. */
  readonly formats: readonly string[];
  /** [n, 2048]; null if not kept or if the statistics come from a file. */
  readonly features: FeatureTable | null;
  /** [n, 1008]; null as for `features`. */
  readonly logits: FeatureTable | null;
}

/** Scores; absent if not selected. */
export interface Scores {
  readonly fid: number;
  readonly fidInfinity?: number;
  /** Over random subsets. */
  readonly kid?: Spread;
  /** Of all images at once; absent for fewer than 3 of either kind. */
  readonly kidOfAll?: Estimate;
  readonly inceptionScore?: Spread;
  readonly precision?: number;
  readonly recall?: number;
  readonly density?: number;
  readonly coverage?: number;
}

/** Runs the network on the images; `keep` selects which outputs to keep for further scores. */
export async function describeImages(
  source: ImageSource,
  { inception, mode, split, keep, progress }: {
    readonly inception: StoredInception;
    readonly mode: Mode;
    readonly split: Split;
    readonly keep: { readonly features: boolean; readonly logits: boolean };
    readonly progress: (done: number, of: number | null) => void;
  },
): Promise<Described> {
  const features = keep.features ? growingTable(FEATURE_COUNT, source.count) : null;
  const logits = keep.logits ? growingTable(CLASS_COUNT, source.count) : null;
  const saved = await inceptionStatistics(source, {
    inception,
    mode,
    split,
    watcher: {
      progress,
      features(pool3, logitsOfImage) {
        features?.add(pool3);
        logits?.add(logitsOfImage);
      },
    },
  });
  return {
    ...saved,
    name: source.name,
    formats: source.formats,
    features: features?.table() ?? null,
    logits: logits?.table() ?? null,
  };
}

/** Facts about one side of a comparison that are known before the network runs. */
export interface Side {
  readonly name: string;
  /** Number of images; null if unknown (statistics of other tools do not record it). */
  readonly count: number | null;
  /** Number of features of its statistics. */
  readonly dim: number;
  /** Whether it has images, of which features can be computed; false for a file of statistics. */
  readonly hasImages: boolean;
  readonly origin: Pick<Origin, "mode" | "weightsSha256"> | null;
}

/**
 * Throws Error if a selected score cannot be computed, so that nothing is computed in vain: for statistics where images are
 * needed, for too few images, and for statistics that do not compare.
 */
export function checkScorable(
  { samples, real, wanted }: {
    readonly samples: Side;
    readonly real: Side;
    readonly wanted: Wanted;
  },
): void {
  if (samples.dim !== real.dim) {
    throw new Error(
      `${samples.name} has ${samples.dim} features and ${real.name} has ${real.dim}: statistics of the same network are needed`,
    );
  }
  checkComparable(samples, real);
  const needs: [boolean, string, number, readonly Side[]][] = [
    [wanted.fidInfinity, "FID-infinity (--infinity)", INFINITY_MINIMUM, [samples]],
    [wanted.kid, "KID (--kid)", 2, [samples, real]],
    [wanted.inceptionScore, "Inception Score (--is)", INCEPTION_SCORE_SPLITS, [samples]],
    [wanted.overlap, "Precision and recall (--pr)", OVERLAP_MINIMUM, [samples, real]],
  ];
  for (const [isWanted, score, fewest, sides] of needs) {
    if (!isWanted) continue;
    for (const { name, count, hasImages } of sides) {
      if (!hasImages) {
        throw new Error(
          `${score} needs the images of ${name}: statistics suffice only for the FID`,
        );
      }
      if (count !== null && count < fewest) {
        throw new Error(
          `${score} needs at least ${fewest} images, got ${count} in ${name}: leave the option out, or add images`,
        );
      }
    }
  }
}

/** Scores, and a line for each selected score that failed. */
export interface Scored {
  readonly scores: Partial<Scores>;
  readonly failures: readonly string[];
}

/** Scores `samples` against `real`. A score that fails does not keep the others from being computed. */
export async function scorePair(
  samples: Described,
  real: Described,
  { wanted, seed, threads, progress }: {
    readonly wanted: Wanted;
    readonly seed: number;
    readonly threads: number;
    readonly progress: (what: string, done: number, of: number) => void;
  },
): Promise<Scored> {
  const scores: Partial<Scores> = {};
  const failures: string[] = [];
  const attempt = async (name: string, compute: () => Promise<Partial<Scores>>) => {
    try {
      Object.assign(scores, await compute());
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      failures.push(`${name} of ${samples.name} and ${real.name} failed: ${reason}`);
    }
  };
  const options = (what: string) => ({
    threads,
    progress: (done: number, of: number) => progress(what, done, of),
  });
  const kept = (table: FeatureTable | null): FeatureTable => {
    if (table) return table;
    throw new Error("features were not kept, statistics suffice only for the FID");
  };
  await attempt(
    "FID",
    () => Promise.resolve({ fid: frechetDistance(samples.statistics, real.statistics) }),
  );
  if (wanted.fidInfinity) {
    await attempt("FID-infinity", async () => {
      const line = await fidInfinity(kept(samples.features), real.statistics, {
        ...options("FID-infinity"),
        seed,
      });
      return { fidInfinity: line.intercept };
    });
  }
  if (wanted.kid) {
    await attempt("KID", async () => ({
      kid: await kernelInceptionDistance(kept(samples.features), kept(real.features), {
        ...options("KID"),
        seed,
      }),
    }));
    const fewest = Math.min(samples.features?.count ?? 0, real.features?.count ?? 0);
    if (fewest >= 3) {
      await attempt("KID of all images", async () => ({
        kidOfAll: await kidOfAllImages(
          kept(samples.features),
          kept(real.features),
          options("KID of all images"),
        ),
      }));
    }
  }
  if (wanted.overlap) {
    await attempt(
      "Precision and recall",
      () => neighbourOverlap(kept(samples.features), kept(real.features), options("Neighbours")),
    );
  }
  if (wanted.inceptionScore) {
    await attempt("Inception Score", () => {
      const logits = kept(samples.logits);
      const order = shuffledRows(foldIn(keyOf(seed), "inception_score"), 0, logits.count);
      return Promise.resolve({ inceptionScore: inceptionScore(logits, { order }) });
    });
  }
  return { scores, failures };
}

/** Throws Error if two sets of statistics have different modes or networks, so that their distance is meaningless. */
export function checkComparable(
  a: Pick<Side, "name" | "origin">,
  b: Pick<Side, "name" | "origin">,
): void {
  if (!a.origin || !b.origin) return;
  for (const key of ["mode", "weightsSha256"] as const) {
    if (a.origin[key] === b.origin[key]) continue;
    const difference = key === "mode" ? "mode" : "network weights";
    throw new Error(
      `${a.name} and ${b.name} were made with different ${difference} (${a.origin[key]}, ${
        b.origin[key]
      }): compute both with the same ${difference}`,
    );
  }
}

/** Extensions of lossy formats; WebP and TIFF may be either. */
const LOSSY = ["jpg", "jpeg"];

/** Warnings about the interpretation of the scores, one line each. */
export function warningsOf(
  samples: Described,
  real: Described,
  inception: StoredInception,
): string[] {
  const lines: string[] = [];
  for (const { name, statistics, origin } of [samples, real]) {
    const { count } = statistics;
    if (isConstant(statistics)) {
      lines.push(`all images of ${name} have the same features: their covariance is zero`);
    }
    if (origin === null) {
      lines.push(
        `${name} does not record its mode, weights or number of images: make sure that they match`,
      );
    } else if (count !== null && count <= FEATURE_COUNT) {
      lines.push(
        `${name} has ${count} images, no more than the ${FEATURE_COUNT} features: the covariance is singular and the FID far above its limit; KID is unbiased`,
      );
    } else if (count !== null && count < 10_000) {
      lines.push(
        `${name} has ${count} images: FIDs are biased upwards below about 10,000; compare only equal numbers, or use KID or FID-infinity`,
      );
    }
  }
  const lossy = (side: Described) => side.formats.some((ending) => LOSSY.includes(ending));
  if (lossy(samples) !== lossy(real) && samples.formats.length > 0 && real.formats.length > 0) {
    const [jpeg, other] = lossy(samples) ? [samples, real] : [real, samples];
    lines.push(
      `${jpeg.name} was compressed with loss (${
        jpeg.formats.join(", ")
      }), ${other.name} was not: compression changes the FID`,
    );
  }
  if (!inception.published) {
    lines.push(
      `the network's weights come from a ${inception.sourceFormat} file without a published hash: their origin is not verified`,
    );
  }
  return lines;
}

/** Whether the variances are zero up to rounding, which is far below 1e-14 of the squared mean. */
function isConstant({ mean, covariance }: Statistics): boolean {
  const d = mean.length;
  const variance = mean.reduce((sum, _, j) => sum + covariance[j * d + j], 0);
  return variance <= 1e-14 * mean.reduce((sum, m) => sum + m * m, 0);
}

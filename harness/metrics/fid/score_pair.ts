/**
 * Computes all scores of a pair of image sets.
 *
 * @module
 */
import { shuffledRows } from "../../core/row_order.ts";
import { foldIn, keyOf } from "../../core/noise.ts";
import { type FeatureTable, growingTable } from "./feature_table.ts";
import type { Split } from "./feature_extractor.ts";
import { inceptionStatistics } from "./fid.ts";
import { fidInfinity } from "./fid_infinity.ts";
import { frechetDistance } from "./frechet.ts";
import type { ImageSource } from "./image_source.ts";
import { CLASS_COUNT, FEATURE_COUNT } from "./inception_network.ts";
import { inceptionScore } from "./inception_score.ts";
import type { StoredInception } from "./inception_store.ts";
import { type Estimate, kernelInceptionDistance, kidOfAllImages, type Spread } from "./kid.ts";
import { neighbourOverlap, type Overlap } from "./neighbours.ts";
import type { Mode } from "./preprocess.ts";
import type { SavedStatistics } from "./statistics_file.ts";

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

/** Scores `samples` against `real`. Throws Error if a score needs features of a side that is a file of statistics. */
export async function scorePair(
  samples: Described,
  real: Described,
  { wanted, seed, threads, progress }: {
    readonly wanted: Wanted;
    readonly seed: number;
    readonly threads: number;
    readonly progress: (what: string, done: number, of: number) => void;
  },
): Promise<Scores> {
  const features = ({ features, name }: Described, score: string): FeatureTable => {
    if (features) return features;
    throw new Error(`${score} needs the images of ${name}: statistics suffice only for the FID`);
  };
  const fid = frechetDistance(samples.statistics, real.statistics);
  const infinity = wanted.fidInfinity
    ? await fidInfinity(features(samples, "FID-infinity"), real.statistics, {
      seed,
      threads,
      progress: (done, of) => progress("FID-infinity", done, of),
    })
    : undefined;
  const kid = wanted.kid
    ? await kernelInceptionDistance(features(samples, "KID"), features(real, "KID"), {
      seed,
      threads,
      progress: (done, of) => progress("KID", done, of),
    })
    : undefined;
  const fewest = Math.min(samples.features?.count ?? 0, real.features?.count ?? 0);
  const kidOfAll = wanted.kid && fewest >= 3
    ? await kidOfAllImages(features(samples, "KID"), features(real, "KID"), {
      threads,
      progress: (done, of) => progress("KID of all images", done, of),
    })
    : undefined;
  const overlap: Partial<Overlap> = wanted.overlap
    ? await neighbourOverlap(features(samples, "Precision"), features(real, "Recall"), {
      threads,
      progress: (done, of) => progress("Neighbours", done, of),
    })
    : {};
  return {
    fid,
    ...(infinity && { fidInfinity: infinity.intercept }),
    ...(kid && { kid }),
    ...(kidOfAll && { kidOfAll }),
    ...(wanted.inceptionScore && { inceptionScore: scoreOf(samples, seed) }),
    ...overlap,
  };
}

function scoreOf({ logits, name }: Described, seed: number): Spread {
  if (!logits) {
    throw new Error(
      `Inception Score needs the images of ${name}: statistics suffice only for the FID`,
    );
  }
  const order = shuffledRows(foldIn(keyOf(seed), "inception_score"), 0, logits.count);
  return inceptionScore(logits, { order });
}

/** Throws Error if two sets of statistics have different modes or networks, so that their distance is meaningless. */
export function checkComparable(a: Described, b: Described): void {
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
  for (const { name, statistics: { count }, origin } of [samples, real]) {
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

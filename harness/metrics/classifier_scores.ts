/**
 * The scores of images by the features and the predicted classes of one classifier: what each of them sees, and what it
 * misses, is measured in docs/scores.md.
 *
 * @module
 */
import type { FamilyScoring, Findings, ImageBatch, MetricFamily } from "../core/types.ts";
import { entropyOf, entropyStandardError } from "../statistics/entropy.ts";
import { type FeatureTable, growingTable } from "./fid/feature_table.ts";
import {
  addFeatures,
  startMoments,
  type Statistics,
  statisticsOf,
} from "./fid/feature_statistics.ts";
import { frechetDistance } from "./fid/frechet.ts";
import { kidOfAllImages } from "./fid/kid.ts";
import { DENSITY_NEIGHBOURS, expectedCoverage, neighbourOverlap } from "./fid/neighbours.ts";

/** An open classifier. */
export interface Classifier extends AsyncDisposable {
  /** Calls `use` with the features [n, featureDim] and the logits [n, classes] of the images, some at a time. */
  run(
    images: ImageBatch,
    use: (features: Float32Array, logits: Float32Array) => void,
  ): Promise<void>;
}

/** A classifier, and the names of the scores that it is used for. */
export interface ClassifierFacts {
  readonly name: string;
  readonly featureDim: number;
  /** In the order of the logits. */
  readonly classes: readonly string[];
  readonly scores: {
    readonly frechet: string;
    readonly kid: string;
    readonly entropy: string;
    readonly precision: string;
    readonly recall: string;
    readonly density: string;
    readonly coverage: string;
  };
  open(): Promise<Classifier>;
}

/** What the classifier makes of a set of images. */
export interface ClassifiedSet {
  readonly statistics: Statistics;
  readonly features: FeatureTable;
  /** Images by predicted class. */
  readonly classes: readonly number[];
}

/**
 * The family of Fréchet distance, KID, precision, recall, density and coverage in the features of a classifier, and the
 * entropy in nats of the classes that it predicts. Features are kept, 4 bytes each, for KID and neighbourhoods, which
 * take time in proportion to the square of the number of images: for samples and real images alike, 0.1 s at 1,000.
 */
export function classifierFamily(facts: ClassifierFacts): MetricFamily<ClassifiedSet> {
  return {
    name: facts.name,
    async reference(real) {
      await using set = await openSet(facts);
      await set.add(real);
      return set.finish();
    },
    async begin(reference, wanted): Promise<FamilyScoring> {
      const set = await openSet(facts);
      return {
        add: (images) => set.add(images),
        finish: () => findingsOf(set.finish(), { reference, facts, wanted }),
        [Symbol.asyncDispose]: () => set[Symbol.asyncDispose](),
      };
    },
  };
}

/** A set that grows batch by batch. */
async function openSet(
  { featureDim, classes, open }: ClassifierFacts,
): Promise<AsyncDisposable & { add(images: ImageBatch): Promise<void>; finish(): ClassifiedSet }> {
  const classifier = await open();
  const moments = startMoments(featureDim);
  const features = growingTable(featureDim, null);
  const counts = classes.map(() => 0);
  return {
    add: (images) =>
      classifier.run(images, (rows, logits) => {
        addFeatures(moments, rows);
        features.add(rows);
        for (let at = 0; at < logits.length; at += counts.length) {
          counts[largest(logits.subarray(at, at + counts.length))]++;
        }
      }),
    finish: () => ({
      statistics: statisticsOf(moments),
      features: features.table(),
      classes: counts,
    }),
    [Symbol.asyncDispose]: () => classifier[Symbol.asyncDispose](),
  };
}

async function findingsOf(
  samples: ClassifiedSet,
  { reference, facts, wanted }: {
    readonly reference: ClassifiedSet;
    readonly facts: ClassifierFacts;
    readonly wanted: readonly string[];
  },
): Promise<Findings> {
  const names = facts.scores;
  const threads = 1; // the same bits whatever the number of cores
  const scores: Record<string, number> = {};
  const standardErrors: Record<string, number> = {};
  const expected: Record<string, number> = {};
  const [count, real] = [samples.features.count, reference.features.count];
  if (wanted.includes(names.frechet)) {
    scores[names.frechet] = frechetDistance(samples.statistics, reference.statistics);
  }
  const overlaps = ["precision", "recall", "density", "coverage"] as const;
  if (
    overlaps.some((name) => wanted.includes(names[name])) &&
    Math.min(count, real) > DENSITY_NEIGHBOURS
  ) {
    const overlap = await neighbourOverlap(samples.features, reference.features, { threads });
    for (const name of overlaps) scores[names[name]] = overlap[name];
    expected[names.coverage] = expectedCoverage({ samples: count, real });
    expected[names.density] = 1;
  }
  if (wanted.includes(names.entropy)) {
    scores[names.entropy] = entropyOf(samples.classes);
    standardErrors[names.entropy] = entropyStandardError(samples.classes);
  }
  if (wanted.includes(names.kid) && Math.min(count, real) >= 3) {
    const kid = await kidOfAllImages(samples.features, reference.features, { threads });
    scores[names.kid] = kid.value;
    standardErrors[names.kid] = kid.standardError;
    expected[names.kid] = 0;
  }
  const classes = Object.fromEntries(facts.classes.map((name, i) => [name, samples.classes[i]]));
  return { count, scores, standardErrors, expected, classes };
}

/** Index of the largest value; the first of equal ones. */
function largest(values: Float32Array): number {
  return values.reduce((best, value, i) => value > values[best] ? i : best, 0);
}

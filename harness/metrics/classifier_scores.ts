/**
 * The scores of images by the features and the predicted classes of one classifier: what each of them sees, and what it
 * misses, is measured in docs/scores.md.
 *
 * @module
 */
import { familyScore, type ScoreKind } from "../core/family_scores.ts";
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

/** A classifier. Its name ends the names of its scores: `coverage_fashion`. */
export interface ClassifierFacts {
  readonly name: string;
  readonly featureDim: number;
  /** In the order of the logits. */
  readonly classes: readonly string[];
  open(): Promise<Classifier>;
}

/** Features and predicted classes of a set of images. */
export interface ClassifiedSet {
  readonly statistics: Statistics;
  readonly features: FeatureTable;
  /** Images by predicted class. */
  readonly classes: readonly number[];
  /** Images that have a label, and those of them that are predicted to be of its class. */
  readonly labelled: number;
  readonly right: number;
}

/**
 * The family of Fréchet distance, KID, precision, recall, density and coverage in the features of a classifier, the entropy in
 * nats of the classes that it predicts, and the share of images that it predicts to be of their own class, where all have a
 * label: the data's labels must be numbers in the order of its classes. Features are kept, 4 bytes each, for KID and neighbourhoods, which
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
  let [labelled, right] = [0, 0];
  return {
    add: ({ labels, ...images }) => {
      let row = 0;
      return classifier.run(images, (rows, logits) => {
        addFeatures(moments, rows);
        features.add(rows);
        for (let at = 0; at < logits.length; at += counts.length) {
          const predicted = largest(logits.subarray(at, at + counts.length));
          counts[predicted]++;
          if (labels === undefined) continue;
          labelled++;
          if (labels[row++] === predicted) right++;
        }
      });
    },
    finish: () => ({
      statistics: statisticsOf(moments),
      features: features.table(),
      classes: counts,
      labelled,
      right,
    }),
    [Symbol.asyncDispose]: () => classifier[Symbol.asyncDispose](),
  };
}

/** Scores that `neighbourOverlap` computes together. */
const OVERLAP = ["coverage", "recall", "precision", "density"] as const;

async function findingsOf(
  samples: ClassifiedSet,
  { reference, facts, wanted }: {
    readonly reference: ClassifiedSet;
    readonly facts: ClassifierFacts;
    readonly wanted: readonly string[];
  },
): Promise<Findings> {
  const nameOf = (kind: ScoreKind) => familyScore(kind, facts.name);
  const isWanted = (...kinds: readonly ScoreKind[]) =>
    kinds.some((kind) => wanted.includes(nameOf(kind)));
  const threads = 1; // the same bits whatever the number of cores
  const scores: Record<string, number> = {};
  const standardErrors: Record<string, number> = {};
  const expected: Record<string, number> = {};
  const [count, real] = [samples.features.count, reference.features.count];
  if (isWanted("fd")) {
    scores[nameOf("fd")] = frechetDistance(samples.statistics, reference.statistics);
  }
  if (isWanted(...OVERLAP) && Math.min(count, real) > DENSITY_NEIGHBOURS) {
    const overlap = await neighbourOverlap(samples.features, reference.features, { threads });
    for (const kind of OVERLAP) scores[nameOf(kind)] = overlap[kind];
    expected[nameOf("coverage")] = expectedCoverage({ samples: count, real });
    expected[nameOf("density")] = 1;
  }
  if (isWanted("entropy")) {
    scores[nameOf("entropy")] = entropyOf(samples.classes);
    standardErrors[nameOf("entropy")] = entropyStandardError(samples.classes);
  }
  if (isWanted("accuracy") && samples.labelled === count) {
    const accuracy = samples.right / count;
    scores[nameOf("accuracy")] = accuracy;
    standardErrors[nameOf("accuracy")] = Math.sqrt(accuracy * (1 - accuracy) / count);
    // Of real images as the classifier has not seen them in training.
    if (reference.labelled === real) expected[nameOf("accuracy")] = reference.right / real;
  }
  if (isWanted("kid") && Math.min(count, real) >= 3) {
    const kid = await kidOfAllImages(samples.features, reference.features, { threads });
    scores[nameOf("kid")] = kid.value;
    standardErrors[nameOf("kid")] = kid.standardError;
  }
  const classes = Object.fromEntries(facts.classes.map((name, i) => [name, samples.classes[i]]));
  return { count, scores, standardErrors, expected, classes };
}

/** Index of the largest value; the first of equal ones. */
function largest(values: Float32Array): number {
  return values.reduce((best, value, i) => value > values[best] ? i : best, 0);
}

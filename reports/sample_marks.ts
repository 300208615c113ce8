/**
 * What is wrong with samples, from the findings of a family of scores on them and on as many real images. The thresholds
 * are measured in docs/scores.md (`deno task scores`): real images are far from all of them.
 *
 * @module
 */
import { familyScore, type ScoreKind } from "../harness/core/family_scores.ts";
import type { FamilyRecord } from "../harness/core/types.ts";
import type { SampleCell } from "./document/result_table.ts";

/** What samples can be marked as. */
export type Mark = SampleCell["marks"][number]["mark"];

/** A mark of one set of samples, with the numbers that it rests on. */
export interface SeenMark {
  readonly mark: Mark;
  readonly seen: string;
}

/** exp(H) of the predicted classes, the number of classes as if they were equally frequent, over that of real images. */
const CLASSES_COLLAPSED = 2 / 3; // below: more than a third of the classes are missing, or one of ten has 45 % or more
/** Coverage over the expected coverage of equal distributions. */
const COVERAGE_COLLAPSED = 1 / 2;
/** Recall over that of real images. */
const RECALL_COLLAPSED = 1 / 5;
/** Precision over that of real images, above which low coverage and recall mean that samples are too few kinds. */
const PRECISION_REAL = 1 / 2;
/** Precision over that of real images, below which samples are blurred, or otherwise off the real ones. */
const PRECISION_UNLIKE = 1 / 4;
/** Density, 1 for equal distributions, above which samples crowd where real images are most. */
const DENSITY_ALIKE = 1.5;
/** Recall over that of real images, at such a density. */
const RECALL_ALIKE = 1 / 2;

/**
 * The marks of samples by what `family` found of them; none where its scores were not asked for. A score of real images
 * differs from sample to sample far less than the thresholds allow: see the module.
 */
export function marksOf(family: string, { samples, real }: FamilyRecord): SeenMark[] {
  // Comparisons with the NaN of a score that was not asked for are false.
  const score = (kind: ScoreKind, of = samples) => of.scores[familyScore(kind, family)] ?? NaN;
  const expected = samples.expected[familyScore("coverage", family)] ?? NaN;
  const [entropy, realEntropy] = [score("entropy"), score("entropy", real)];
  const few: string[] = [];
  if (Math.exp(entropy - realEntropy) < CLASSES_COLLAPSED) {
    few.push(`${classesOf(samples.classes)}class entropy ${pair(entropy, realEntropy)}`);
  }
  const [coverage, density] = [score("coverage"), score("density")];
  const [recall, realRecall] = [score("recall"), score("recall", real)];
  const [precision, realPrecision] = [score("precision"), score("precision", real)];
  const seenRecall = `recall ${pair(recall, realRecall)}`;
  if (precision >= PRECISION_REAL * realPrecision) {
    if (coverage < COVERAGE_COLLAPSED * expected) {
      few.push(
        `coverage ${coverage.toFixed(2)} (equal distributions ${expected.toFixed(2)})`,
      );
    }
    if (recall < RECALL_COLLAPSED * realRecall) few.push(seenRecall);
  }
  const marks: SeenMark[] = [];
  if (few.length > 0) marks.push({ mark: "collapsed", seen: few.join(", ") });
  if (density > DENSITY_ALIKE && recall < RECALL_ALIKE * realRecall) {
    const seen = `density ${density.toFixed(2)} (equal distributions 1), ${seenRecall}`;
    marks.push({ mark: "too alike", seen });
  }
  if (precision < PRECISION_UNLIKE * realPrecision) {
    marks.push({ mark: "unlike real images", seen: `precision ${pair(precision, realPrecision)}` });
  }
  return marks;
}

/** `48 % trouser, `: the most frequent class. */
function classesOf(classes: Readonly<Record<string, number>> = {}): string {
  const total = Object.values(classes).reduce((a, b) => a + b, 0);
  const [first] = Object.entries(classes).toSorted(([, a], [, b]) => b - a);
  return first === undefined ? "" : `${Math.round(100 * first[1] / total)} % ${first[0]}, `;
}

function pair(value: number, ofReal: number): string {
  return `${value.toFixed(2)} (real images ${ofReal.toFixed(2)})`;
}

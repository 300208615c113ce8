/**
 * Measures which scores notice which fault: sets of real images that were collapsed, repeated, blurred or narrowed on
 * purpose, scored as samples are, and random sets of untouched images beside them. Prints the table of docs/scores.md.
 *
 * `deno task scores`
 *
 * @module
 */
import { readWords } from "../harness/cli/arguments.ts";
import { runProgram } from "../harness/cli/programs.ts";
import { fashion4k } from "../datasets/fashion_4k.ts";
import {
  blurred,
  copies,
  mostlyOneClass,
  nearClassMean,
  ofClasses,
  ofOneClass,
  typical,
} from "../fixtures/deliberate_images.ts";
import { familyScore, type ScoreKind } from "../harness/core/family_scores.ts";
import { selectImages } from "../harness/core/image_set.ts";
import { foldIn, keyOf } from "../harness/core/noise.ts";
import type { Findings, ImageSet, Metric } from "../harness/core/types.ts";
import { FASHION_SCORES, fdFashion } from "../harness/metrics/fd_fashion.ts";
import type { FeatureTable } from "../harness/metrics/fid/feature_table.ts";
import { drawReal, findingsOf, passesOf } from "../harness/run/score_passes.ts";
import { NONE } from "../reports/document/block.ts";
import { markdownTable } from "../reports/markdown.ts";
import { type Mark, marksOf } from "../reports/sample_marks.ts";

/** A fault, the set of images that has it, and the marks that it must get. */
export interface Fault {
  readonly name: string;
  readonly images: (train: ImageSet, features: FeatureTable) => ImageSet;
  readonly marks: readonly Mark[];
}

const firstThousand = (set: ImageSet) =>
  selectImages(set, Int32Array.from({ length: 1000 }, (_, i) => i));
const TROUSER = 1;

/** The faults of the table. */
export const FAULTS: readonly Fault[] = [
  {
    name: "one class (400 trousers)",
    images: (train) => ofOneClass(train, TROUSER),
    marks: ["collapsed"],
  },
  {
    name: "100 images, each 10 times",
    images: (train) => copies(train, { distinct: 100, count: 1000 }),
    marks: ["collapsed"],
  },
  {
    name: "one class 100 images, each 10 times",
    images: (train) => copies(ofOneClass(train, TROUSER), { distinct: 100, count: 1000 }),
    marks: ["collapsed"],
  },
  {
    name: "52 % of one class",
    images: (train) => mostlyOneClass(train, { label: TROUSER, share: 0.52 }),
    marks: ["collapsed"],
  },
  {
    name: "six of ten classes",
    images: (train) => firstThousand(ofClasses(train, 6)),
    marks: ["collapsed"],
  },
  {
    name: "nine of ten classes",
    images: (train) => firstThousand(ofClasses(train, 9)),
    marks: [],
  },
  {
    name: "the most usual eighth of each class, by features",
    images: (train, features) => typical(train, { share: 1 / 8, vectors: features }),
    marks: ["too alike"],
  },
  {
    name: "differences from class means × 0.8",
    images: (train) => nearClassMean(firstThousand(train), 0.8),
    marks: [],
  },
  {
    name: "blurred once",
    images: (train) => blurred(firstThousand(train), 1),
    marks: ["unlike real images"],
  },
  {
    name: "blurred three times",
    images: (train) => blurred(firstThousand(train), 3),
    marks: ["unlike real images"],
  },
];

/** A set of images with its findings, beside those of as many random real ones. */
export interface Judged {
  readonly samples: Findings;
  readonly real: Findings;
  readonly marks: readonly Mark[];
}

/** A judge of sets of images against the test images of the embedded data set. */
export async function openJudge(): Promise<{
  judge(fault: Fault): Promise<Judged>;
  /** Random training images as samples, beside others. */
  judgeReal(count: number, seed: number): Promise<Judged>;
}> {
  const [train, test] = [await fashion4k.load("train"), await fashion4k.load("test")];
  const [pass] = passesOf(Object.values(FASHION_SCORES) as Metric[]);
  const reference = await pass.reference(test, {});
  const find = async (images: ImageSet) => {
    const findings = await findingsOf(pass, images, reference);
    if (findings === undefined) throw new RangeError(`${pass.name} is not a family of scores`);
    return findings;
  };
  const draw = (count: number, seed: number) =>
    drawReal(train, { count, key: foldIn(keyOf(seed), "real") });
  const realFindings = new Map<number, Findings>();
  const beside = async (samples: Findings): Promise<Judged> => {
    const { count } = samples;
    const real = realFindings.get(count) ?? await find(draw(count, 0));
    realFindings.set(count, real);
    const record = { samples, real };
    return { ...record, marks: marksOf(pass.name, record).map(({ mark }) => mark) };
  };
  const { features } = await fdFashion.reference(train);
  return {
    async judge(fault) {
      const images = fault.images(train, features);
      return await beside(await find(images));
    },
    judgeReal: async (count, seed) => await beside(await find(draw(count, seed + 1))),
  };
}

const COLUMNS: readonly (readonly [ScoreKind, string, number])[] = [
  ["fd", "FD ↓", 1],
  ["coverage", "coverage ↑", 3],
  ["recall", "recall ↑", 3],
  ["precision", "precision ↑", 3],
  ["density", "density", 2],
  ["entropy", "entropy ↑", 3],
  ["kid", "KID ↓", 1],
];

const HELP = `Usage: deno task scores

Scores deliberately faulty sets of images, such as collapsed, repeated and blurred ones, and prints
which scores and marks notice each fault, beside real images. Takes no options.
`;

async function main(): Promise<void> {
  readWords(HELP);
  const { judge, judgeReal } = await openJudge();
  const score = ({ scores }: Findings, kind: ScoreKind) => scores[familyScore(kind, "fashion")];
  const rows: string[][] = [];
  for (const count of [1000, 500, 100]) {
    const judged = await Promise.all(
      Array.from({ length: 20 }, (_, seed) => judgeReal(count, seed)),
    );
    const range = ([kind, , digits]: typeof COLUMNS[number]) => {
      const values = judged.map(({ samples }) => score(samples, kind));
      return `${Math.min(...values).toFixed(digits)} to ${Math.max(...values).toFixed(digits)}`;
    };
    const marked = judged.filter(({ marks }) => marks.length > 0).length;
    const expected = judged[0].samples.expected[familyScore("coverage", "fashion")];
    const name = `real images, 20 sets (equal distributions: coverage ${expected.toFixed(3)})`;
    rows.push([name, `${count}`, ...COLUMNS.map(range), marked === 0 ? NONE : `${marked} marked`]);
  }
  for (const fault of FAULTS) {
    const { samples, marks } = await judge(fault);
    const cells = COLUMNS.map(([kind, , digits]) => {
      const error = samples.standardErrors[familyScore(kind, "fashion")];
      const value = score(samples, kind).toFixed(digits);
      return error === undefined ? value : `${value} ± ${error.toFixed(digits)}`;
    });
    rows.push([fault.name, `${samples.count}`, ...cells, marks.join(", ") || NONE]);
  }
  const head = ["images", "n", ...COLUMNS.map(([, head]) => head), "mark"];
  console.log(markdownTable(head, rows));
}

if (import.meta.main) await runProgram(main);

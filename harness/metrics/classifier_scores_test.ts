import assert from "node:assert/strict";
import { familyScore, SCORE_KINDS, type ScoreKind } from "../core/family_scores.ts";
import { keyOf, words } from "../core/noise.ts";
import type { ImageBatch } from "../core/types.ts";
import { type ClassifierFacts, classifierFamily } from "./classifier_scores.ts";
import { fdFashion } from "./fd_fashion.ts";
import { METRICS } from "./metrics.ts";

/** Images of 1x2 pixels whose features are their pixels, and whose class is that of the brighter pixel. */
const TWO_PIXELS: ClassifierFacts = {
  name: "two",
  featureDim: 2,
  classes: ["left", "right"],
  open: () =>
    Promise.resolve({
      run: ({ pixels }, use) => {
        const features = Float32Array.from(pixels);
        use(features, features);
        return Promise.resolve();
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }),
};
const ALL = SCORE_KINDS.map((kind) => familyScore(kind, "two"));

function images(pixels: readonly number[]) {
  const image = { height: 1, width: 2, channels: 1 };
  return { image, count: pixels.length / 2, pixels: Uint8Array.from(pixels), sha256: "" };
}

function randomImages(seed: number, count: number) {
  return images(Array.from(words(keyOf(seed), 0, 2 * count), (word) => word >>> 24));
}

async function findings(
  batches: readonly ImageBatch[],
  { real, wanted = ALL }: {
    readonly real: ReturnType<typeof images>;
    readonly wanted?: readonly string[];
  },
) {
  const family = classifierFamily(TWO_PIXELS);
  await using scoring = await family.begin(await family.reference(real), wanted);
  for (const batch of batches) await scoring.add(batch);
  const found = await scoring.finish();
  const byKind = (numbers: Readonly<Record<string, number>>) =>
    Object.fromEntries(
      Object.entries(numbers).map(([name, value]) => [name.replace("_two", ""), value]),
    ) as Record<ScoreKind, number>;
  return { ...found, scores: byKind(found.scores), expected: byKind(found.expected) };
}

Deno.test("classifierFamily() of a set and itself: distance 0, all covered, the entropy of its classes", async () => {
  const set = images([9, 0, 8, 1, 7, 0, 6, 2, 0, 9, 1, 7, 2, 9, 0, 5]);
  const { count, scores, classes, expected } = await findings([set], { real: set });
  assert.equal(count, 8);
  assert.deepEqual(classes, { left: 4, right: 4 });
  assert.ok(Math.abs(scores.entropy - Math.log(2)) < 1e-15);
  assert.ok(Math.abs(scores.fd) < 1e-9);
  assert.deepEqual([scores.precision, scores.recall, scores.coverage], [1, 1, 1]);
  assert.equal(expected.density, 1);
  // N = M = 8, k = 5: 1 - (7 6 5 4 3) / (15 14 13 12 11).
  assert.ok(Math.abs(expected.coverage - (1 - 2520 / 360360)) < 1e-15);
});

Deno.test("classifierFamily() does not depend on the batches that the images come in", async () => {
  const [real, set] = [randomImages(1, 30), randomImages(2, 40)];
  const whole = await findings([set], { real });
  const cut = 2 * 13;
  const parts = [images([...set.pixels.subarray(0, cut)]), images([...set.pixels.subarray(cut)])];
  const inParts = await findings(parts, { real });
  const { fd, ...others } = inParts.scores;
  assert.deepEqual({ ...others, fd: whole.scores.fd }, whole.scores);
  assert.ok(Math.abs(fd - whole.scores.fd) < 1e-9 * fd, "float64 sums about another first mean");
  assert.deepEqual(inParts.classes, whole.classes);
  assert.deepEqual(inParts.standardErrors, whole.standardErrors);
});

Deno.test("classifierFamily() sees one class by entropy, and copies by recall and coverage", async () => {
  const real = randomImages(3, 200);
  const fresh = await findings([randomImages(4, 200)], { real });
  const left = randomImages(5, 200);
  for (let i = 0; i < 400; i += 2) left.pixels.subarray(i, i + 2).sort().reverse();
  const oneClass = await findings([left], { real });
  assert.deepEqual(oneClass.classes, { left: 200, right: 0 });
  assert.ok(fresh.scores.entropy > 0.9 * Math.log(2) && oneClass.scores.entropy === 0);
  const twenty = randomImages(6, 20);
  const copies = await findings(Array.from({ length: 10 }, () => twenty), { real });
  assert.equal(copies.scores.recall, 0, "the third neighbour of a copy is another copy");
  assert.ok(copies.scores.coverage < 0.5 * fresh.scores.coverage);
});

Deno.test("classifierFamily() works out what is wanted, and leaves out what too few images cannot have", async () => {
  const real = randomImages(7, 50);
  const names = async (count: number, wanted: readonly string[]) =>
    Object.keys((await findings([randomImages(8, count)], { real, wanted })).scores).sort();
  assert.deepEqual(await names(20, ["fd_two"]), ["fd"]);
  assert.deepEqual(await names(20, ["coverage_two"]), [
    "coverage",
    "density",
    "precision",
    "recall",
  ]);
  assert.deepEqual(await names(5, ALL), ["entropy", "fd", "kid"]);
  assert.deepEqual(await names(2, ALL), ["entropy", "fd"]);
});

Deno.test("classifierFamily() has the share of images of their own class where all have a label, in any batches", async () => {
  // Brighter left, right, left, left.
  const real = { ...images([3, 1, 0, 4, 8, 2, 7, 5]), labels: Uint8Array.of(0, 0, 0, 1) };
  const labelled = (pixels: readonly number[], labels: readonly number[]) => ({
    ...images(pixels),
    labels: Uint8Array.from(labels),
  });
  // Brighter left, left, right; left, right.
  const [some, others] = [labelled([9, 0, 8, 1, 0, 7], [0, 1, 0]), labelled([6, 2, 1, 9], [1, 1])];
  const { scores, standardErrors, expected } = await findings([some, others], { real });
  assert.equal(expected.accuracy, 2 / 4, "what samples of the distribution of real images have");
  assert.equal(scores.accuracy, 2 / 5);
  assert.equal(standardErrors.accuracy_two, Math.sqrt(0.6 * 0.4 / 5));
  const { labels: _, ...unlabelled } = others;
  assert.ok(!("accuracy" in (await findings([some, unlabelled], { real })).scores));
});

Deno.test("METRICS: the scores of the Fashion-MNIST classifier are one family", () => {
  const members = Object.values(METRICS).filter((score) =>
    "family" in score && score.family === fdFashion.family
  );
  assert.deepEqual(members.map(({ name }) => name), [
    "fd_fashion",
    "coverage_fashion",
    "recall_fashion",
    "precision_fashion",
    "entropy_fashion",
    "kid_fashion",
    "accuracy_fashion",
  ]);
});

import { InferenceSession, Tensor } from "onnxruntime-node";
import type { ImageShape, Metric, ScoreBase } from "../core/types.ts";
import { type ClassifiedSet, type Classifier, classifierFamily } from "./classifier_scores.ts";
import { metricOf } from "./family.ts";

/** The classifier that fixtures/make_classifier.ts trains. */
const MODEL = new URL("../../fixtures/fashion_classifier.onnx", import.meta.url);
const MODEL_SHA256 = "7f3cde1e3659343147705f22f00b1a72f3eb2aef8d6f8d5a4ef5afe4b890635c";
/** Side of the classifier's input images in pixels. */
const SIDE = 32;
/** Number of feature maps of the four convolutions: 16 + 32 + 64 + 64. */
const FEATURE_DIM = 176;
/** Images per call of the network: its widest activation has 500 x 32 x 32 x 16 floats = 33 MB. */
const CHUNK = 500;

/** The classes of Fashion-MNIST, in the order of their labels. */
const CLASSES = [
  "T-shirt",
  "trouser",
  "pullover",
  "dress",
  "coat",
  "sandal",
  "shirt",
  "sneaker",
  "bag",
  "boot",
];

/** Scores that share one pass of the images through the Fashion-MNIST classifier. */
const FAMILY = classifierFamily({
  name: "fashion",
  featureDim: FEATURE_DIM,
  classes: CLASSES,
  open: openClassifier,
});

const score = (facts: Pick<ScoreBase, "name" | "label" | "better">): Metric<ClassifiedSet> =>
  metricOf(FAMILY, {
    ...facts,
    sha256: MODEL_SHA256,
    check: checkShape,
    against: "test", // so that a model that repeats its training images does not get the best score
  });

/**
 * Fréchet distance between generated and real images in the features of a small Fashion-MNIST classifier: a score for
 * tests and quick tables that needs no download. It is not an FID: network, data and dimension differ, so its values
 * are comparable only with other `fd_fashion` values.
 *
 * Features: the spatial mean of each of the 176 feature maps of the four convolutions after their ReLU (as FID uses the
 * means of Inception's last maps), divided by its standard deviation over the training images. In the 64 features of
 * the penultimate layer alone, uniform noise is half as far from real images as the grey output of an untrained
 * decoder, because the classifier has learned to ignore noise; the early maps have not.
 *
 * The distance of n samples is biased upwards by about c / n, where c depends on the model (Chong and Forsyth 2020,
 * arXiv 1911.07023): compare only scores of equal numbers of generated images (the record's `sampleCount`) against the
 * same reference. The same number of real images from the other split has the score of a perfect model.
 */
export const fdFashion = score({
  name: "fd_fashion",
  label: "FD (Fashion-MNIST classifier)",
  better: "lower",
});

/**
 * Scores of what the Fréchet distance alone does not see, from the same features and classes. Density has no better side,
 * since 1 is right, and is no score of the table; it comes with coverage (`classifier_scores.ts`).
 */
export const FASHION_SCORES: Readonly<Record<string, Metric<ClassifiedSet>>> = Object.fromEntries(
  [
    { name: "coverage_fashion", label: "coverage", better: "higher" } as const,
    { name: "recall_fashion", label: "recall", better: "higher" } as const,
    { name: "precision_fashion", label: "precision", better: "higher" } as const,
    { name: "entropy_fashion", label: "class entropy", better: "higher" } as const,
    { name: "kid_fashion", label: "KID", better: "lower" } as const,
  ].map((facts) => [facts.name, score(facts)]),
);

function checkShape({ height, width, channels }: ImageShape): void {
  if (height !== SIDE || width !== SIDE || channels !== 1) {
    throw new RangeError(
      `fd_fashion needs 32x32x1 images, got ${height}x${width}x${channels}: choose another score for this data set`,
    );
  }
}

async function openClassifier(): Promise<Classifier> {
  const session = await loadClassifier();
  return {
    async run({ image, count, pixels: all }, use) {
      checkShape(image);
      for (let start = 0; start < count; start += CHUNK) {
        const n = Math.min(CHUNK, count - start);
        const pixels = all.subarray(start * SIDE * SIDE, (start + n) * SIDE * SIDE);
        const feeds = { pixels: new Tensor("uint8", pixels, [n, SIDE, SIDE, 1]) };
        const { features, logits } = await session.run(feeds, ["features", "logits"]);
        use(features.data as Float32Array, logits.data as Float32Array);
      }
    },
    [Symbol.asyncDispose]: () => session.release(),
  };
}

async function loadClassifier(): Promise<InferenceSession> {
  const bytes = await Deno.readFile(MODEL);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  if (digest !== MODEL_SHA256) {
    throw new Error(
      `SHA-256 of fixtures/fashion_classifier.onnx must be ${MODEL_SHA256}, got ${digest}: restore the file from the repository`,
    );
  }
  // One thread gives the same bits on any number of cores; 1,000 images take a fraction of a second.
  return await InferenceSession.create(bytes, { intraOpNumThreads: 1, interOpNumThreads: 1 });
}

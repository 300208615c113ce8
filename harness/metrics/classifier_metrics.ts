/**
 * The scores of an embedded classifier of 32x32 images: Fréchet distance, coverage, recall, precision, entropy of the
 * predicted classes and KID, all from one pass through its ONNX model.
 *
 * Features: the spatial mean of each feature map of the four convolutions after their ReLU (as FID uses the means of
 * Inception's last maps), divided by its standard deviation over the training images. In the features of the penultimate
 * layer alone, uniform noise is half as far from real images as the grey output of an untrained decoder, because a
 * classifier has learned to ignore noise; the early maps have not (measured on Fashion-MNIST).
 *
 * The distance of n samples is biased upwards by about c / n, where c depends on the model (Chong and Forsyth 2020,
 * arXiv 1911.07023): compare only scores of equal numbers of generated images (the record's `sampleCount`) against the
 * same reference. The same number of real images from the other split has the score of a perfect model.
 *
 * @module
 */
import { InferenceSession, Tensor } from "onnxruntime-node";
import { familyScore } from "../core/family_scores.ts";
import { padImages } from "../core/image_set.ts";
import type { ImageShape, Metric, ScoreBase } from "../core/types.ts";
import { type ClassifiedSet, type Classifier, classifierFamily } from "./classifier_scores.ts";
import { metricOf } from "./family.ts";

/** Side of the input images in pixels. */
const SIDE = 32;
/** Images per call of the network: the widest activation of 24 channels has 500 x 32 x 32 x 24 floats = 49 MB. */
const CHUNK = 500;

/** An embedded classifier, made by fixtures/make_classifier.ts. */
export interface EmbeddedClassifier {
  /** Name of its family of scores. */
  readonly name: string;
  /** Its data set, for labels. */
  readonly label: string;
  /** Name of its file in fixtures/. */
  readonly file: string;
  readonly sha256: string;
  /** Channels of the images. */
  readonly channels: number;
  /** Side of the images before its data set was padded with zeros; absent if it was not. Such images are padded likewise. */
  readonly unpadded?: number;
  readonly featureDim: number;
  /** In the order of the labels. */
  readonly classes: readonly string[];
}

/** The scores of `classifier` by name: `fd_NAME` and others. Density has no better side and is no score; it comes with coverage. */
export function classifierMetrics(
  classifier: EmbeddedClassifier,
): Readonly<Record<string, Metric<ClassifiedSet>>> {
  const { name, label, sha256 } = classifier;
  const family = classifierFamily({ ...classifier, open: () => open(classifier) });
  const facts: Pick<ScoreBase, "name" | "label" | "better" | "ofClasses">[] = [
    { name: familyScore("fd", name), label: `FD (${label} classifier)`, better: "lower" },
    { name: familyScore("coverage", name), label: "coverage", better: "higher" },
    { name: familyScore("recall", name), label: "recall", better: "higher" },
    { name: familyScore("precision", name), label: "precision", better: "higher" },
    { name: familyScore("entropy", name), label: "class entropy", better: "higher" },
    { name: familyScore("kid", name), label: "KID", better: "lower" },
    {
      name: familyScore("accuracy", name),
      label: "class accuracy",
      better: "higher",
      ofClasses: true,
    },
  ];
  return Object.fromEntries(facts.map((own) => [
    own.name,
    metricOf(family, {
      ...own,
      sha256,
      check: (image) => checkShape(classifier, image),
      against: "test", // so that a model that repeats its training images does not get the best score
    }),
  ]));
}

function checkShape(
  { name, channels, unpadded }: EmbeddedClassifier,
  { height, width, ...image }: ImageShape,
): void {
  const sides = unpadded === undefined ? [SIDE] : [SIDE, unpadded];
  if (height !== width || !sides.includes(height) || image.channels !== channels) {
    const shape = `${height}x${width}x${image.channels}`;
    const known = sides.map((side) => `${side}x${side}x${channels}`).join(" or ");
    throw new RangeError(
      `fd_${name} needs ${known} images, got ${shape}: choose another score for this data set`,
    );
  }
}

async function open(classifier: EmbeddedClassifier): Promise<Classifier> {
  const session = await load(classifier);
  const size = SIDE * SIDE * classifier.channels;
  return {
    async run({ image, count, pixels: all }, use) {
      checkShape(classifier, image);
      const padded = image.height === SIDE ? all : padImages(all, { from: image, to: SIDE });
      for (let start = 0; start < count; start += CHUNK) {
        const n = Math.min(CHUNK, count - start);
        const pixels = padded.subarray(start * size, (start + n) * size);
        const feeds = { pixels: new Tensor("uint8", pixels, [n, SIDE, SIDE, classifier.channels]) };
        const { features, logits } = await session.run(feeds, ["features", "logits"]);
        use(features.data as Float32Array, logits.data as Float32Array);
      }
    },
    [Symbol.asyncDispose]: () => session.release(),
  };
}

async function load({ file, sha256 }: EmbeddedClassifier): Promise<InferenceSession> {
  const bytes = await Deno.readFile(new URL(`../../fixtures/${file}`, import.meta.url));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  if (digest !== sha256) {
    throw new Error(
      `SHA-256 of fixtures/${file} must be ${sha256}, got ${digest}: restore the file from the repository`,
    );
  }
  // One thread gives the same bits on any number of cores; 1,000 images take a fraction of a second.
  return await InferenceSession.create(bytes, { intraOpNumThreads: 1, interOpNumThreads: 1 });
}

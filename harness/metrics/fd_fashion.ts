import { InferenceSession, Tensor } from "onnxruntime-node";
import type { ImageBatch, ImageSet, ImageShape, Metric } from "../core/types.ts";
import { frechetDistance } from "./fid/frechet.ts";
import {
  addFeatures,
  startMoments,
  type Statistics,
  statisticsOf,
} from "./fid/feature_statistics.ts";

/** The classifier, made by fixtures/make_fashion_classifier.ts. */
const MODEL = new URL("../../fixtures/fashion_classifier.onnx", import.meta.url);
const MODEL_SHA256 = "7f3cde1e3659343147705f22f00b1a72f3eb2aef8d6f8d5a4ef5afe4b890635c";
/** Side of the images that the classifier takes, pixels. */
const SIDE = 32;
/** Maps of the four convolutions: 16 + 32 + 64 + 64. */
const FEATURE_DIM = 176;
/** Images a call of the network: 500 x 32 x 32 x 16 floats = 33 MB at its widest. */
const CHUNK = 500;

/**
 * Fréchet distance of the features of a small Fashion-MNIST classifier, between generated and real images:
 * a score for tests and quick tables that needs no download. It is no FID: network, data and dimension
 * differ, so its values compare with nothing but other `fd_fashion` values.
 *
 * Features: the mean over positions of each of the 176 maps of the four convolutions, behind their ReLU
 * (as FID takes the means of Inception's last maps), each divided by its standard deviation over the
 * training images. Of the penultimate layer alone, 64 wide, the distance to uniform noise is half of that
 * to an untrained decoder's grey: the classifier has learned to look past noise. The early maps have not.
 *
 * The distance of finite samples is biased upwards, by about c / n with c depending on the model (Chong and
 * Forsyth 2020, arXiv 1911.07023): compare scores of the same number of generated images (the record's
 * `sampleCount`) against the same reference only. Real images of the other part, as many as are generated,
 * score what a perfect model would.
 */
export const fdFashion: Metric<Statistics> = {
  name: "fd_fashion",
  label: "FD (Fashion-MNIST classifier)",
  better: "lower",
  sha256: MODEL_SHA256,
  check: checkShape,
  against: "test", // a model that repeats its training images must not beat all
  reference: fashionStatistics,
  async begin(reference) {
    const statistics = await openFashionStatistics();
    return {
      add: (images) => statistics.add(images),
      finish: () => Promise.resolve(frechetDistance(statistics.finish(), reference)),
      [Symbol.asyncDispose]: () => statistics[Symbol.asyncDispose](),
    };
  },
};

/** Mean and covariance (float64) of the classifier's features of `set`, grey images of 32x32 pixels. */
export async function fashionStatistics(set: ImageSet): Promise<Statistics> {
  await using statistics = await openFashionStatistics();
  await statistics.add(set);
  return statistics.finish();
}

/** The same of images that come in batches. */
async function openFashionStatistics(): Promise<
  AsyncDisposable & { add(images: ImageBatch): Promise<void>; finish(): Statistics }
> {
  const session = await openClassifier();
  const moments = startMoments(FEATURE_DIM);
  return {
    async add({ image, count, pixels: all }) {
      checkShape(image);
      for (let start = 0; start < count; start += CHUNK) {
        const n = Math.min(CHUNK, count - start);
        const pixels = all.subarray(start * SIDE * SIDE, (start + n) * SIDE * SIDE);
        const feeds = { pixels: new Tensor("uint8", pixels, [n, SIDE, SIDE, 1]) };
        const { features } = await session.run(feeds, ["features"]);
        addFeatures(moments, features.data as Float32Array);
      }
    },
    finish: () => statisticsOf(moments),
    [Symbol.asyncDispose]: () => session.release(),
  };
}

function checkShape({ height, width, channels }: ImageShape): void {
  if (height !== SIDE || width !== SIDE || channels !== 1) {
    throw new RangeError(
      `fd_fashion takes 32x32x1 images, got ${height}x${width}x${channels}: choose another metric for this data set`,
    );
  }
}

async function openClassifier(): Promise<InferenceSession> {
  const bytes = await Deno.readFile(MODEL);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  if (digest !== MODEL_SHA256) {
    throw new Error(
      `fixtures/fashion_classifier.onnx is another file than fd_fashion was pinned to (SHA-256 ${digest}, expected ${MODEL_SHA256}): restore it from the repository`,
    );
  }
  // One thread: the same bits whatever the number of cores, and 1,000 images take a fraction of a second.
  return await InferenceSession.create(bytes, { intraOpNumThreads: 1, interOpNumThreads: 1 });
}

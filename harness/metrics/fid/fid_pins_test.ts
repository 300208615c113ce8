/**
 * Compares with published values. Tests that need Inception's weights or CIFAR-10 are skipped without them;
 * `deno task inception` and `deno task data cifar10` install them.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import subsets from "../../../fixtures/fid/cifar10_subsets.json" with { type: "json" };
import { DATASETS } from "../../../datasets/mod.ts";
import type { ImageSet, Split } from "../../core/types.ts";
import { decodeImage } from "./decode_image.ts";
import { defaultSplit } from "./feature_extractor.ts";
import { inceptionStatistics } from "./fid.ts";
import { frechetDistance } from "./frechet.ts";
import { imagesOfSet } from "./image_source.ts";
import { openInception } from "./inception.ts";
import { findInception, inceptionFolder, type StoredInception } from "./inception_store.ts";
import type { Statistics } from "./feature_statistics.ts";

const D = 2048;

function unitGaussian(mean: number): Statistics {
  const covariance = new Float64Array(D * D);
  for (let i = 0; i < D; i++) covariance[i * D + i] = 1;
  return { count: null, mean: new Float64Array(D).fill(mean), covariance };
}

Deno.test("T1: unit Gaussians at means 0 and 1 in 2,048 dimensions are 2,048 apart", () => {
  // pytorch-fid, tests/test_fid_score.py. All numbers are small integers, hence exact.
  assert.equal(frechetDistance(unitGaussian(0), unitGaussian(1)), D);
});

/** Finds the published network; returns the reason if it is missing. */
function published(): StoredInception | string {
  try {
    const found = findInception(inceptionFolder());
    if (found?.published) return found;
    return "the published Inception weights are not installed: run deno task inception";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function cifar10(split: Split, rows: readonly number[]): Promise<ImageSet> {
  const set = await DATASETS.cifar10.load(split);
  const size = 32 * 32 * 3;
  const pixels = new Uint8Array(rows.length * size);
  rows.forEach((row, i) => pixels.set(set.pixels.subarray(row * size, (row + 1) * size), i * size));
  return { image: set.image, count: rows.length, pixels, sha256: "" };
}

const inception = published();
const cifar = await DATASETS.cifar10.load("test").then(
  () => null,
  (error) => error instanceof Error ? error.message : String(error),
);

/** Defines a test whose name gives the reason if it is skipped. */
function pin(
  name: string,
  missing: string | null,
  body: (inception: StoredInception) => Promise<void>,
): void {
  const reason = typeof inception === "string" ? inception : missing;
  Deno.test({
    name: reason === null ? name : `${name} (skipped: ${reason})`,
    ignore: reason !== null,
    fn: async () => {
      if (typeof inception !== "string") await body(inception);
    },
  });
}

async function fidOfParts(
  inception: StoredInception,
  size: 256 | 5000,
): Promise<number> {
  const split = defaultSplit(navigator.hardwareConcurrency);
  const statistics = async (part: Split) => {
    const set = await cifar10(part, subsets[`${part}${size}`]);
    const source = imagesOfSet(set, part);
    return (await inceptionStatistics(source, { inception, mode: "tf", split })).statistics;
  };
  return frechetDistance(await statistics("train"), await statistics("test"));
}

pin("T3: FID of 256 training and 256 test images of CIFAR-10", cifar, async (inception) => {
  // torch-fidelity, .circleci/smoke_tests.py, with its tolerance: the matrix root of rank 255 is noisy.
  assert.ok(Math.abs(await fidOfParts(inception, 256) - 110.28082617202443) <= 1e-2);
});

const slow = Deno.env.get("LAEBENCH_SLOW_TESTS")
  ? null
  : "10,000 images: set LAEBENCH_SLOW_TESTS=1";
pin(
  "T4: FID of 5,000 training and 5,000 test images of CIFAR-10",
  cifar ?? slow,
  async (inception) => {
    // torch-fidelity, tests/tf1/numerical_precision/test_metric_fid_fidelity.py; TensorFlow gives the same value.
    assert.ok(Math.abs(await fidOfParts(inception, 5000) - 10.3233274) <= 1e-4);
  },
);

const elephant = Deno.env.get("LAEBENCH_ELEPHANT");
pin(
  "T7: features of an elephant",
  elephant ? null : "set LAEBENCH_ELEPHANT to the path of jax-fid's tests/aux_files/elefant.jpg",
  async (stored) => {
    // jax-fid, tests/test_inception.py: the network without resizing, on 2 v / 255 - 1.
    const bytes = await Deno.readFile(elephant ?? "");
    assert.match(createHash("sha256").update(bytes).digest("hex"), /^28b865fd/);
    const { height, width, data } = await decodeImage(bytes, "elefant.jpg");
    const planes = new Float32Array(3 * height * width);
    data.forEach((v, i) => planes[(i % 3) * height * width + Math.floor(i / 3)] = 2 * v / 255 - 1);
    await using network = await openInception(stored.path, { threads: 2 });
    const { pool3 } = await network.run(planes, { height, width });
    // deno-fmt-ignore
    const first = [0.05827701, 0.00545461, 0.84470123, 0.06732365, 0.29926002, 0.517617, 0.8769675, 0.02311923];
    // JPEG decoders differ by 1 in some values; the reference's tolerance is 1e-5 on average.
    first.forEach((x, i) => assert.ok(Math.abs(pool3[i] - x) < 1e-3, `${i}: ${pool3[i]}`));
    assert.ok(Math.abs(pool3.reduce((a, b) => a + b, 0) / D - 0.27707753) < 1e-4);
  },
);

import { createHash } from "node:crypto";
import { join } from "node:path";
import { lockFile } from "../../core/file_lock.ts";
import { ifThere, replaceFile } from "../../core/files.ts";
import { availableCores } from "../../core/threads.ts";
import type { ImageSet, Metric } from "../../core/types.ts";
import { openStatistics } from "./covariance.ts";
import { defaultSplit, openFeatureExtractor, type Split } from "./feature_extractor.ts";
import { frechetDistance } from "./frechet.ts";
import { imagesOfSet, type ImageSource } from "./image_source.ts";
import { FEATURE_COUNT } from "./inception_network.ts";
import {
  findInception,
  inceptionFolder,
  type StoredInception,
  verifyInception,
} from "./inception_store.ts";
import type { Mode } from "./preprocess.ts";
import type { Raster } from "./resize.ts";
import type { Statistics } from "./feature_statistics.ts";
import {
  type Origin,
  readStatistics,
  type SavedStatistics,
  writeStatistics,
} from "./statistics_file.ts";

/** Callbacks while features are computed: the network's outputs for each image, and the progress. */
export interface Watcher {
  features?(pool3: Float32Array, logits: Float32Array): void;
  progress?(done: number, of: number | null): void;
  /** Called when this process waits for another one that computes the same statistics. */
  waiting?(): void;
}

/** Options for computing statistics. */
export interface StatisticsOptions {
  readonly inception: StoredInception;
  readonly mode: Mode;
  readonly split: Split;
  readonly watcher?: Watcher;
}

/** An accumulator of statistics of Inception features; only a few images are in memory at a time. */
interface InceptionStatistics extends AsyncDisposable {
  add(images: AsyncIterable<Raster>): Promise<void>;
  finish(): Promise<Statistics>;
}

async function openInceptionStatistics(
  { inception, mode, split, watcher = {} }: StatisticsOptions,
  expected: number | null,
): Promise<InceptionStatistics> {
  await using stack = new AsyncDisposableStack();
  const threads = split.sessions * split.threads;
  const statistics = stack.use(await openStatistics(FEATURE_COUNT, { threads }));
  const extractor = stack.use(await openFeatureExtractor(inception.path, { mode, split }));
  const opened = stack.move();
  let done = 0;
  return {
    async add(images) {
      for await (const { pool3, logits } of extractor.outputs(images)) {
        await statistics.add(pool3);
        watcher.features?.(pool3, logits);
        watcher.progress?.(++done, expected);
      }
    },
    finish: () => statistics.finish(),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/**
 * Statistics of the Inception features of `source`, which is streamed, with their origin. Throws RangeError for fewer
 * than two images.
 */
export async function inceptionStatistics(
  source: ImageSource,
  options: StatisticsOptions,
): Promise<SavedStatistics> {
  await using statistics = await openInceptionStatistics(options, source.count);
  const hash = createHash("sha256");
  let count = 0;
  async function* hashed(): AsyncGenerator<Raster> {
    for await (const image of source.images()) {
      hash.update(`${image.height}x${image.width}:`);
      hash.update(new Uint8Array(image.data));
      count++;
      yield image;
    }
  }
  await statistics.add(hashed());
  if (count < 2) {
    throw new RangeError(`Statistics need at least 2 images, got ${count} in ${source.name}`);
  }
  const origin: Origin = {
    schema: 1,
    count,
    mode: options.mode,
    weightsSha256: options.inception.weightsSha256,
    imagesSha256: hash.digest("hex"),
    images: source.name,
    quantize: "bytes",
  };
  return { statistics: await statistics.finish(), origin };
}

/**
 * FID in the canonical mode `tf` (TTUR, LEBM, torch-fidelity) of samples rounded to bytes. Statistics of real images are
 * cached on disk by (image set, weights, mode).
 *
 * Deviation: the LEBM code feeds samples without rounding them to bytes. Here they are rounded, as in torch-fidelity,
 * most other codes and image files, so that the score does not depend on whether samples were saved.
 */
export const fid: Metric<Statistics> = {
  name: "fid",
  label: "FID",
  better: "lower",
  settings: { mode: "tf", quantize: "bytes" },
  get sha256(): string | undefined {
    return findInception(inceptionFolder())?.weightsSha256;
  },
  async available() {
    try {
      await verifyInception(stored());
      return null;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  },
  async reference(real, { done, waiting } = {}) {
    const options = { inception: stored(), mode: "tf", split: split() } as const;
    const watcher = { progress: done, waiting };
    return (await cachedStatistics(real, { ...options, watcher })).statistics;
  },
  async begin(reference) {
    const options = { inception: stored(), mode: "tf", split: split() } as const;
    const statistics = await openInceptionStatistics(options, null);
    return {
      add: (images) => statistics.add(imagesOfSet(images, "samples").images()),
      finish: async () => frechetDistance(await statistics.finish(), reference),
      [Symbol.asyncDispose]: () => statistics[Symbol.asyncDispose](),
    };
  },
};

/**
 * Statistics of a set in memory, computed once for each (set, weights, mode) and cached beside the network. Of several
 * parallel runs, one computes them and the others wait. If the folder is not writable, a warning is printed and the
 * statistics are not cached.
 */
export async function cachedStatistics(
  set: ImageSet,
  options: StatisticsOptions,
): Promise<SavedStatistics> {
  const { inception, mode, watcher } = options;
  const { height, width, channels } = set.image;
  const hashes = [set.sha256, inception.weightsSha256].map((hash) => hash.slice(0, 16));
  const name = [`${height}x${width}x${channels}`, ...hashes, mode].join("-");
  const folder = join(inceptionFolder(), "statistics");
  const path = join(folder, `${name}.npz`);
  const compute = () =>
    inceptionStatistics(imagesOfSet(set, `set ${set.sha256.slice(0, 16)}`), options);
  const cached = await readCached(path);
  if (cached) return cached;
  let lock: Disposable;
  try {
    await Deno.mkdir(folder, { recursive: true });
    lock = await lockFile(`${path}.lock`, watcher?.waiting);
  } catch (error) {
    console.warn(`Statistics are not cached in ${folder}: ${(error as Error).message}`);
    return await compute();
  }
  using _lock = lock;
  const computed = await readCached(path); // by another process, while this one waited
  if (computed) return computed;
  const saved = await compute();
  await replaceFile(path, writeStatistics(saved));
  return saved;
}

async function readCached(path: string): Promise<SavedStatistics | undefined> {
  const bytes = await ifThere(Deno.readFile(path));
  return bytes && readStatistics(bytes, path);
}

function split(): Split {
  return defaultSplit(availableCores());
}

function stored(): StoredInception {
  const inception = findInception(inceptionFolder());
  if (inception === null) {
    throw new Error("The Inception network is not installed: run deno task inception");
  }
  return inception;
}

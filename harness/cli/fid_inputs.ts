/**
 * The two inputs of `deno task fid`: opened and checked to the last image before the network runs, then described.
 *
 * @module
 */
import { DATASETS, resolveDataset } from "../../datasets/mod.ts";
import type { ImageSet } from "../core/types.ts";
import { readFile } from "../formats/byte_source.ts";
import { hasStatistics } from "../formats/image_archives.ts";
import { statOf } from "../formats/image_files.ts";
import type { Split } from "../metrics/fid/feature_extractor.ts";
import { cachedStatistics } from "../metrics/fid/fid.ts";
import { imagesAt, imagesOfSet, type ImageSource } from "../metrics/fid/image_source.ts";
import { FEATURE_COUNT } from "../metrics/fid/inception_network.ts";
import type { StoredInception } from "../metrics/fid/inception_store.ts";
import type { Mode } from "../metrics/fid/preprocess.ts";
import { type Described, describeImages, type Side } from "../metrics/fid/score_pair.ts";
import { readStatistics, type SavedStatistics } from "../metrics/fid/statistics_file.ts";
import { plainText } from "../core/plain_text.ts";
import { openProgressBar } from "./progress_bar.ts";

/** An input of the command line: a file of statistics, or images. */
export type FidInput =
  & { readonly name: string }
  & (
    | { readonly kind: "statistics"; readonly saved: SavedStatistics }
    /** `set` is null for image files. */
    | { readonly kind: "images"; readonly source: ImageSource; readonly set: ImageSet | null }
  );

/** Opens an input: a path, or a data set such as `cifar10/test`. Throws Error that names it if it does not exist or is broken. */
export async function openInput(name: string): Promise<FidInput> {
  const info = await statOf(name, name);
  if (info?.isFile && info.size > 0 && /\.npz$/i.test(name) && hasStatistics(name)) {
    return { kind: "statistics", name, saved: readStatistics(await readFile(name), name) };
  }
  const set = await datasetOf(name);
  return { kind: "images", name, set, source: set ? imagesOfSet(set, name) : await imagesAt(name) };
}

/** Loads the data set of an input that is not a path: `cifar10/train`, `cifar10/test`, or `cifar10` (train). */
async function datasetOf(input: string): Promise<ImageSet | null> {
  const exists = await Deno.lstat(input).then(() => true, () => false);
  const parts = /^(\w+)(?:\/(train|test))?$/.exec(input);
  if (exists || !parts) return null;
  const [, name, split] = parts;
  if (!Object.hasOwn(DATASETS, name)) {
    const known = Object.keys(DATASETS).join(", ");
    throw new Error(
      `There is no file, folder or data set "${input}": known data sets are ${known}, each with /train or /test`,
    );
  }
  return await (await resolveDataset(name)).load(split === "test" ? "test" : "train");
}

/**
 * Facts about `input` that are known before the network runs with `mode`. Decodes every image file once, so that a broken one, and too few
 * in a tar archive, are found now and not after the others have been computed.
 */
export async function checkInput(
  input: FidInput,
  { inception, mode }: { readonly inception: StoredInception | null; readonly mode: Mode },
): Promise<Side> {
  const { name } = input;
  if (input.kind === "statistics") {
    const { statistics: { count, mean }, origin } = input.saved;
    return { name, count, dim: mean.length, hasImages: false, origin };
  }
  if (!inception) {
    throw new Error("The Inception network is not installed: run deno task inception");
  }
  const count = input.set ? input.set.count : await countImages(input.source);
  if (count < 2) throw new RangeError(`Statistics need at least 2 images, got ${count} in ${name}`);
  const { weightsSha256 } = inception;
  return { name, count, dim: FEATURE_COUNT, hasImages: true, origin: { mode, weightsSha256 } };
}

async function countImages(source: ImageSource): Promise<number> {
  using bar = openProgressBar(`Checking ${source.name}`);
  let count = 0;
  for await (const _ of source.images()) bar.update(++count, source.count);
  return count;
}

/** Reads or computes the statistics of an input; `keep` selects outputs of the network to keep. */
export async function describeInput(
  input: FidInput,
  { inception, mode, split, keep }: {
    readonly inception: StoredInception | null;
    readonly mode: Mode;
    readonly split: Split;
    readonly keep: { readonly features: boolean; readonly logits: boolean };
  },
): Promise<Described> {
  const { name } = input;
  const withoutImages = { name, formats: [], features: null, logits: null };
  if (input.kind === "statistics") return { ...input.saved, ...withoutImages };
  if (!inception) {
    throw new Error("The Inception network is not installed: run deno task inception");
  }
  using bar = openProgressBar(`Features of ${name}`);
  const progress = (done: number, of: number | null) => bar.update(done, of);
  const { set, source } = input;
  if (set && !keep.features && !keep.logits) {
    const waiting = () =>
      console.error(`${name}: waiting for another process that computes its features`);
    const options = { inception, mode, split, watcher: { progress, waiting } };
    return { ...await cachedStatistics(set, options), ...withoutImages };
  }
  const described = await describeImages(source, { inception, mode, split, keep, progress });
  const skipped = source.skipped?.();
  if (skipped !== undefined) console.error(plainText(skipped));
  return described;
}

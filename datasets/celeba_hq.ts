import { join } from "node:path";
import * as z from "zod";
import type { Dataset, ImageSet, Split } from "../harness/core/types.ts";
import { decodedFolder, sourceFolder } from "./parts/file_dataset.ts";
import {
  loadPictureSplit,
  type PictureDefinition,
  pictureSplits,
} from "./parts/picture_dataset.ts";
import { byCodeUnit } from "../harness/formats/image_rule.ts";
import { openPictureFiles } from "./parts/picture_files.ts";

/** Name on the command line and in the data folder; data sets append their size. */
export const CELEBA_HQ = "celeba_hq";

const COUNTS: Readonly<Record<Split, number>> = { train: 27_000, test: 3_000 };

/** Error message with the command that installs the images. */
export const CELEBA_HQ_HINT =
  `CelebA-HQ has no reliable open download: get its 30,000 images (a folder or archive of PNG, JPEG or .npy files) from its authors or a copy, then run "deno task data ${CELEBA_HQ} --from PATH"`;

/** Definition of CelebA-HQ at `size` x `size` pixels; tests pass other `counts`. */
export function celebaHqDefinition(size: number, counts = COUNTS): PictureDefinition {
  return {
    name: CELEBA_HQ,
    size,
    division:
      `by the last number in the name, the first ${counts.train} train, the last ${counts.test} test`,
    divide(names) {
      const expected = counts.train + counts.test;
      if (names.length !== expected) {
        throw new Error(
          `CelebA-HQ must have ${expected} images, got ${names.length}: name a folder or archive with exactly these images, or use folder:PATH for a subset`,
        );
      }
      const sorted = names.toSorted((a, b) => numberOf(a) - numberOf(b) || byCodeUnit(a, b));
      return { train: sorted.slice(0, counts.train), test: sorted.slice(counts.train) };
    },
  };
}

/** Sort key: the last number in `name`, such as 17 in `CelebA-HQ-img/17.jpg` and `imgHQ00017.npy`; shards come first. */
function numberOf(name: string): number {
  const numbers = (name.split("/").at(-1) ?? "").match(/\d+/g);
  if (!numbers) throw new Error(`"${name}" must have a number, by which CelebA-HQ is ordered`);
  const shard = name.includes("#") && numbers.length > 1 ? Number(numbers.at(-2)) : 0;
  return shard * SHARD_LIMIT + Number(numbers.at(-1));
}

/** Upper bound of the number of images in a .npy shard. */
const SHARD_LIMIT = 1_000_000;

/** CelebA-HQ at 32x32 pixels. */
export const celebaHq32: Dataset = celebaHq(32);
/** CelebA-HQ at 64x64 pixels. */
export const celebaHq64: Dataset = celebaHq(64);

function celebaHq(size: number): Dataset {
  return {
    name: `${CELEBA_HQ}_${size}`,
    label: `CelebA-HQ (${size})`,
    source:
      "T. Karras, T. Aila, S. Laine, J. Lehtinen: Progressive growing of GANs, ICLR 2018, arXiv 1710.10196; of CelebA, for non-commercial research only",
    image: { height: size, width: size, channels: 3 },
    counts: COUNTS,
    files: [],
    load: (split) => load(split, celebaHqDefinition(size)),
  };
}

/** Record of the images that the user provided; the decoded images are in the cache. */
const givenSchema = z.object({ path: z.string(), fingerprint: z.string() });

const givenPath = () => join(sourceFolder(CELEBA_HQ), "given.json");

/** Decodes the images at `path` to both sizes and records that they were provided. */
export async function installCelebaHq(
  path: string,
  onProgress?: (count: number) => void,
): Promise<void> {
  const files = await openPictureFiles(path, { cache: decodedFolder() });
  for (const size of [32, 64]) {
    const definition = celebaHqDefinition(size);
    await pictureSplits(files, { definition, folder: decodedFolder(), onProgress });
  }
  const given: z.infer<typeof givenSchema> = { path, fingerprint: files.fingerprint };
  await Deno.mkdir(sourceFolder(CELEBA_HQ), { recursive: true });
  await Deno.writeTextFile(givenPath(), JSON.stringify(given, null, 2));
}

/** Whether CelebA-HQ at this size has been installed. */
export async function isCelebaHqInstalled(size: number): Promise<boolean> {
  return await installedSplit("test", celebaHqDefinition(size)) !== null;
}

async function load(split: Split, definition: PictureDefinition): Promise<ImageSet> {
  const set = await installedSplit(split, definition);
  if (!set) throw new Error(CELEBA_HQ_HINT);
  return set;
}

async function installedSplit(
  split: Split,
  definition: PictureDefinition,
): Promise<ImageSet | null> {
  let text: string;
  try {
    text = await Deno.readTextFile(givenPath());
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
  const { fingerprint } = givenSchema.parse(JSON.parse(text));
  return await loadPictureSplit(split, { definition, folder: decodedFolder(), fingerprint });
}

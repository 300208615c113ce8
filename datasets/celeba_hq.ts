import { join } from "node:path";
import * as z from "zod";
import type { Dataset, ImageSet, Split } from "../harness/core/types.ts";
import { decodedFolder, sourceFolder } from "./parts/file_dataset.ts";
import { loadPicturePart, type PictureDefinition, pictureParts } from "./parts/picture_dataset.ts";
import { byCodeUnit, openPictureFiles } from "./parts/picture_files.ts";

/** Name for the command line and the data folder; the data sets add their size. */
export const CELEBA_HQ = "celeba_hq";

const COUNTS: Readonly<Record<Split, number>> = { train: 27_000, test: 3_000 };

/** What to do without the pictures. */
export const CELEBA_HQ_ADVICE =
  `CelebA-HQ has no dependable open download: get its 30,000 pictures (folder or archive of PNG or JPEG, or .npy) from its authors or a copy, and run "deno task data ${CELEBA_HQ} --from PATH"`;

/** How the pictures become images of `size` x `size`; `counts` is for tests. */
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
          `CelebA-HQ has ${expected} pictures, here are ${names.length}: name the folder or archive with them and no others, or use folder:PATH for a part`,
        );
      }
      const sorted = names.toSorted((a, b) => numberOf(a) - numberOf(b) || byCodeUnit(a, b));
      return { train: sorted.slice(0, counts.train), test: sorted.slice(counts.train) };
    },
  };
}

/** The last number in `name`: 17 for `CelebA-HQ-img/17.jpg`, `imgHQ00017.npy` and `shard2.npy#000017`. */
function numberOf(name: string): number {
  const numbers = (name.split("/").at(-1) ?? "").match(/\d+/g);
  if (!numbers) throw new Error(`"${name}" has no number, by which CelebA-HQ is ordered`);
  const shard = name.includes("#") && numbers.length > 1 ? Number(numbers.at(-2)) : 0;
  return shard * SHARD_LIMIT + Number(numbers.at(-1));
}

/** More pictures than a .npy shard can hold of this set. */
const SHARD_LIMIT = 1_000_000;

/** CelebA-HQ at 32x32 and 64x64 pixels. */
export const celebaHq32: Dataset = celebaHq(32);
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

/** Which pictures the user gave; their decoded forms are in the cache. */
const givenSchema = z.object({ path: z.string(), fingerprint: z.string() });

const givenPath = () => join(sourceFolder(CELEBA_HQ), "given.json");

/** Decodes the pictures at `path` to both sizes and remembers that they were given. */
export async function takeCelebaHq(
  path: string,
  onProgress?: (count: number) => void,
): Promise<void> {
  const files = await openPictureFiles(path);
  for (const size of [32, 64]) {
    const definition = celebaHqDefinition(size);
    await pictureParts(files, { definition, folder: decodedFolder(), onProgress });
  }
  const given: z.infer<typeof givenSchema> = { path, fingerprint: files.fingerprint };
  await Deno.mkdir(sourceFolder(CELEBA_HQ), { recursive: true });
  await Deno.writeTextFile(givenPath(), JSON.stringify(given, null, 2));
}

/** Whether the pictures were given and decoded. */
export async function isCelebaHqThere(size: number): Promise<boolean> {
  return await partGiven("test", celebaHqDefinition(size)) !== null;
}

async function load(split: Split, definition: PictureDefinition): Promise<ImageSet> {
  const set = await partGiven(split, definition);
  if (!set) throw new Error(CELEBA_HQ_ADVICE);
  return set;
}

async function partGiven(split: Split, definition: PictureDefinition): Promise<ImageSet | null> {
  let text: string;
  try {
    text = await Deno.readTextFile(givenPath());
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
  const { fingerprint } = givenSchema.parse(JSON.parse(text));
  return await loadPicturePart(split, { definition, folder: decodedFolder(), fingerprint });
}

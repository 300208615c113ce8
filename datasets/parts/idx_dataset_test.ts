import assert from "node:assert/strict";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Split } from "../../harness/core/types.ts";
import { decodeSplit, fileDataset } from "./file_dataset.ts";
import { type IdxFile, idxSource } from "./idx_dataset.ts";
import { withoutPadding } from "./without_padding.ts";
import { createImageSet, sha256Hex } from "../../harness/core/image_set.ts";

/** A file of two images of 28x28: pixel (y, x) of image i is 100 i + y for x = 0 and 0 elsewhere. */
function imagesFile(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(16 + 2 * 784);
  bytes.set([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 28, 0, 0, 0, 28]);
  for (const i of [0, 1]) for (let y = 0; y < 28; y++) bytes[16 + i * 784 + y * 28] = 100 * i + y;
  return bytes;
}
const LABELS_FILE = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 7, 3);

const file = (name: string, content: Uint8Array): IdxFile => ({
  name,
  bytes: content.length,
  sha256: "",
  unpackedSha256: sha256Hex(content),
});

function tinySet(folder: string) {
  const part = {
    images: file("images-ubyte.gz", imagesFile()),
    labels: file("labels-ubyte.gz", LABELS_FILE),
  };
  const source = idxSource({
    name: "tiny",
    label: "Tiny",
    source: "made here",
    counts: { train: 2, test: 2 },
    parts: { train: part, test: part },
  });
  return { source, load: (split: Split) => decodeSplit(source, { split, from: folder }) };
}

/** Runs `body` with a temporary folder that contains the files `contents`. */
async function withFolder(
  contents: Readonly<Record<string, Uint8Array>>,
  body: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, bytes] of Object.entries(contents)) {
      await Deno.writeFile(join(folder, name), bytes);
    }
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (const [form, suffix] of [["packed", ".gz"], ["unpacked", ""]] as const) {
  Deno.test(`idxSource() loads ${form} files and pads to 32x32`, async () => {
    const pack = suffix ? gzipSync : (bytes: Uint8Array) => bytes;
    const contents = {
      [`images-ubyte${suffix}`]: pack(imagesFile()),
      [`labels-ubyte${suffix}`]: pack(LABELS_FILE),
    };
    await withFolder(contents, async (folder) => {
      const set = await tinySet(folder).load("train");
      assert.equal(set.pixels.length, 2 * 1024);
      assert.deepEqual([...set.labels ?? []], [7, 3]);
      assert.equal(set.pixels[(2 + 5) * 32 + 2], 5);
      assert.equal(set.pixels[1024 + (2 + 27) * 32 + 2], 127);
      // The sum of 0..27, twice, and 28 times 100.
      assert.equal(set.pixels.reduce((a, b) => a + b, 0), 2 * 378 + 2800);
    });
  });
}

Deno.test("without padding, images are those of the file, byte for byte", async () => {
  const contents = { "images-ubyte": imagesFile(), "labels-ubyte": LABELS_FILE };
  await withFolder(contents, async (folder) => {
    const { source, load } = tinySet(folder);
    const padded = {
      ...fileDataset(source),
      load: async (split: Split) => createImageSet(await load(split)),
    };
    const native = withoutPadding(padded, 28);
    assert.deepEqual([native.name, native.image], ["tiny@28", {
      height: 28,
      width: 28,
      channels: 1,
    }]);
    const set = await native.load("test");
    assert.deepEqual(set.image, native.image);
    assert.deepEqual(set.pixels, imagesFile().subarray(16));
    assert.deepEqual([...set.labels ?? []], [7, 3]);
  });
});

Deno.test("idxSource() names a missing file and gives a hint", async () => {
  await withFolder({}, async (folder) => {
    await assert.rejects(tinySet(folder).load("test"), (error: Error) => {
      assert.match(error.message, /images-ubyte\.gz of data set "tiny" is not in/);
      assert.match(error.message, /deno task data tiny/);
      return true;
    });
  });
});

Deno.test("idxSource() refuses other content and damaged streams", async () => {
  const labels = gzipSync(LABELS_FILE);
  const wrong = gzipSync(imagesFile().with(20, 1));
  await withFolder({ "images-ubyte.gz": wrong, "labels-ubyte.gz": labels }, async (folder) => {
    await assert.rejects(tinySet(folder).load("train"), /is not images-ubyte\.gz.*SHA-256/);
  });
  const cut = gzipSync(imagesFile()).subarray(0, 100);
  await withFolder({ "images-ubyte.gz": cut, "labels-ubyte.gz": labels }, async (folder) => {
    await assert.rejects(tinySet(folder).load("train"), /is damaged/);
  });
});

import assert from "node:assert/strict";
import { join } from "node:path";
import { assertSameBytes, fixture, fixtureImages, withFolder } from "./fixtures.ts";
import sharp from "sharp";
import { pixelCount } from "./decode_picture.ts";
import { celebaHqDefinition } from "../celeba_hq.ts";
import { decodePictures, partsWithin, pictureDataset } from "./picture_dataset.ts";
import { openImageFiles } from "../../harness/formats/image_files.ts";

/** Makes a data set of a user's folder or archive with the cache folder `cache`. */
async function datasetOf(path: string, cache: string, size = 32) {
  return await pictureDataset(path, { name: "own", size, folder: cache });
}

/** Copies fixtures into a folder, under the given names. */
async function copyFixtures(
  folder: string,
  names: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [to, from] of Object.entries(names)) {
    const path = join(folder, to);
    await Deno.mkdir(join(path, ".."), { recursive: true });
    await Deno.copyFile(fixture(from), path);
  }
}

Deno.test("pictureDataset() reads a zip of PNG and JPEG with folders train and test", async () => {
  await withFolder(async (cache) => {
    const dataset = await datasetOf(fixture("pictures.zip"), cache);
    assert.deepEqual(dataset.counts, { train: 4, test: 1 });
    assert.deepEqual(dataset.image, { height: 32, width: 32, channels: 3 });
    const train = await dataset.load("train");
    // Images 0 to 3 are crops of 40x40 images at (4, 4).
    const whole = { height: 40, width: 40, channels: 3 };
    const cut = (number: number) => {
      const source = fixtureImages([number], whole);
      return Uint8Array.from({ length: 3072 }, (_, i) => {
        const [row, column] = [Math.floor(i / 96) + 4, Math.floor(i / 3) % 32 + 4];
        return source[(row * 40 + column) * 3 + i % 3];
      });
    };
    // The order, by SHA-256 of "order\0", name and "\0", was computed with hashlib.
    for (const [row, number] of [[1, 1], [2, 2], [3, 0]]) {
      assertSameBytes(train.pixels.slice(row * 3072, (row + 1) * 3072), cut(number));
    }
    assertSameBytes((await dataset.load("test")).pixels, cut(3));
    // JPEG at quality 95 preserves a smooth ramp to a few levels; the ramps of the channels differ by up to 160.
    const smooth = train.pixels.subarray(0, 3072);
    for (let row = 0; row < 32; row++) {
      for (let column = 0; column < 32; column++) {
        const [y, x] = [row * 160 / 31, column * 160 / 31];
        [y + 40, x + 40, (y + x) / 2 + 40].forEach((expected, channel) => {
          const actual = smooth[(row * 32 + column) * 3 + channel];
          assert(Math.abs(actual - expected) <= 6, `${row} ${column} ${channel}: ${actual}`);
        });
      }
    }
  });
});

Deno.test("pictureDataset() keeps grey, enlarges, and divides a tar archive by names", async () => {
  await withFolder(async (cache) => {
    const dataset = await datasetOf(fixture("grey.tar.gz"), cache);
    assert.equal(dataset.image.channels, 1);
    assert.equal(dataset.counts.train + dataset.counts.test, 12);
    const [train, test] = [await dataset.load("train"), await dataset.load("test")];
    // The test split was computed with hashlib: the first 32 bits of SHA-256 of "split\0", "0\0", name and "\0"
    // are below 0.1 * 2^32.
    const order = [4, 5, 8, 10, 7, 2, 9, 1, 11, 3, 0, 6]; // by SHA-256 of "order\0", name and "\0"
    const enlarged = (numbers: readonly number[]) => {
      const small = fixtureImages(numbers, { height: 16, width: 16, channels: 1 });
      return Uint8Array.from({ length: numbers.length * 1024 }, (_, i) => {
        const [image, within] = [Math.floor(i / 1024), i % 1024];
        return small[image * 256 + (within >> 6) * 16 + (within % 32 >> 1)];
      });
    };
    assertSameBytes(test.pixels, enlarged(order.filter((n) => TESTS.includes(n))));
    assertSameBytes(train.pixels, enlarged(order.filter((n) => !TESTS.includes(n))));
  });
});
const TESTS: readonly number[] = [0];

Deno.test("pictureDataset() decodes a folder once, and again if a file changes", async () => {
  await withFolder(async (folder) => {
    const [pictures, cache] = [join(folder, "pictures"), join(folder, "cache")];
    await copyFixtures(pictures, {
      "train/a.png": "mode_L.png",
      "train/b.png": "mode_LA.png",
      "test/c.png": "mode_L.png",
    });
    const pixels = () =>
      Array.from(Deno.readDirSync(cache)).filter(({ name }) => name.startsWith("pictures"));
    const first = await datasetOf(pictures, cache);
    const { mtime } = await Deno.stat(join(cache, pixels()[0].name));
    const again = await datasetOf(pictures, cache);
    assert.equal((await again.load("train")).sha256, (await first.load("train")).sha256);
    assert.equal(pixels().length, 4);
    const { mtime: later } = await Deno.stat(join(cache, pixels()[0].name));
    assert.deepEqual(later, mtime);
    await Deno.remove(join(pictures, "train/b.png"));
    assert.equal((await datasetOf(pictures, cache)).counts.train, 1);
  });
});

Deno.test("pictureDataset() reads a grey picture among colours as three equal channels", async () => {
  await withFolder(async (folder) => {
    const [pictures, cache] = [join(folder, "pictures"), join(folder, "cache")];
    await copyFixtures(pictures, {
      "train/a.png": "mode_L.png",
      "train/b.png": "mode_RGB.png",
      "test/c.png": "mode_L.png",
    });
    const dataset = await datasetOf(pictures, cache);
    assert.equal(dataset.image.channels, 3);
    const [train, test] = [await dataset.load("train"), await dataset.load("test")];
    const isGrey = (pixels: Uint8Array) => pixels.every((value, i) => value === pixels[i - i % 3]);
    assert.deepEqual(
      [0, 1].map((i) => isGrey(train.pixels.slice(i * 3072, (i + 1) * 3072))).sort(),
      [
        false,
        true,
      ],
    );
    assert.ok(isGrey(test.pixels) && new Set(test.pixels).size > 1);
  });
});

Deno.test("partsWithin() bounds the pixels that are decoded at once, and keeps the order", () => {
  const items = [3, 4, 9, 20, 1, 2, 3, 4].map((pixels) => ({ pixels }));
  const parts = partsWithin(items, 10).map((part) => part.map(({ pixels }) => pixels));
  assert.deepEqual(parts, [[3, 4], [9], [20], [1, 2, 3, 4]]);
  assert.deepEqual(partsWithin([], 10), []);
});

Deno.test("pixelCount() reads the header of a small file that decodes to many pixels", async () => {
  const side = 2 ** 11;
  const create = { width: side, height: side, channels: 3, background: "red" } as const;
  const bytes = new Uint8Array(await sharp({ create }).png().toBuffer());
  assert.ok(bytes.length < 2 ** 16);
  assert.equal(await pixelCount(bytes), side ** 2);
  assert.equal(await pixelCount(new Uint8Array(5)), 0);
});

for (
  const [criterion, names, message] of [
    ["a folder without images", { "readme.md": "mode_L.png" }, /contains no images$/],
    [
      "names that differ only in case",
      { "a.png": "mode_L.png", "A.png": "mode_L.png" },
      /"A\.png" and "a\.png", which are one name/,
    ],
    [
      "a transparent image",
      { "t.png": "mode_RGBA.png" },
      /^t\.png cannot be decoded: transparent/,
    ],
    [
      "images outside train and test",
      { "train/a.png": "mode_L.png", "b.png": "mode_L.png" },
      /"b\.png" is outside the folders/,
    ],
    [
      "an empty split",
      { "train/a.png": "mode_L.png" },
      /None of the 1 images of .* is in the test split/,
    ],
    [
      "an array that is not an image",
      { "a.npy": "faces_float.npy" },
      /^a\.npy must be row-major uint8, got <f4/,
    ],
    [
      "a file with the wrong extension",
      { "a.png": "svhn_plain.mat" },
      /^a\.png cannot be decoded: file is no picture of pixels/,
    ],
  ] as const
) {
  Deno.test(`pictureDataset() refuses ${criterion} and caches nothing`, async () => {
    await withFolder(async (folder) => {
      const [pictures, cache] = [join(folder, "pictures"), join(folder, "cache")];
      await copyFixtures(pictures, names);
      await assert.rejects(datasetOf(pictures, cache), (error: Error) => {
        assert.match(error.message, message);
        assert(!error.message.includes("\n"));
        return true;
      });
      await assert.rejects(Deno.stat(cache), Deno.errors.NotFound);
    });
  });
}

for (
  const [name, message] of [
    [
      "link.zip",
      /link\.zip: entry "a\.png" is a link to a file that is not in the archive: replace it/,
    ],
    [
      "link.tar",
      /link\.tar: entry "a\.png" is a link to a file that is not in the archive: replace it/,
    ],
    [
      "traversal.tar",
      /traversal\.tar: entry "\.\.\/\.\.\/evil\.png" leads out of the archive: remove it$/,
    ],
    [
      "huge.zip",
      /huge\.png cannot be decoded: image must have at most 67108864 pixels, got 20000 x 20000$/,
    ],
    ["svhn_plain.mat", /svhn_plain\.mat is not a supported source of images/],
    ["absent.zip", /File or folder not found: .*absent\.zip$/],
  ] as const
) {
  Deno.test(`pictureDataset() refuses ${name}`, async () => {
    await withFolder((cache) => assert.rejects(datasetOf(fixture(name), cache), message));
  });
}

Deno.test("pictureDataset() names a damaged archive", async () => {
  await withFolder(async (folder) => {
    const bytes = await Deno.readFile(fixture("pictures.zip"));
    await Deno.writeFile(join(folder, "cut.zip"), bytes.slice(0, -40));
    await assert.rejects(datasetOf(join(folder, "cut.zip"), folder), /cut\.zip: /);
    bytes[200] ^= 1; // within the first image
    await Deno.writeFile(join(folder, "flipped.zip"), bytes);
    await assert.rejects(
      datasetOf(join(folder, "flipped.zip"), folder),
      /flipped\.zip: .*checksum/,
    );
  });
});

Deno.test("celebaHqDefinition() orders .npy shards by number and divides by position", async () => {
  await withFolder(async (folder) => {
    await copyFixtures(folder, {
      "imgHQ00010.npy": "faces_nhwc.npy",
      "imgHQ00002.npy": "faces_nchw.npy",
    });
    const files = await openImageFiles(folder);
    const definition = celebaHqDefinition(16, { train: 4, test: 1 });
    const { train, test } = await decodePictures(files, { definition });
    const image = { height: 16, width: 16, channels: 3 };
    assertSameBytes(train.pixels, fixtureImages([0, 1, 2, 3], image));
    assertSameBytes(test.pixels, fixtureImages([4], image));
    await assert.rejects(
      decodePictures(files, { definition: celebaHqDefinition(16) }),
      /CelebA-HQ must have 30000 images, got 5/,
    );
  });
});

Deno.test("celebaHqDefinition() orders numerically, not alphabetically", () => {
  const names = ["img/10.jpg", "img/9.jpg", "img/100.jpg"];
  const { train, test } = celebaHqDefinition(32, { train: 2, test: 1 }).divide(names);
  assert.deepEqual([train, test], [["img/9.jpg", "img/10.jpg"], ["img/100.jpg"]]);
});

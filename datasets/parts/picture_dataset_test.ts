import assert from "node:assert/strict";
import { join } from "node:path";
import { assertSameBytes, fixture, fixtureImages, withFolder } from "./fixtures.ts";
import { celebaHqDefinition } from "../celeba_hq.ts";
import { decodePictures, pictureDataset } from "./picture_dataset.ts";
import { openPictureFiles } from "./picture_files.ts";

/** Decodes a fixture as a user's archive, with a cache of its own. */
async function datasetOf(path: string, cache: string, size = 32) {
  return await pictureDataset(path, { word: "own", size, folder: cache });
}

/** Copies fixtures into a folder, under the names given. */
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
    // Pictures 0 to 3 are cut from 40x40 at (4, 4).
    const whole = { height: 40, width: 40, channels: 3 };
    const cut = (number: number) => {
      const source = fixtureImages([number], whole);
      return Uint8Array.from({ length: 3072 }, (_, i) => {
        const [row, column] = [Math.floor(i / 96) + 4, Math.floor(i / 3) % 32 + 4];
        return source[(row * 40 + column) * 3 + i % 3];
      });
    };
    // The order, of SHA-256 of "order\0", name and "\0", was computed with hashlib.
    for (const [row, number] of [[1, 1], [2, 2], [3, 0]]) {
      assertSameBytes(train.pixels.slice(row * 3072, (row + 1) * 3072), cut(number));
    }
    assertSameBytes((await dataset.load("test")).pixels, cut(3));
    // JPEG at quality 95 keeps a smooth ramp to a few levels; the channels' ramps differ by up to 160.
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

Deno.test("pictureDataset() keeps grey, enlarges, and splits a tar by names", async () => {
  await withFolder(async (cache) => {
    const dataset = await datasetOf(fixture("grey.tar.gz"), cache);
    assert.equal(dataset.image.channels, 1);
    assert.equal(dataset.counts.train + dataset.counts.test, 12);
    const [train, test] = [await dataset.load("train"), await dataset.load("test")];
    // Which pictures are tests was computed with hashlib: SHA-256 of "split\0", "0\0", name and "\0",
    // first 32 bits below 0.1 * 2^32.
    const order = [4, 5, 8, 10, 7, 2, 9, 1, 11, 3, 0, 6]; // of SHA-256 of "order\0", name and "\0"
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

Deno.test("pictureDataset() decodes a folder once, and again when a picture changes", async () => {
  await withFolder(async (folder) => {
    const [pictures, cache] = [join(folder, "pictures"), join(folder, "cache")];
    await copyFixtures(pictures, {
      "train/a.png": "mode_L.png",
      "train/b.png": "mode_LA.png",
      "test/c.png": "mode_L.png",
    });
    const first = await datasetOf(pictures, cache);
    const { mtime } = await Deno.stat(join(cache, Array.from(Deno.readDirSync(cache))[0].name));
    const again = await datasetOf(pictures, cache);
    assert.equal((await again.load("train")).sha256, (await first.load("train")).sha256);
    assert.equal(Array.from(Deno.readDirSync(cache)).length, 4);
    const { mtime: later } = await Deno.stat(
      join(cache, Array.from(Deno.readDirSync(cache))[0].name),
    );
    assert.deepEqual(later, mtime);
    await Deno.remove(join(pictures, "train/b.png"));
    assert.equal((await datasetOf(pictures, cache)).counts.train, 1);
  });
});

for (
  const [criterion, names, message] of [
    ["no pictures", { "readme.md": "mode_L.png" }, /holds no pictures$/],
    [
      "names that differ in case alone",
      { "a.png": "mode_L.png", "A.png": "mode_L.png" },
      /"A\.png" and "a\.png", one name/,
    ],
    [
      "mixed channels",
      { "a.png": "mode_L.png", "b.png": "mode_RGB.png" },
      /[ab]\.png has [13] channels, [ab]\.png has [13]/,
    ],
    ["a transparent picture", { "t.png": "mode_RGBA.png" }, /^t\.png is not usable: transparent/],
    [
      "pictures outside train and test",
      { "train/a.png": "mode_L.png", "b.png": "mode_L.png" },
      /"b\.png" is in neither of the folders/,
    ],
    [
      "an empty part",
      { "train/a.png": "mode_L.png" },
      /None of the 1 pictures of .* is for the test part/,
    ],
    [
      "an array that is no picture",
      { "a.npy": "faces_float.npy" },
      /^a\.npy holds <f4, expected row-major uint8/,
    ],
    [
      "a file with the wrong ending",
      { "a.png": "svhn_plain.mat" },
      /^a\.png is not usable: Input buffer/,
    ],
  ] as const
) {
  Deno.test(`pictureDataset() refuses ${criterion}, and keeps nothing`, async () => {
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
    ["link.zip", /link\.zip: entry "a\.png" is a link: refused$/],
    ["link.tar", /link\.tar: entry "a\.png" is a link: refused$/],
    [
      "traversal.tar",
      /traversal\.tar: entry "\.\.\/\.\.\/evil\.png" leads out of the archive: refused$/,
    ],
    ["huge.zip", /huge\.png is not usable: 20000 x 20000 pixels: at most 67108864 are decoded$/],
    ["svhn_plain.mat", /svhn_plain\.mat is no archive that is read/],
    ["absent.zip", /There is no file or folder .*absent\.zip$/],
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
    bytes[200] ^= 1; // within the first picture
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
    const files = await openPictureFiles(folder);
    const definition = celebaHqDefinition(16, { train: 4, test: 1 });
    const { train, test } = await decodePictures(files, { definition });
    const image = { height: 16, width: 16, channels: 3 };
    assertSameBytes(train.pixels, fixtureImages([0, 1, 2, 3], image));
    assertSameBytes(test.pixels, fixtureImages([4], image));
    await assert.rejects(
      decodePictures(files, { definition: celebaHqDefinition(16) }),
      /CelebA-HQ has 30000 pictures, here are 5/,
    );
  });
});

Deno.test("celebaHqDefinition() orders by number, not by letters", () => {
  const names = ["img/10.jpg", "img/9.jpg", "img/100.jpg"];
  const { train, test } = celebaHqDefinition(32, { train: 2, test: 1 }).divide(names);
  assert.deepEqual([train, test], [["img/9.jpg", "img/10.jpg"], ["img/100.jpg"]]);
});

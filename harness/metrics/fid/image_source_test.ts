import assert from "node:assert/strict";
import { join } from "node:path";
import { gzipSync, zipSync } from "fflate";
import sharp, { type Sharp } from "sharp";
import { decodeImage } from "./decode_image.ts";
import { imagesAt, imagesOfSet } from "./image_source.ts";
import type { Raster } from "./resize.ts";

interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 2 | 3 | 4;
}

function picture(pixels: readonly number[], size: Pixels): Sharp {
  return sharp(Uint8Array.from(pixels), { raw: size });
}

const RGB = [10, 20, 30, 200, 100, 0];
const TWO = { width: 2, height: 1 } as const;

async function decoded(bytes: Uint8Array): Promise<Raster> {
  const { height, width, data } = await decodeImage(bytes, "x");
  return { height, width, data: new Uint8Array(data) };
}

async function encoded(picture: Sharp): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await picture.toBuffer());
}

Deno.test("decodeImage() returns RGB for colour, alpha, grey, grey with alpha, and palettes", async () => {
  const cases: [Promise<Uint8Array>, number[]][] = [
    [encoded(picture(RGB, { ...TWO, channels: 3 }).png()), RGB],
    [encoded(picture(RGB, { ...TWO, channels: 3 }).webp({ lossless: true })), RGB],
    [encoded(picture(RGB, { ...TWO, channels: 3 }).tiff({ compression: "lzw" })), RGB],
    [encoded(picture(RGB, { ...TWO, channels: 3 }).png({ palette: true })), RGB],
    // Alpha is dropped, not blended, even where it is 0 (PIL's convert("RGB")).
    [encoded(picture([10, 20, 30, 0, 200, 100, 0, 99], { ...TWO, channels: 4 }).png()), RGB],
    [
      encoded(picture([7, 99], { ...TWO, channels: 1 }).toColourspace("b-w").png()),
      [7, 7, 7, 99, 99, 99],
    ],
    [
      encoded(picture([7, 0, 99, 255], { ...TWO, channels: 2 }).toColourspace("b-w").png()),
      [7, 7, 7, 99, 99, 99],
    ],
  ];
  for (const [bytes, data] of cases) {
    assert.deepEqual(await decoded(await bytes), { ...TWO, data: Uint8Array.from(data) });
  }
});

Deno.test("decodeImage() does not apply orientation tags", async () => {
  const turned = picture(RGB, { ...TWO, channels: 3 }).withMetadata({ orientation: 6 }).png();
  assert.deepEqual(await decoded(await encoded(turned)), { ...TWO, data: Uint8Array.from(RGB) });
});

Deno.test("decodeImage() does not apply colour profiles", async () => {
  // A PNG with a Display P3 profile; if the profile were applied, red would grow.
  const wide = await encoded(picture(RGB, { ...TWO, channels: 3 }).withIccProfile("p3").png());
  const { data } = await sharp(wide, { ignoreIcc: true }).raw().toBuffer({
    resolveWithObject: true,
  });
  assert.notDeepEqual(new Uint8Array(data), Uint8Array.from(RGB)); // sharp converts on saving
  assert.deepEqual((await decoded(wide)).data, new Uint8Array(data));
  const applied = await sharp(wide).toColourspace("srgb").raw().toBuffer();
  assert.notDeepEqual(new Uint8Array(applied), new Uint8Array(data)); // otherwise the test proves nothing
});

Deno.test("decodeImage() refuses 16-bit, CMYK, truncated and other files and names them", async () => {
  const rgb = () => picture(Array(48 * 48 * 3).fill(120), { width: 48, height: 48, channels: 3 });
  const deep = await encoded(rgb().toColourspace("rgb16").png());
  const cmyk = await encoded(rgb().toColourspace("cmyk").jpeg());
  const jpeg = await encoded(rgb().jpeg()), png = await encoded(rgb().png());
  const cases: [Uint8Array, RegExp][] = [
    [deep, /channels must have 8 bits, got ushort/],
    [cmyk, /CMYK/],
    [jpeg.slice(0, jpeg.length - 40), /./],
    [png.slice(0, png.length - 40), /./],
    [jpeg.slice(0, 20), /./],
    [new TextEncoder().encode("<html>"), /is no picture of pixels/],
    [new Uint8Array(), /./],
  ];
  for (const [bytes, error] of cases) {
    await assert.rejects(decodeImage(bytes, "folder/bad.jpg"), (thrown: unknown) => {
      assert.ok(thrown instanceof SyntaxError, String(thrown));
      assert.match(thrown.message, /^folder\/bad\.jpg: /);
      assert.match(thrown.message, error);
      return true;
    });
  }
});

async function read(path: string): Promise<{ count: number | null; reds: number[] }> {
  const source = await imagesAt(path);
  const reds: number[] = [];
  for await (const image of source.images()) reds.push(image.data[0]);
  return { count: source.count, reds };
}

/** Makes a ustar archive of `files`. */
function tar(files: Readonly<Record<string, Uint8Array>>): Uint8Array<ArrayBuffer> {
  const parts = Object.entries(files).flatMap(([name, content]) => {
    const header = new Uint8Array(512);
    const put = (at: number, value: string) => header.set(new TextEncoder().encode(value), at);
    put(0, name);
    put(124, content.length.toString(8).padStart(11, "0"));
    put(148, " ".repeat(8));
    put(156, "0");
    put(148, header.reduce((a, b) => a + b, 0).toString(8).padStart(6, "0") + "\0 ");
    const padding = new Uint8Array(Math.ceil(content.length / 512) * 512 - content.length);
    return [...header, ...content, ...padding];
  });
  return Uint8Array.from([...parts, ...new Uint8Array(1024)]);
}

Deno.test("imagesAt() reads folders and archives of images of different sizes, in the order of names", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const grey = (value: number, side: number) =>
      encoded(
        picture(Array(side * side * 3).fill(value), { width: side, height: side, channels: 3 })
          .png(),
      );
    const files = {
      "b.png": await grey(2, 3),
      "a/z.png": await grey(1, 5),
      "c.PNG": await grey(3, 1),
      "._c.png": new Uint8Array(4),
      "notes.txt": new TextEncoder().encode("not an image"),
    };
    await Deno.mkdir(join(folder, "set", "a"), { recursive: true });
    for (const [name, bytes] of Object.entries(files)) {
      await Deno.writeFile(join(folder, "set", name), bytes);
    }
    await Deno.symlink(join(folder, "set"), join(folder, "set", "loop"));
    await Deno.writeFile(join(folder, "set.zip"), zipSync(files));
    await Deno.writeFile(join(folder, "set.tar"), tar(files));
    await Deno.writeFile(join(folder, "set.tgz"), gzipSync(tar(files)));
    const before = [...Deno.readDirSync(folder)].length;
    assert.deepEqual(await read(join(folder, "set")), { count: 3, reds: [1, 2, 3] });
    assert.deepEqual(await read(join(folder, "set.zip")), { count: 3, reds: [1, 2, 3] });
    // A stream is read in the order of the archive.
    assert.deepEqual(await read(join(folder, "set.tar")), { count: null, reds: [2, 1, 3] });
    assert.deepEqual(await read(join(folder, "set.tgz")), { count: null, reds: [2, 1, 3] });
    assert.equal([...Deno.readDirSync(folder)].length, before);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("imagesAt() refuses paths without images and names the reason", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const at = (name: string) => join(folder, name);
    await Deno.writeTextFile(at("x.zip"), "not a zip");
    await Deno.writeFile(at("empty.zip"), zipSync({ "a.txt": new Uint8Array(1) }));
    await Deno.writeFile(at("broken.zip"), zipSync({ "a.png": new Uint8Array([1, 2, 3]) }));
    await Deno.writeFile(at("bmp.zip"), zipSync({ "a.bmp": new Uint8Array(1) }));
    await Deno.writeTextFile(at("x.txt"), "text");
    await Deno.writeTextFile(at("x.tgz"), "not gzip");
    await Deno.mkdir(at("empty"));
    await assert.rejects(read(at("missing")), /File or folder not found: .*missing/);
    await assert.rejects(read(at("empty")), /empty contains no images/);
    await assert.rejects(read(at("empty.zip")), /empty\.zip contains no images/);
    await assert.rejects(read(at("x.zip")), /x\.zip: Zip archive has no end record/);
    await assert.rejects(read(at("broken.zip")), /broken\.zip: a\.png: /);
    await assert.rejects(
      read(at("bmp.zip")),
      /bmp\.zip: a\.bmp: \.bmp is not read: convert it to PNG/,
    );
    await assert.rejects(read(at("x.txt")), /is not a supported source of images/);
    await assert.rejects(read(at("x.tgz")), /x\.tgz: /);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("imagesOfSet() converts grey images to three equal channels", async () => {
  const image = { height: 1, width: 2, channels: 1 };
  const pixels = Uint8Array.of(1, 2, 3, 4);
  const seen: Raster[] = [];
  for await (const raster of imagesOfSet({ image, count: 2, pixels }, "x").images()) {
    seen.push(raster);
  }
  assert.deepEqual(seen, [
    { height: 1, width: 2, data: Uint8Array.of(1, 1, 1, 2, 2, 2) },
    { height: 1, width: 2, data: Uint8Array.of(3, 3, 3, 4, 4, 4) },
  ]);
});

import assert from "node:assert/strict";
import sharp from "sharp";
import { assertSameBytes, fixture, fixtureImages } from "./fixtures.ts";
import { decodePicture } from "./decode_picture.ts";

const decodeFixture = async (name: string) =>
  await decodePicture(await Deno.readFile(fixture(name)), name);

Deno.test("decodePicture() returns the pixels that Pillow wrote", async () => {
  const picture = await decodeFixture("mode_RGB.png");
  assert.equal(picture.channels, 3);
  assertSameBytes(picture.data, fixtureImages([0], picture));
});

Deno.test("decodePicture() returns one channel for grey, also with an opaque alpha", async () => {
  const plain = await decodeFixture("mode_L.png");
  assert.equal(plain.channels, 1);
  // Pillow's L = (19595 R + 38470 G + 7471 B + 0x8000) >> 16 (ITU-R 601-2)
  const rgb = fixtureImages([0], { ...plain, channels: 3 });
  const expected = Array.from(
    { length: 64 },
    (_, i) => (19595 * rgb[3 * i] + 38470 * rgb[3 * i + 1] + 7471 * rgb[3 * i + 2] + 0x8000) >> 16,
  );
  assert.deepEqual([...plain.data], expected);
  const withAlpha = await decodeFixture("mode_LA.png");
  assert.equal(withAlpha.channels, 1);
  assert.deepEqual([...withAlpha.data], expected);
});

Deno.test("decodePicture() resolves palettes", async () => {
  const { height, width, channels, data } = await decodeFixture("mode_P.png");
  assert.deepEqual([height, width, channels], [8, 8, 3]);
  const rgb = fixtureImages([0], { height, width, channels });
  // An adaptive palette of up to 256 colours represents 64 pixels exactly.
  assertSameBytes(data, rgb);
});

for (
  const [name, message] of [
    ["mode_RGBA.png", /^mode_RGBA\.png cannot be decoded: transparent pixels/],
    ["mode_I16.png", /^mode_I16\.png cannot be decoded: channels must have 8 bits, got ushort/],
    ["mode_CMYK.jpg", /^mode_CMYK\.jpg cannot be decoded: CMYK colours/],
    ["svhn_plain.mat", /^svhn_plain\.mat cannot be decoded: file is no picture of pixels/],
  ] as const
) {
  Deno.test(`decodePicture() refuses ${name}`, async () => {
    await assert.rejects(decodeFixture(name), (error: Error) => {
      assert.match(error.message, message);
      return true;
    });
  });
}

Deno.test("decodePicture() refuses empty and truncated files", async () => {
  await assert.rejects(decodePicture(new Uint8Array(0), "a.png"), /^Error: a\.png is empty$/);
  const bytes = await Deno.readFile(fixture("mode_RGB.png"));
  await assert.rejects(decodePicture(bytes.slice(0, 70), "b.png"), /b\.png cannot be decoded/);
});

Deno.test("decodePicture() applies orientation tags", async () => {
  const raw = { raw: { width: 2, height: 1, channels: 3 } } as const;
  const pixels = Uint8Array.of(10, 11, 12, 200, 201, 202);
  const tagged = await sharp(pixels, raw).png().withMetadata({ orientation: 6 }).toBuffer();
  const { height, width, data } = await decodePicture(new Uint8Array(tagged), "turned.png");
  // Orientation 6: the left side as stored is the top.
  assert.deepEqual([height, width], [2, 1]);
  assert.deepEqual([...data], [...pixels]);
});

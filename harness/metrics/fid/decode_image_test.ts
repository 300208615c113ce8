import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import sharp from "sharp";
import { decodeImage } from "./decode_image.ts";

/** A PNG file whose header states these sizes, with the data of 1 x 1 pixels. */
async function pngOf(width: number, height: number): Promise<Uint8Array> {
  const raw = { width: 1, height: 1, channels: 3 } as const;
  const bytes = new Uint8Array(await sharp(new Uint8Array(3), { raw }).png().toBuffer());
  const view = new DataView(bytes.buffer);
  view.setUint32(16, width);
  view.setUint32(20, height);
  view.setUint32(29, crc32(bytes.subarray(12, 29)));
  return bytes;
}

Deno.test("decodeImage() refuses an image of more than 8192 x 8192 pixels before it decodes any", async () => {
  assert.equal((await decodeImage(await pngOf(1, 1), "a.png")).data.length, 3);
  await assert.rejects(
    async () => decodeImage(await pngOf(8193, 8192), "a.png"),
    /^SyntaxError: a\.png: Input image exceeds pixel limit$/,
  );
  // Of the largest size: decoded, as far as there is data.
  await assert.rejects(
    async () => decodeImage(await pngOf(8192, 8192), "a.png"),
    /^SyntaxError: a\.png: (?!.*pixel limit)/,
  );
});

import assert from "node:assert/strict";
import sharp from "sharp";
import { decodePicture } from "../../datasets/parts/decode_picture.ts";
import { decodeImage } from "../metrics/fid/decode_image.ts";

/** A TIFF of one pixel with these values of the tags compression and photometric interpretation, little-endian. */
function tiff(compression: number, photometric: number): Uint8Array<ArrayBuffer> {
  const tags = [
    [256, 1], // width
    [257, 1], // height
    [258, 8], // bits
    [259, compression],
    [262, photometric],
    [273, 200], // where the pixels are
    [277, 3], // samples a pixel
    [278, 1], // rows a strip
    [279, 3], // bytes a strip
    [530, 1], // chroma subsampling: none
  ];
  const bytes = new Uint8Array(203);
  const view = new DataView(bytes.buffer);
  bytes.set([0x49, 0x49, 42, 0, 8, 0, 0, 0]);
  view.setUint16(8, tags.length, true);
  tags.forEach(([tag, value], i) => {
    const at = 10 + 12 * i;
    const isPair = tag === 530;
    view.setUint16(at, tag, true);
    view.setUint16(at + 2, 3, true); // SHORT
    view.setUint32(at + 4, isPair ? 2 : 1, true);
    view.setUint16(at + 8, value, true);
    if (isPair) view.setUint16(at + 10, value, true);
  });
  bytes.set([10, 200, 30], 200);
  return bytes;
}

for (const [reader, decode] of Object.entries({ decodePicture, decodeImage })) {
  Deno.test(`${reader}() refuses a TIFF with plain YCbCr colours, and reads the same with RGB`, async () => {
    await assert.rejects(decode(tiff(1, 6), "a.tif"), /a\.tif.*YCbCr.*convert it to PNG/);
    const { data } = await decode(tiff(1, 2), "a.tif");
    assert.deepEqual([...data], [10, 200, 30]);
  });

  Deno.test(`${reader}() refuses a drawing named as a picture, and an empty file`, async () => {
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"></svg>';
    await assert.rejects(
      decode(new TextEncoder().encode(svg), "a.png"),
      /a\.png.*file is no picture of pixels, whatever its ending/,
    );
    await assert.rejects(decode(new Uint8Array(), "b.png"), /b\.png.*is empty$/);
  });

  Deno.test(`${reader}() reads a picture under any ending`, async () => {
    const bytes = await sharp({ create: { width: 3, height: 2, channels: 3, background: "red" } })
      .webp({ lossless: true }).toBuffer();
    const { data } = await decode(new Uint8Array(bytes), "a.png");
    assert.deepEqual([...data.subarray(0, 3)], [255, 0, 0]);
  });
}

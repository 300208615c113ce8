import sharp from "sharp";
import { tripled } from "../../core/image_set.ts";
import { checkFormat, checkSignature } from "../../formats/image_format.ts";
import type { Raster } from "./resize.ts";

/** Largest image that is decoded, in pixels: 8192 x 8192, 200 MB as RGB. Guards against files that state absurd sizes. */
const PIXEL_LIMIT = 2 ** 26;

/**
 * Decodes an image like PIL's `Image.open(file).convert("RGB")`, which the reference implementations use: colour
 * profiles and orientation tags are not applied, alpha is dropped without blending, grey becomes three equal channels.
 * Throws SyntaxError that names the file if it is broken, or if PIL's conversion would change its colours (16 bits per
 * channel, CMYK).
 */
export async function decodeImage(bytes: Uint8Array, name: string): Promise<Raster> {
  if (bytes.length === 0) throw new SyntaxError(`${name}: file is empty`);
  try {
    checkSignature(bytes);
    const picture = sharp(bytes, {
      ignoreIcc: true,
      failOn: "error",
      limitInputPixels: PIXEL_LIMIT,
    });
    const { format, depth, space } = await picture.metadata();
    checkFormat(bytes, format);
    if (format === "heif") {
      throw new SyntaxError(
        "AVIF decodes to other pixels than in the references: convert it to PNG",
      );
    }
    if (depth !== "uchar") {
      throw new SyntaxError(
        `channels must have 8 bits, got ${depth}: convert the image to 8 bits per channel`,
      );
    }
    if (space === "cmyk") {
      throw new SyntaxError("CMYK colours are not supported: save the image as RGB");
    }
    const { data, info } = await picture.toColourspace("srgb").removeAlpha().raw()
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== 3 && info.channels !== 1) {
      throw new SyntaxError(`image must have 1 or 3 channels, got ${info.channels}`);
    }
    const rgb = info.channels === 3 ? new Uint8Array(data) : tripled(data);
    return { height: info.height, width: info.width, data: rgb };
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    throw new SyntaxError(`${name}: ${reason}`, { cause: error });
  }
}

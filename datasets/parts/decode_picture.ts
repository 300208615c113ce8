import sharp from "sharp";
import { checkFormat, checkSignature } from "../../harness/formats/image_format.ts";
import type { Picture } from "./area_resize.ts";

/** Largest image that is decoded, in pixels: 8192 x 8192, 200 MB as RGB. */
const PIXEL_LIMIT = 2 ** 26;

/** Number of pixels that the header of an image file states; 0 if it has none, since `decodePicture` then says why. */
export async function pixelCount(bytes: Uint8Array): Promise<number> {
  try {
    const { width, height } = await sharp(bytes, { limitInputPixels: false }).metadata();
    return width * height;
  } catch {
    return 0;
  }
}

/**
 * Decodes an image file upright, by its orientation tag, with its stored values (colour profiles are not applied): one
 * channel for grey files, else three; an opaque alpha channel is dropped. Throws Error that names the file if it is
 * empty, broken, too large, partly transparent, CMYK, or has more than 8 bits per channel.
 */
export async function decodePicture(bytes: Uint8Array, name: string): Promise<Picture> {
  if (bytes.length === 0) throw new Error(`${name} is empty`);
  try {
    checkSignature(bytes);
    // The limit is checked below, from the header; sharp's message would not give the size.
    const picture = sharp(bytes, { ignoreIcc: true, failOn: "error", limitInputPixels: false });
    const { format, width, height, space, depth, hasAlpha } = await picture.metadata();
    checkFormat(bytes, format);
    if (width * height > PIXEL_LIMIT) {
      throw new RangeError(
        `image must have at most ${PIXEL_LIMIT} pixels, got ${width} x ${height}`,
      );
    }
    if (depth !== "uchar" && depth !== undefined) {
      throw new RangeError(
        `channels must have 8 bits, got ${depth}: convert the image to 8 bits per channel`,
      );
    }
    if (space === "cmyk") {
      throw new RangeError("CMYK colours are not supported: convert the image to RGB");
    }
    if (hasAlpha && !(await picture.stats()).isOpaque) {
      throw new RangeError("transparent pixels are not supported: put the image on a background");
    }
    const { data, info } = await picture.autoOrient().removeAlpha()
      .toColourspace(space === "b-w" ? "b-w" : "srgb").raw().toBuffer({ resolveWithObject: true });
    return { height: info.height, width: info.width, channels: info.channels, data };
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    throw new Error(`${name} cannot be decoded: ${reason}`, { cause: error });
  }
}

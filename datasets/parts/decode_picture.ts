import sharp from "sharp";
import type { Picture } from "./area_resize.ts";

/** Endings of picture files that are read. */
export const PICTURE_ENDINGS = [
  "png",
  "jpg",
  "jpeg",
  "webp",
  "avif",
  "gif",
  "tif",
  "tiff",
] as const;

/** The largest picture that is decoded: 8192 x 8192 pixels, 200 MB as RGB. */
const PIXEL_LIMIT = 2 ** 26;

/**
 * Decodes a picture file as people see it, upright by its orientation tag, with its stored values (colour
 * profiles are not applied): one channel for grey files, else three; an opaque alpha channel is dropped.
 * Throws an Error that names the file when it is empty, broken, too large, partly transparent, CMYK, or has
 * more than 8 bits a channel.
 */
export async function decodePicture(bytes: Uint8Array, name: string): Promise<Picture> {
  if (bytes.length === 0) throw new Error(`${name} is empty`);
  try {
    // The limit is checked below, by the header alone; sharp's own message would not tell the size.
    const picture = sharp(bytes, { ignoreIcc: true, failOn: "error", limitInputPixels: false });
    const { width, height, space, depth, hasAlpha } = await picture.metadata();
    if (width * height > PIXEL_LIMIT) {
      throw new RangeError(`${width} x ${height} pixels: at most ${PIXEL_LIMIT} are decoded`);
    }
    if (depth !== "uchar" && depth !== undefined) {
      throw new RangeError(`${depth} channels: convert it to 8 bits a channel`);
    }
    if (space === "cmyk") throw new RangeError("CMYK colours: convert it to RGB");
    if (hasAlpha && !(await picture.stats()).isOpaque) {
      throw new RangeError("transparent pixels: put it on a background first");
    }
    const { data, info } = await picture.autoOrient().removeAlpha()
      .toColourspace(space === "b-w" ? "b-w" : "srgb").raw().toBuffer({ resolveWithObject: true });
    return { height: info.height, width: info.width, channels: info.channels, data };
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    throw new Error(`${name} is not usable: ${reason}`, { cause: error });
  }
}

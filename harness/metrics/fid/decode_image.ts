import sharp from "sharp";
import type { Raster } from "./resize.ts";

/** Endings of the picture files that are read. */
export const IMAGE_ENDINGS = ["png", "jpg", "jpeg", "webp", "tif", "tiff"] as const;

/** The largest picture that is decoded, pixels: against files that announce absurd sizes. */
const PIXEL_LIMIT = 2 ** 27;

/**
 * Decodes a picture as PIL's `Image.open(file).convert("RGB")`, which the reference implementations use:
 * colour profiles and orientation tags are not applied, alpha is dropped without blending, grey becomes
 * three equal channels. Throws SyntaxError that names the file when it is broken, or when PIL's conversion
 * would change its colours: 16 bits a channel, CMYK.
 */
export async function decodeImage(bytes: Uint8Array, name: string): Promise<Raster> {
  try {
    const picture = sharp(bytes, {
      ignoreIcc: true,
      failOn: "error",
      limitInputPixels: PIXEL_LIMIT,
    });
    const { depth, space } = await picture.metadata();
    if (depth !== "uchar") {
      throw new SyntaxError(`${depth} channels: only pictures of 8 bits a channel are read`);
    }
    if (space === "cmyk") throw new SyntaxError("CMYK colours: save it as RGB");
    const { data, info } = await picture.toColourspace("srgb").removeAlpha().raw()
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== 3 && info.channels !== 1) {
      throw new SyntaxError(`${info.channels} channels: 1 or 3 are read`);
    }
    const rgb = info.channels === 3 ? new Uint8Array(data) : tripled(data);
    return { height: info.height, width: info.width, data: rgb };
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    throw new SyntaxError(`${name}: ${reason}`, { cause: error });
  }
}

/** One channel to three equal ones, interleaved. */
export function tripled(grey: Uint8Array): Uint8Array {
  return Uint8Array.from({ length: 3 * grey.length }, (_, i) => grey[Math.floor(i / 3)]);
}

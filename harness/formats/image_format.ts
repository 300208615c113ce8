/**
 * The real format of an image file, whatever its name: formats that are not pictures of pixels, and files whose pixels libraries
 * disagree on, are refused before they are decoded.
 *
 * @module
 */

/** Formats by the names of sharp; `heif` covers AVIF. */
const FORMATS = ["png", "jpeg", "webp", "tiff", "gif", "heif"];

/**
 * Beginnings of the files that are read, as hexadecimal digits where a dot stands for any. Libraries that are given another file
 * may render it, as an SVG that takes minutes, whatever its name.
 */
const SIGNATURES = [
  /^89504e470d0a1a0a/, // PNG
  /^ffd8ff/, // JPEG
  /^52494646.{8}57454250/, // WebP: RIFF....WEBP
  /^(49492a00|4d4d002a|49492b00|4d4d002b)/, // TIFF and BigTIFF
  /^47494638(37|39)61/, // GIF
  /^.{8}66747970/, // HEIF and AVIF: ....ftyp
];

/** Throws RangeError if `bytes` do not begin like a picture of pixels in a format that is read. Call it before any decoder. */
export function checkSignature(bytes: Uint8Array): void {
  const start = bytes.subarray(0, 12).toHex();
  if (!SIGNATURES.some((form) => form.test(start))) {
    throw new RangeError("file is no picture of pixels, whatever its ending: convert it to PNG");
  }
}

/** Throws RangeError if an image of `format`, as sharp found it in the header of `bytes`, cannot be decoded reliably. */
export function checkFormat(bytes: Uint8Array, format: string | undefined): void {
  if (format === undefined || !FORMATS.includes(format)) {
    throw new RangeError(`file is ${format ?? "unknown"}, whatever its ending: convert it to PNG`);
  }
  if (format === "tiff" && isRawYcbcr(bytes)) {
    throw new RangeError(
      "TIFF with YCbCr colours is read only if it is JPEG-compressed: libraries disagree on its pixels; convert it to PNG",
    );
  }
}

/** Tags of TIFF 6.0, sections 8 and 21, and their values. */
const COMPRESSION = 259, PHOTOMETRIC = 262, YCBCR = 6, JPEG = 7;

/** Whether the first image of a TIFF file has YCbCr colours that no JPEG decoder converts to RGB. */
function isRawYcbcr(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = bytes[0] === 0x49; // "II"
  const isBig = view.getUint16(2, little) === 43; // BigTIFF has offsets of 64 bits
  const first = isBig ? Number(view.getBigUint64(8, little)) : view.getUint32(4, little);
  const [head, entry, value] = isBig ? [8, 20, 12] : [2, 12, 8];
  if (first + head > bytes.length) return false; // truncated: the decoder says so
  const count = isBig ? Number(view.getBigUint64(first, little)) : view.getUint16(first, little);
  const tags = new Map<number, number>();
  for (let i = 0; i < count; i++) {
    const at = first + head + i * entry;
    if (at + entry > bytes.length) return false;
    tags.set(view.getUint16(at, little), view.getUint16(at + value, little));
  }
  return tags.get(PHOTOMETRIC) === YCBCR && tags.get(COMPRESSION) !== JPEG;
}

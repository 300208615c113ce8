import { excerpt } from "../core/plain_text.ts";
import { type ByteReader, byteReader } from "./byte_reader.ts";
import { decompress } from "./decompress.ts";

/** A numeric array of a MATLAB file, read as a stream. */
export interface MatArray {
  readonly name: string;
  /** Sizes of the axes; the first axis varies fastest (column-major). */
  readonly shape: readonly number[];
  readonly type: MatType;
  /** The elements as little-endian bytes, in pieces. Read all or none of them, before requesting the next array. */
  readonly pieces: AsyncIterable<Uint8Array<ArrayBuffer>>;
}

/** Element types supported in a file, by their type code. */
const TYPES = {
  1: "int8",
  2: "uint8",
  3: "int16",
  4: "uint16",
  5: "int32",
  6: "uint32",
  9: "double",
} as const;
/** Name of a stored element type. */
export type MatType = typeof TYPES[keyof typeof TYPES];
/** Bytes per element. */
const TYPE_BYTES: Readonly<Record<MatType, number>> = {
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  double: 8,
};
/** Longest name or list of sizes that is read, in bytes; MATLAB's names have at most 63 characters. */
const SMALL_LIMIT = 4096;
/** Type codes of elements that contain other elements. */
const MATRIX = 14;
const COMPRESSED = 15;
/** Array classes 6 to 15 are numeric: double to uint64. */
const FIRST_NUMERIC_CLASS = 6;
const LAST_NUMERIC_CLASS = 15;

/**
 * Yields the numeric arrays of a level 5 MAT-file (MathWorks, "MAT-File Format", chapter 1), compressed or not,
 * without holding any of them in memory. Skips arrays of other classes.
 * Throws SyntaxError if the file is broken; `what` names the file in the message.
 */
export async function* readMat5(
  stream: ReadableStream<Uint8Array>,
  what: string,
): AsyncGenerator<MatArray> {
  await using file = byteReader(stream, what);
  await checkHeader(file, what);
  while (!await file.atEnd()) {
    const { type, size, small } = await readTag(file);
    if (small) {
      throw new SyntaxError(`${what} has an element outside any array at byte ${file.position}`);
    }
    if (type === COMPRESSED) {
      const name = `A compressed array of ${what}`;
      const packed = ReadableStream.from(file.pieces(size));
      await using content = byteReader(decompress(packed, { format: "deflate", what: name }), name);
      yield* readElement(content, { ...await readTag(content), what });
      // DecompressionStream verifies the checksum only when it is read to the end.
      while (!await content.atEnd()) await content.skip(1);
    } else {
      yield* readElement(file, { type, size, what });
    }
  }
}

async function checkHeader(file: ByteReader, what: string): Promise<void> {
  const header = await file.read(128);
  const text = new TextDecoder("latin1").decode(header.subarray(0, 116));
  if (text.startsWith("MATLAB 7.3")) {
    throw new SyntaxError(`${what} is a MAT-file of version 7.3 (HDF5), expected level 5`);
  }
  const [version, byteOrder] = [header[125], String.fromCharCode(header[126], header[127])];
  if (version !== 1 || byteOrder !== "IM") {
    throw new SyntaxError(
      `${what} is not a little-endian level 5 MAT-file: it starts with ${
        JSON.stringify(text.slice(0, 20))
      }`,
    );
  }
}

/** Reads type and size of the next element; a small element stores its data in the tag's last four bytes. */
async function readTag(
  reader: ByteReader,
): Promise<{ type: number; size: number; small?: Uint8Array<ArrayBuffer> }> {
  const tag = await reader.read(8);
  const view = new DataView(tag.buffer);
  const word = view.getUint32(0, true);
  const smallSize = word >>> 16;
  return smallSize > 0
    ? { type: word & 0xffff, size: smallSize, small: tag.subarray(4, 4 + smallSize) }
    : { type: word, size: view.getUint32(4, true) };
}

/** Yields the array in an element whose tag has been read, if it is numeric; leaves the reader after the element. */
async function* readElement(
  reader: ByteReader,
  { type, size, what }: { readonly type: number; readonly size: number; readonly what: string },
): AsyncGenerator<MatArray> {
  const end = reader.position + size;
  if (type === MATRIX && size > 0) {
    const [flags] = await readSmall(reader);
    if (flags >= FIRST_NUMERIC_CLASS && flags <= LAST_NUMERIC_CLASS) {
      const shape = shapeOf(await readSmall(reader), what);
      const name = excerpt(new TextDecoder().decode(await readSmall(reader)));
      yield* readReal(reader, { name, shape, what });
    }
  }
  if (reader.position > end) {
    throw new SyntaxError(`${what} has an array whose parts exceed its size of ${size} bytes`);
  }
  await reader.skip(end - reader.position);
}

/** The sizes of the axes in `bytes`: int32, little-endian. Throws SyntaxError if they are none. */
function shapeOf(bytes: Uint8Array<ArrayBuffer>, what: string): number[] {
  const shape = bytes.length % 4 === 0 ? [...new Int32Array(bytes.slice().buffer)] : [-1];
  if (shape.length === 0 || shape.some((length) => length < 0)) {
    throw new SyntaxError(`${what} has an array with a broken shape`);
  }
  return shape;
}

/** Yields the real part of an array, which precedes the imaginary part. */
async function* readReal(
  reader: ByteReader,
  { name, shape, what }: {
    readonly name: string;
    readonly shape: readonly number[];
    readonly what: string;
  },
): AsyncGenerator<MatArray> {
  const tag = await readTag(reader);
  if (!(tag.type in TYPES)) {
    throw new SyntaxError(`Array "${name}" of ${what} has unsupported element type ${tag.type}`);
  }
  const type = TYPES[tag.type as keyof typeof TYPES];
  const expected = shape.reduce((product, length) => product * length, TYPE_BYTES[type]);
  if (tag.size !== expected) {
    throw new SyntaxError(
      `Array "${name}" of ${what} has ${tag.size} bytes, its shape [${shape}] needs ${expected}`,
    );
  }
  if (tag.small) {
    yield { name, shape, type, pieces: ReadableStream.from([tag.small]) };
    return;
  }
  const end = reader.position + tag.size;
  yield { name, shape, type, pieces: reader.pieces(tag.size) };
  await reader.skip(end - reader.position);
}

/** Reads a short element whole (flags, sizes or name) and skips its padding to 8 bytes. */
async function readSmall(reader: ByteReader): Promise<Uint8Array<ArrayBuffer>> {
  const { size, small } = await readTag(reader);
  if (small) return small;
  if (size > SMALL_LIMIT) {
    throw new SyntaxError(`A name or a shape of ${size} bytes is too long: the file is broken`);
  }
  const bytes = await reader.read(size);
  await reader.skip(-size & 7);
  return bytes;
}

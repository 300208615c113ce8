import { type ByteReader, byteReader } from "./byte_reader.ts";

/** A numeric array of a MATLAB file, as it is met in the stream. */
export interface MatArray {
  readonly name: string;
  /** Sizes of the axes; the first one runs fastest (column-major). */
  readonly shape: readonly number[];
  readonly type: MatType;
  /** The elements as little-endian bytes, in pieces; read them before the next array is asked for, or not at all. */
  readonly pieces: AsyncIterable<Uint8Array<ArrayBuffer>>;
}

/** Stored element types that images and labels may have. */
const TYPES = {
  1: "int8",
  2: "uint8",
  3: "int16",
  4: "uint16",
  5: "int32",
  6: "uint32",
  9: "double",
} as const;
export type MatType = typeof TYPES[keyof typeof TYPES];
/** Bytes an element. */
const TYPE_BYTES: Readonly<Record<MatType, number>> = {
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  double: 8,
};
/** Data types of elements that have structure. */
const MATRIX = 14;
const COMPRESSED = 15;
/** Array classes 6 to 15 are numeric: double to uint64. */
const FIRST_NUMERIC_CLASS = 6;
const LAST_NUMERIC_CLASS = 15;

/**
 * The numeric arrays of a level 5 MAT-file (MathWorks, "MAT-File Format", chapter 1), compressed or not,
 * one after the other, without holding one in memory. Arrays of other classes are passed over.
 * Throws SyntaxError that names `what` and what is wrong with it.
 */
export async function* readMat5(
  stream: ReadableStream<Uint8Array>,
  what: string,
): AsyncGenerator<MatArray> {
  await using file = byteReader(stream, what);
  await checkHeader(file, what);
  while (!await file.atEnd()) {
    const { type, size, small } = await readTag(file);
    if (small) throw new SyntaxError(`${what} has loose data at byte ${file.position}`);
    if (type === COMPRESSED) {
      const unpacked = ReadableStream.from(file.pieces(size))
        .pipeThrough(new DecompressionStream("deflate"));
      await using content = byteReader(unpacked, `A compressed array of ${what}`);
      yield* readElement(content, { ...await readTag(content), what });
      // The checksum behind the last element is only seen by reading to the end.
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
      `${what} is no little-endian level 5 MAT-file: it starts with ${
        JSON.stringify(text.slice(0, 20))
      }`,
    );
  }
}

/** Type and size of the next element; a small one has its data in the tag's last four bytes. */
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

/** The array in an element whose tag was read, if it is a numeric one; leaves the reader behind the element. */
async function* readElement(
  reader: ByteReader,
  { type, size, what }: { readonly type: number; readonly size: number; readonly what: string },
): AsyncGenerator<MatArray> {
  const end = reader.position + size;
  if (type === MATRIX && size > 0) {
    const [flags] = await readSmall(reader);
    if (flags >= FIRST_NUMERIC_CLASS && flags <= LAST_NUMERIC_CLASS) {
      const shape = [...new Int32Array(Uint8Array.from(await readSmall(reader)).buffer)];
      const name = new TextDecoder().decode(await readSmall(reader));
      yield* readReal(reader, { name, shape, what });
    }
  }
  if (reader.position > end) {
    throw new SyntaxError(`${what} has an array whose parts are longer than the whole`);
  }
  await reader.skip(end - reader.position);
}

/** The real part of an array, the first of the two. */
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
    throw new SyntaxError(`Array "${name}" of ${what} has elements of type ${tag.type}`);
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

/** A short element as a whole: flags, sizes or name. Its padding to 8 bytes is passed over. */
async function readSmall(reader: ByteReader): Promise<Uint8Array<ArrayBuffer>> {
  const { size, small } = await readTag(reader);
  if (small) return small;
  const bytes = await reader.read(size);
  await reader.skip(-size & 7);
  return bytes;
}

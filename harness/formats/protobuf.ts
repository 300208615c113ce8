/**
 * Reads and writes the wire format of protocol buffers: https://protobuf.dev/programming-guides/encoding/. When
 * writing, each function returns an encoded field, and a message is the concatenation of its fields; when reading, a
 * message is the sequence of its fields.
 *
 * @module
 */

/** Encoded bytes in pieces, so that they are copied only once, when the message is written. */
export type Pieces = readonly Uint8Array[];

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Encodes an integer field (int32, int64, bool, enum) as a varint; negative values in two's complement. */
export function int(field: number, value: number | bigint): Pieces {
  return [tag(field, 0), varint(value)];
}

/** Encodes a float32 field, four bytes little-endian. */
export function float(field: number, value: number): Pieces {
  return [tag(field, 5), new Uint8Array(Float32Array.of(value).buffer)];
}

/** Encodes a field of bytes. */
export function bytes(field: number, value: Uint8Array): Pieces {
  return [tag(field, 2), varint(value.length), value];
}

/** Encodes a field of text as UTF-8. */
export function text(field: number, value: string): Pieces {
  return bytes(field, encoder.encode(value));
}

/** Encodes a field that holds a message made of `fields`. */
export function message(field: number, ...fields: readonly Pieces[]): Pieces {
  const body = fields.flat();
  const size = body.reduce((sum, piece) => sum + piece.length, 0);
  return [tag(field, 2), varint(size), ...body];
}

/** Encodes a top-level message. */
export function encode(...fields: readonly Pieces[]): Uint8Array<ArrayBuffer> {
  const pieces = fields.flat();
  const out = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let offset = 0;
  for (const piece of pieces) {
    out.set(piece, offset);
    offset += piece.length;
  }
  return out;
}

function tag(field: number, wireType: number): Uint8Array {
  return varint((field << 3) | wireType);
}

/** Varints of one byte, created once: most tags, lengths and dimensions fit in one. */
const SMALL = Array.from({ length: 128 }, (_, i) => Uint8Array.of(i));

function varint(value: number | bigint): Uint8Array {
  if (typeof value === "number" && value >= 0 && value < 128) return SMALL[value];
  let rest = BigInt.asUintN(64, BigInt(value));
  const out: number[] = [];
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    out.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return Uint8Array.from(out);
}

/** A field that was read. */
export interface Field {
  readonly number: number;
  /** Value of a varint, rounded beyond 2^53; 0 for other fields. */
  readonly value: number;
  /** Content of a length-delimited field; empty for other fields. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const NOTHING = new Uint8Array();

/** Yields the fields of a message in file order. Throws SyntaxError if the message is truncated or malformed. */
export function* fields(bytes: Uint8Array<ArrayBuffer>): Generator<Field> {
  const reader = new VarintReader(bytes);
  while (reader.at < bytes.length) {
    const tag = reader.read();
    const number = Math.floor(tag / 8);
    const wireType = tag % 8;
    const first = wireType === 0 || wireType === 2 ? reader.read() : 0;
    if (wireType === 0) {
      yield { number, value: first, bytes: NOTHING };
      continue;
    }
    const size = wireType === 2 ? first : wireType === 1 ? 8 : wireType === 5 ? 4 : -1;
    const { at } = reader;
    if (size < 0 || size > bytes.length - at) throw broken(at);
    reader.at += size;
    const content = wireType === 2 ? bytes.subarray(at, at + size) : NOTHING;
    yield { number, value: 0, bytes: content };
  }
}

/** Returns the integers of a repeated field, packed or not. Throws SyntaxError if a varint is truncated. */
export function integers({ value, bytes }: Field): number[] {
  if (bytes.length === 0) return [value];
  const out: number[] = [];
  const reader = new VarintReader(bytes);
  while (reader.at < bytes.length) out.push(reader.read());
  return out;
}

/** Decodes the bytes of a field as UTF-8 text. */
export function utf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** Reads varints one after the other, without an object for each. */
class VarintReader {
  /** The byte that is read next. */
  at = 0;

  constructor(readonly bytes: Uint8Array) {}

  read(): number {
    let value = 0;
    for (let scale = 1;; scale *= 128) {
      if (this.at >= this.bytes.length || scale > 2 ** 63) throw broken(this.at);
      const byte = this.bytes[this.at++];
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }
}

function broken(at: number): SyntaxError {
  return new SyntaxError(`Protocol buffer is broken at byte ${at}: truncated or malformed`);
}

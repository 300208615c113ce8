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
  for (let at = 0; at < bytes.length;) {
    const tag = readVarint(bytes, at);
    const number = Math.floor(tag.value / 8);
    const wireType = tag.value % 8;
    const first = wireType === 0 || wireType === 2
      ? readVarint(bytes, tag.end)
      : { value: 0, end: tag.end };
    at = first.end;
    if (wireType === 0) {
      yield { number, value: first.value, bytes: NOTHING };
      continue;
    }
    const size = wireType === 2 ? first.value : wireType === 1 ? 8 : wireType === 5 ? 4 : -1;
    if (size < 0 || size > bytes.length - at) throw broken(at);
    at += size;
    yield { number, value: 0, bytes: wireType === 2 ? bytes.subarray(at - size, at) : NOTHING };
  }
}

/** Returns the integers of a repeated field, packed or not. Throws SyntaxError if a varint is truncated. */
export function integers({ value, bytes }: Field): number[] {
  if (bytes.length === 0) return [value];
  const out: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const next = readVarint(bytes, at);
    out.push(next.value);
    at = next.end;
  }
  return out;
}

/** Decodes the bytes of a field as UTF-8 text. */
export function utf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

function readVarint(bytes: Uint8Array, begin: number): { value: number; end: number } {
  let value = 0;
  let at = begin;
  for (let scale = 1;; scale *= 128) {
    if (at >= bytes.length || scale > 2 ** 63) throw broken(at);
    const byte = bytes[at++];
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return { value, end: at };
  }
}

function broken(at: number): SyntaxError {
  return new SyntaxError(`Protocol buffer is broken at byte ${at}: truncated or malformed`);
}

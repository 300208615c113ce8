/**
 * Writing of protocol buffers, wire format only: https://protobuf.dev/programming-guides/encoding/.
 * Each function returns the encoded field; a message is the concatenation of its fields.
 *
 * @module
 */

/** Encoded bytes in pieces, so that nothing is copied before the message is written out. */
export type Pieces = readonly Uint8Array[];

const encoder = new TextEncoder();

/** A field holding an integer (int32, int64, bool, enum), as varint; negative values as two's complement. */
export function int(field: number, value: number | bigint): Pieces {
  return [tag(field, 0), varint(value)];
}

/** A field holding a float32, four bytes little-endian. */
export function float(field: number, value: number): Pieces {
  return [tag(field, 5), new Uint8Array(Float32Array.of(value).buffer)];
}

/** A field holding bytes. */
export function bytes(field: number, value: Uint8Array): Pieces {
  return [tag(field, 2), varint(value.length), value];
}

/** A field holding text, UTF-8. */
export function text(field: number, value: string): Pieces {
  return bytes(field, encoder.encode(value));
}

/** A field holding a message made of `fields`. */
export function message(field: number, ...fields: readonly Pieces[]): Pieces {
  const body = fields.flat();
  const size = body.reduce((sum, piece) => sum + piece.length, 0);
  return [tag(field, 2), varint(size), ...body];
}

/** The bytes of a top-level message. */
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

/** Varints of one byte, made once: most tags, lengths and dimensions are. */
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

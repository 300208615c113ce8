import { excerpt } from "../core/plain_text.ts";
import { decompress } from "./decompress.ts";

/** An array read from an IDX file: element type uint8, row-major. */
export interface IdxArray {
  readonly shape: readonly number[];
  readonly data: Uint8Array<ArrayBuffer>;
}

/** Type code of uint8, the only one that image sets use. */
const UINT8 = 0x08;

/**
 * Reads the IDX format of MNIST (Y. LeCun, "The MNIST database", "The IDX file format"): two zero bytes,
 * type code, rank, then one big-endian uint32 size per axis, then the elements.
 * `data` is a view of `bytes`. Throws SyntaxError if `bytes` is not a complete IDX file of uint8.
 */
export function readIdx(bytes: Uint8Array<ArrayBuffer>): IdxArray {
  if (bytes.length < 4 || bytes[0] !== 0 || bytes[1] !== 0) {
    const start = bytes.subarray(0, 4).toHex();
    throw new SyntaxError(`Not an IDX file: it starts with ${start}, expected 0000`);
  }
  if (bytes[2] !== UINT8) {
    throw new SyntaxError(
      `IDX type code must be 0x08 (uint8), got 0x${bytes.subarray(2, 3).toHex()}`,
    );
  }
  const rank = bytes[3];
  const start = 4 + 4 * rank;
  if (bytes.length < start) {
    throw new SyntaxError(`IDX header of rank ${rank} is truncated at ${bytes.length} bytes`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const size = shape.reduce((product, length) => product * length, 1);
  if (bytes.length - start !== size) {
    throw new SyntaxError(
      `IDX array of shape [${excerpt(`${shape}`)}] needs ${size} bytes, the file has ${
        bytes.length - start
      }`,
    );
  }
  return { shape, data: bytes.subarray(start) };
}

/** Whether `bytes` start as a gzip stream (RFC 1952). */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** Largest IDX file that is unpacked, in bytes: five times MNIST's. */
const UNPACKED_LIMIT = 2 ** 28;

/** Decompresses a whole gzip stream. Throws SyntaxError if it is damaged, truncated or unpacks to more than `limit` bytes. */
export async function gunzip(
  bytes: Uint8Array<ArrayBuffer>,
  { limit = UNPACKED_LIMIT } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const packed = new Blob([bytes]).stream();
  const stream = decompress(packed, {
    format: "gzip",
    what: "The IDX file",
    limit,
  });
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

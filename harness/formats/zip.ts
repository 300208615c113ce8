/**
 * Reads zip archives (PKWARE's APPNOTE 6.3.10) member by member, so that an archive may be larger than memory and
 * no member unpacks to more than its limit. Nothing is written to disk, so names with `..` have no effect.
 *
 * @module
 */
import { crc32, inflateRawSync } from "node:zlib";
import type { ByteSource } from "./byte_source.ts";

/** A file in an archive. */
export interface ZipMember {
  readonly name: string;
  /** Unpacked size in bytes. */
  readonly size: number;
  /** Whether the member is a symbolic link; its content is then the target path. */
  readonly link: boolean;
  /** Unpacks the member. Throws SyntaxError if it is broken or its size differs from `size`. */
  read(): Uint8Array<ArrayBuffer>;
}

/** Largest member that is unpacked, in bytes; neither weights nor images are that large. */
const MEMBER_LIMIT = 2 ** 30;

const END = 0x06054b50;
const END64_LOCATOR = 0x07064b50;
const END64 = 0x06064b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
/** "Made by" code of Unix, which stores file modes in the upper half of the external attributes. */
const UNIX = 3;
const FILE_TYPE = 0xf000;
const SYMBOLIC_LINK = 0xa000;
const ABSENT32 = 0xffffffff;

/** Lists the files of an archive, not its folders, in directory order. Throws SyntaxError if it is not a zip archive. */
export function zipMembers(source: ByteSource): ZipMember[] {
  const { offset, length, count } = directory(source);
  const bytes = source.read(offset, length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const members: ZipMember[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > length || view.getUint32(at, true) !== CENTRAL) {
      throw new SyntaxError(`Zip archive: directory entry ${i} is broken`);
    }
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const next = at + 46 + nameLength + extraLength + view.getUint16(at + 32, true);
    if (next > length) throw new SyntaxError(`Zip archive: directory entry ${i} is broken`);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    const extra = new DataView(view.buffer, view.byteOffset + at + 46 + nameLength, extraLength);
    const entry = {
      name,
      flags: view.getUint16(at + 8, true),
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      ...wideFields(extra, {
        size: view.getUint32(at + 24, true),
        packed: view.getUint32(at + 20, true),
        offset: view.getUint32(at + 42, true),
      }),
    };
    if (!name.endsWith("/")) {
      const link = bytes[at + 5] === UNIX &&
        (view.getUint32(at + 38, true) >>> 16 & FILE_TYPE) === SYMBOLIC_LINK;
      members.push({ name, size: entry.size, link, read: () => readMember(source, entry) });
    }
    at = next;
  }
  return members;
}

interface Entry {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly size: number;
  readonly packed: number;
  readonly offset: number;
}

function readMember(source: ByteSource, entry: Entry): Uint8Array<ArrayBuffer> {
  const broken = (what: string) => new SyntaxError(`Zip archive: member ${entry.name} ${what}`);
  if (entry.flags & 1) throw broken("is encrypted");
  if (entry.size > MEMBER_LIMIT) {
    throw broken(`unpacks to ${entry.size} bytes: too large, the limit is ${MEMBER_LIMIT}`);
  }
  const header = source.read(entry.offset, 30);
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  if (view.getUint32(0, true) !== LOCAL) throw broken("has no header");
  const start = entry.offset + 30 + view.getUint16(26, true) + view.getUint16(28, true);
  const packed = source.read(start, entry.packed);
  let bytes: Uint8Array<ArrayBuffer>;
  if (entry.method === 0) bytes = packed;
  else if (entry.method === 8) {
    try {
      // Allow one extra byte so that overlong output is detected.
      bytes = new Uint8Array(inflateRawSync(packed, { maxOutputLength: entry.size + 1 }));
    } catch (error) {
      throw broken(
        error instanceof RangeError
          ? `unpacks to more than the ${entry.size} bytes its header states`
          : "is broken",
      );
    }
  } else {throw broken(
      `uses compression method ${entry.method}: only stored (0) and deflated (8) are supported`,
    );}
  if (bytes.length !== entry.size) {
    throw broken(`has ${bytes.length} bytes, its header states ${entry.size}`);
  }
  if (crc32(bytes) !== entry.crc) throw broken("does not match its checksum");
  return bytes;
}

/** Locates the central directory from the record at the archive's end. */
function directory(
  source: ByteSource,
): { readonly offset: number; readonly length: number; readonly count: number } {
  const tailLength = Math.min(source.size, 22 + 0xffff); // the record and the longest comment
  const tailStart = source.size - tailLength;
  const tail = source.read(tailStart, tailLength);
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  let at = tailLength - 22;
  while (at >= 0 && view.getUint32(at, true) !== END) at--;
  if (at < 0) {
    throw new SyntaxError("Zip archive has no end record: not a zip archive, or truncated");
  }
  const narrow = {
    count: view.getUint16(at + 10, true),
    length: view.getUint32(at + 12, true),
    offset: view.getUint32(at + 16, true),
  };
  const wide = narrow.count === 0xffff || narrow.length === ABSENT32 || narrow.offset === ABSENT32;
  if (!wide || at < 20 || view.getUint32(at - 20, true) !== END64_LOCATOR) return narrow;
  const record = source.read(Number(view.getBigUint64(at - 12, true)), 56);
  const view64 = new DataView(record.buffer, record.byteOffset, record.byteLength);
  if (view64.getUint32(0, true) !== END64) {
    throw new SyntaxError("Zip archive: zip64 record is broken");
  }
  return {
    count: Number(view64.getBigUint64(32, true)),
    length: Number(view64.getBigUint64(40, true)),
    offset: Number(view64.getBigUint64(48, true)),
  };
}

/** Replaces fields that exceed 32 bits with those of the zip64 extra field (header 0x0001), in its fixed order. */
function wideFields(
  extra: DataView,
  narrow: { readonly size: number; readonly packed: number; readonly offset: number },
): { size: number; packed: number; offset: number } {
  const wide = { ...narrow };
  for (let at = 0; at + 4 <= extra.byteLength;) {
    const end = at + 4 + extra.getUint16(at + 2, true);
    if (extra.getUint16(at, true) === 1) {
      let field = at + 4;
      for (const key of ["size", "packed", "offset"] as const) {
        if (narrow[key] !== ABSENT32 || field + 8 > Math.min(end, extra.byteLength)) continue;
        wide[key] = Number(extra.getBigUint64(field, true));
        field += 8;
      }
    }
    at = end;
  }
  return wide;
}

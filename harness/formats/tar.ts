/**
 * Reads tar archives (POSIX ustar and pax, GNU long names) as a stream, without writing to disk.
 *
 * @module
 */

/** A regular file in an archive. */
export interface TarMember {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const BLOCK = 512;
/** A link in an archive. */
export interface TarLink {
  readonly name: string;
  /** Of a hard link a member of the archive, of a symbolic one a path relative to it. */
  readonly target: string;
  readonly isHard: boolean;
}

/** Largest member that is read, in bytes; no image is that large. */
const MEMBER_LIMIT = 2 ** 30;

/**
 * Yields the regular files of a tar archive in archive order. Skips folders and links; `onLink` is called with the
 * each link and may throw. Throws SyntaxError if the archive is broken or truncated, or has a member of more than `limit` bytes.
 */
export async function* tarMembers(
  stream: ReadableStream<Uint8Array>,
  { onLink, limit = MEMBER_LIMIT }: {
    readonly onLink?: (link: TarLink) => void;
    readonly limit?: number;
  } = {},
): AsyncGenerator<TarMember> {
  const reader = blockReader(stream);
  let longName: string | undefined;
  let longTarget: string | undefined;
  for (;;) {
    const header = await reader.take(BLOCK);
    if (header === undefined || header.every((byte) => byte === 0)) return;
    if (checksum(header) !== octal(header, 148, 8)) {
      throw new SyntaxError(
        "Tar archive: a header has a wrong checksum: the file is broken, or not a tar archive",
      );
    }
    const size = octal(header, 124, 12);
    if (size > limit) {
      throw new SyntaxError(
        `Tar archive: a member of ${size} bytes is too large: the limit is ${limit}`,
      );
    }
    const padded = await reader.take(Math.ceil(size / BLOCK) * BLOCK);
    if (padded === undefined && size > 0) throw new SyntaxError("Tar archive: truncated");
    const bytes = (padded ?? new Uint8Array()).subarray(0, size);
    const type = String.fromCharCode(header[156]);
    if (type === "L") longName = text(bytes, 0, size);
    else if (type === "K") longTarget = text(bytes, 0, size);
    else if (type === "x") {
      longTarget = /(?:^|\n)\d+ linkpath=(.*)\n/.exec(decode(bytes))?.[1] ?? longTarget;
      longName = /(?:^|\n)\d+ path=(.*)\n/.exec(decode(bytes))?.[1] ?? longName;
    } else {
      const prefix = text(header, 257, 5) === "ustar" ? text(header, 345, 155) : "";
      const short = text(header, 0, 100);
      const name = longName ?? (prefix ? `${prefix}/${short}` : short);
      const target = longTarget ?? text(header, 157, 100);
      longName = longTarget = undefined;
      if (type === "1" || type === "2") onLink?.({ name, target, isHard: type === "1" });
      if (type === "0" || type === "\0") yield { name, bytes: bytes.slice() };
    }
  }
}

/** Reads a stream in blocks of requested length: undefined at its end, SyntaxError if it ends within a block. */
function blockReader(stream: ReadableStream<Uint8Array>): {
  take(length: number): Promise<Uint8Array | undefined>;
} {
  const reader = stream.getReader();
  let pieces: Uint8Array[] = [];
  let available = 0;
  return {
    async take(length) {
      if (length === 0) return undefined;
      while (available < length) {
        const { value, done } = await reader.read();
        if (done) {
          if (available === 0) return undefined;
          throw new SyntaxError("Tar archive: truncated");
        }
        pieces.push(value);
        available += value.length;
      }
      const all = pieces.length === 1 ? pieces[0] : concatenate(pieces, available);
      pieces = [all.subarray(length)];
      available -= length;
      return all.subarray(0, length);
    },
  };
}

function concatenate(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const out = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

/** Sums the header's bytes, with the checksum field itself counted as blanks. */
function checksum(header: Uint8Array): number {
  return header.reduce((sum, byte, i) => sum + (i >= 148 && i < 156 ? 32 : byte), 0);
}

function octal(header: Uint8Array, start: number, length: number): number {
  const digits = text(header, start, length).trim();
  if (!/^[0-7]*$/.test(digits)) {
    throw new SyntaxError(
      `Tar archive: "${digits}" is not an octal number: the file is broken, or not a tar archive`,
    );
  }
  return digits === "" ? 0 : parseInt(digits, 8);
}

function text(bytes: Uint8Array, start: number, length: number): string {
  const field = bytes.subarray(start, start + length);
  const end = field.indexOf(0);
  return decode(end < 0 ? field : field.subarray(0, end));
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Reading of files and archives made elsewhere. @module */

/** Bytes that can be read at any place: a file, or an array. */
export interface ByteSource {
  readonly size: number;
  /** The bytes [offset, offset + length). Throws SyntaxError when they are not all there. */
  read(offset: number, length: number): Uint8Array<ArrayBuffer>;
}

/** The bytes of an array. */
export function bytesSource(bytes: Uint8Array<ArrayBuffer>): ByteSource {
  return {
    size: bytes.length,
    read(offset, length) {
      checkRange(bytes.length, offset, length);
      return bytes.subarray(offset, offset + length);
    },
  };
}

/** The bytes of an open file. */
export function fileSource(file: Deno.FsFile): ByteSource {
  const { size } = file.statSync();
  return {
    size,
    read(offset, length) {
      checkRange(size, offset, length);
      file.seekSync(offset, Deno.SeekMode.Start);
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length;) {
        const count = file.readSync(bytes.subarray(at));
        if (count === null) throw new SyntaxError(`File ends at byte ${offset + at}: truncated`);
        at += count;
      }
      return bytes;
    },
  };
}

/** The bytes of the file at `path`. Throws an Error that names it when there is none. */
export async function readFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return await Deno.readFile(path).catch((error) => {
    throw error instanceof Deno.errors.NotFound
      ? new Error(`No file ${path}`, { cause: error })
      : error;
  });
}

function checkRange(size: number, offset: number, length: number): void {
  if (offset < 0 || length < 0 || offset + length > size) {
    throw new SyntaxError(
      `Bytes ${offset} to ${offset + length} are beyond the end at ${size}: truncated`,
    );
  }
}

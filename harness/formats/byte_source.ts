/** Random access to the bytes of a file or an array. @module */

/** Bytes that can be read at any offset: a file or an array. */
export interface ByteSource {
  readonly size: number;
  /** Reads the bytes [offset, offset + length). Throws SyntaxError if the range exceeds the source. */
  read(offset: number, length: number): Uint8Array<ArrayBuffer>;
}

/** Wraps an array as a {@link ByteSource}; reads return views of it. */
export function bytesSource(bytes: Uint8Array<ArrayBuffer>): ByteSource {
  return {
    size: bytes.length,
    read(offset, length) {
      checkRange(bytes.length, offset, length);
      return bytes.subarray(offset, offset + length);
    },
  };
}

/** Wraps an open file as a {@link ByteSource}. */
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

/** Reads the file at `path`. Throws an Error that names the path if the file does not exist. */
export async function readFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return await Deno.readFile(path).catch((error) => {
    throw error instanceof Deno.errors.NotFound
      ? new Error(`File not found: ${path}`, { cause: error })
      : error;
  });
}

function checkRange(size: number, offset: number, length: number): void {
  if (offset < 0 || length < 0 || offset + length > size) {
    throw new SyntaxError(
      `Bytes ${offset} to ${offset + length} exceed the size of ${size} bytes: truncated`,
    );
  }
}

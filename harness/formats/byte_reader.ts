/** Reads a stream of bytes in pieces of chosen size. */
export interface ByteReader extends AsyncDisposable {
  /** Number of bytes read so far. */
  readonly position: number;
  /** Whether the stream has ended. */
  atEnd(): Promise<boolean>;
  /** Reads the next `count` bytes. Throws SyntaxError if the stream ends before that. */
  read(count: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Yields the next `count` bytes piece by piece as they arrive. Throws like `read`. */
  pieces(count: number): AsyncGenerator<Uint8Array<ArrayBuffer>>;
  /** Skips the next `count` bytes. Throws like `read`. */
  skip(count: number): Promise<void>;
}

/** Creates a {@link ByteReader} of `stream`; `what` names it in errors. */
export function byteReader(stream: ReadableStream<Uint8Array>, what: string): ByteReader {
  const source = stream.getReader();
  let rest: Uint8Array = new Uint8Array(0);
  let position = 0;

  async function fill(): Promise<boolean> {
    while (rest.length === 0) {
      const { value, done } = await source.read();
      if (done) return false;
      rest = value;
    }
    return true;
  }

  async function* pieces(count: number): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    for (let left = count; left > 0;) {
      if (!await fill()) {
        throw new SyntaxError(`${what} ends at byte ${position}, ${left} bytes too early`);
      }
      const piece = rest.subarray(0, left);
      rest = rest.subarray(piece.length);
      left -= piece.length;
      position += piece.length;
      yield piece as Uint8Array<ArrayBuffer>;
    }
  }

  return {
    get position() {
      return position;
    },
    atEnd: async () => !await fill(),
    async read(count) {
      const bytes = new Uint8Array(count);
      let at = 0;
      for await (const piece of pieces(count)) {
        bytes.set(piece, at);
        at += piece.length;
      }
      return bytes;
    },
    pieces,
    async skip(count) {
      for await (const _ of pieces(count)) { /* skipped */ }
    },
    async [Symbol.asyncDispose]() {
      // What is wrong with the rest of the stream no longer matters, and would hide the error that ended the reading.
      await source.cancel().catch(() => {});
    },
  };
}

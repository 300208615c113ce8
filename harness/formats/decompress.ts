/**
 * The content of a compressed stream. Reading it throws SyntaxError that names `what` and keeps its cause if the stream is broken
 * or unpacks to more than `limit` bytes.
 */
export function decompress(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  { format, what, limit = Infinity }: {
    readonly format: "gzip" | "deflate";
    readonly what: string;
    readonly limit?: number;
  },
): ReadableStream<Uint8Array<ArrayBuffer>> {
  async function* pieces() {
    let size = 0;
    try {
      for await (const piece of stream.pipeThrough(new DecompressionStream(format))) {
        size += piece.length;
        if (size > limit) throw new SyntaxError(`${what} unpacks to more than ${limit} bytes`);
        yield piece;
      }
    } catch (error) {
      if (error instanceof SyntaxError) throw error; // of the limit, or of the stream below
      const reason = error instanceof Error ? error.message : String(error);
      throw new SyntaxError(`${what} is broken or truncated (${reason})`, { cause: error });
    }
  }
  return ReadableStream.from(pieces());
}

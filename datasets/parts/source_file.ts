import { createHash } from "node:crypto";
import type { DatasetFile } from "../../harness/core/types.ts";

/** A file that users may confuse with another one, and its size in bytes. */
export interface KnownFile {
  readonly name: string;
  readonly bytes: number;
}

/**
 * Passes the source file at `path` to `use` as a stream and checks that it is `file`, byte for byte. Throws Error that
 * names the path and, if it has the size of one of `others`, that file. The result of `use` is then discarded, so a
 * wrong file leaves no trace.
 */
export async function readSourceFile<T>(
  { path, file, others = [] }: {
    readonly path: string;
    readonly file: DatasetFile;
    readonly others?: readonly KnownFile[];
  },
  use: (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => Promise<T>,
): Promise<T> {
  await checkSize(path, { file, others });
  const hash = createHash("sha256");
  const opened = await Deno.open(path); // closed together with its stream
  const digested = opened.readable.pipeThrough(
    new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform(piece, controller) {
        hash.update(piece);
        controller.enqueue(piece);
      },
    }),
  );
  const [stream, finish] = drainable(digested);
  let result: T | undefined;
  let failure: unknown;
  try {
    result = await use(stream);
  } catch (error) {
    failure = error;
  }
  await finish();
  const digest = hash.digest("hex");
  if (digest !== file.sha256) {
    throw new Error(
      `${path} is not ${file.name}, or is damaged: SHA-256 must be ${file.sha256}, got ${digest}`,
      { cause: failure },
    );
  }
  if (failure !== undefined) throw failure;
  return result as T;
}

/** A stream over `source` that its reader may cancel early, and a function that then reads `source` to its end. */
function drainable<T>(source: ReadableStream<T>): [ReadableStream<T>, () => Promise<void>] {
  const reader = source.getReader();
  const stream = new ReadableStream<T>({
    async pull(controller) {
      const { value, done } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  }, { highWaterMark: 0 });
  const finish = async () => {
    while (!(await reader.read()).done) { /* only hashed */ }
  };
  return [stream, finish];
}

async function checkSize(
  path: string,
  { file, others }: { readonly file: DatasetFile; readonly others: readonly KnownFile[] },
): Promise<void> {
  const { size } = await Deno.stat(path);
  if (size === file.bytes) return;
  const other = others.find(({ bytes, name }) => bytes === size && name !== file.name);
  const hint = other
    ? `it has the size of ${other.name}`
    : await startsAsHtml(path)
    ? "it is a web page, perhaps a server's error page"
    : "it is another file or incomplete";
  throw new Error(
    `${path} must have the ${file.bytes} bytes of ${file.name}, got ${size}: ${hint}`,
  );
}

async function startsAsHtml(path: string): Promise<boolean> {
  using file = await Deno.open(path);
  const start = new Uint8Array(64);
  await file.read(start);
  return /^\s*<(!doctype|html|\?xml)/i.test(new TextDecoder().decode(start));
}

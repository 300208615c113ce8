/** Writes `content` to `path` atomically: after a crash and to readers, the file is either the old or the new one. */
export async function replaceFile(
  path: string,
  content: string | Uint8Array<ArrayBuffer>,
): Promise<void> {
  const temporary = `${path}.part`;
  {
    using file = await Deno.open(temporary, { write: true, create: true, truncate: true });
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    await file.sync();
  }
  await Deno.rename(temporary, path);
}

/** Awaits `work` on a file; undefined if the file does not exist. */
export async function ifThere<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined; // of the file, or of a folder on the way to it
    }
    throw error;
  }
}

/** Reads the text file at `path`; undefined if it does not exist. */
export async function readTextIfAny(path: string): Promise<string | undefined> {
  return await ifThere(Deno.readTextFile(path));
}

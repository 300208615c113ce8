/** Writes `content` at `path` so that a reader, or a crash, sees the old file or the new one, never a part. */
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

/** What `work` on a file gives; undefined where the file is not there, or no more. */
export async function ifThere<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** The text of the file at `path`, or undefined when there is none. */
export async function readTextIfAny(path: string): Promise<string | undefined> {
  return await ifThere(Deno.readTextFile(path));
}

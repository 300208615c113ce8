import { randomUUID } from "node:crypto";

/** A path beside `path` for a file that will replace it: unique, so that processes that write the same file never share one. */
export function temporaryPath(path: string): string {
  return `${path}.${randomUUID().slice(0, 8)}${TEMPORARY}`;
}

/** Ending of temporary files. */
const TEMPORARY = ".part";

/** Writes `content` to the new file `path` and waits until it is on disk. */
export async function writeFile(
  path: string,
  content: string | Uint8Array<ArrayBuffer>,
): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true });
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
  await file.sync();
}

/** Writes `content` to `path` atomically: after a crash and to readers, the file is either the old or the new one. */
export async function replaceFile(
  path: string,
  content: string | Uint8Array<ArrayBuffer>,
): Promise<void> {
  const temporary = temporaryPath(path);
  try {
    await writeFile(temporary, content);
    await Deno.rename(temporary, path);
  } catch (error) {
    await ifThere(Deno.remove(temporary));
    throw error;
  }
}

/** Milliseconds after which a temporary file belongs to no process that still writes it. */
const ABANDONED = 3600_000;

/** Removes the temporary files in `dir` that killed processes left: those of the last hour may be in use, unless `all`. */
export async function removeTemporary(
  dir: string,
  { all = false, now = Date.now() }: { readonly all?: boolean; readonly now?: number } = {},
): Promise<void> {
  for await (const { name, isFile } of Deno.readDir(dir)) {
    if (!isFile || !name.endsWith(TEMPORARY)) continue;
    const path = `${dir}/${name}`;
    const written = (await ifThere(Deno.stat(path)))?.mtime?.getTime() ?? now;
    if (all || now - written > ABANDONED) await ifThere(Deno.remove(path));
  }
}

/** Throws Error with a remedy unless `replaceFile` can write `path`, so that work for it is not lost. */
export async function checkWritable(path: string): Promise<void> {
  const info = await ifThere(Deno.stat(path));
  if (info?.isDirectory) throw new Error(`${path} is a folder: name a file in it`);
  const temporary = `${path}.part`;
  try {
    (await Deno.open(temporary, { write: true, create: true })).close();
    await Deno.remove(temporary);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new Error(`The folder of ${path} does not exist: create it first`, { cause: error });
    }
    throw new Error(`${path} cannot be written (${systemReason(error)}): name another file`, {
      cause: error,
    });
  }
}

/** Creates the folder `path`, if it is missing, to write into. Throws Error with a remedy if that is impossible. */
export async function makeOutputFolder(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true });
    const probe = `${path}/.laebench-${crypto.randomUUID()}`;
    (await Deno.open(probe, { write: true, createNew: true })).close();
    await Deno.remove(probe);
  } catch (error) {
    throw new Error(
      `Cannot write into the folder ${path} (${systemReason(error)}): name another one with --out`,
      { cause: error },
    );
  }
}

/** The reason of an error of the file system, in words, without numbers, calls and paths, and without Deno's own remedies. */
export function systemReason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (/^Requires .* access/.test(message)) return "the system keeps programs out of it";
  return message.replace(/ \(os error .*/, "").replace(/^(.)/, (letter) => letter.toLowerCase());
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

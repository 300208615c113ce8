import { join } from "node:path";
import { ifThere } from "../../core/files.ts";

/** A file of a cache. */
interface CachedFile {
  readonly path: string;
  readonly bytes: number;
  /** When it was last used, in milliseconds. */
  readonly used: number;
}

/**
 * Removes those files of `folder` whose names match `pattern`, the one used longest ago first, until the rest hold no more
 * than `limit` bytes; the one used last stays however large it is. Other processes may read, add and remove files of the
 * same folder meanwhile: what they removed counts as removed.
 */
export async function pruneCache(
  folder: string,
  { pattern, limit }: { readonly pattern: RegExp; readonly limit: number },
): Promise<void> {
  const files = await filesOf(folder, pattern);
  let total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { path, bytes } of files.toSorted((a, b) => a.used - b.used).slice(0, -1)) {
    if (total <= limit) return;
    await ifThere(Deno.remove(path));
    total -= bytes;
  }
}

/** Notes that the file at `path` was used now: its time of modification is what `pruneCache` goes by. */
export async function markUsed(path: string): Promise<void> {
  const now = new Date();
  await ifThere(Deno.utime(path, now, now));
}

async function filesOf(folder: string, pattern: RegExp): Promise<CachedFile[]> {
  const files: CachedFile[] = [];
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (!isFile || !pattern.test(name)) continue;
    const path = join(folder, name);
    const info = await ifThere(Deno.stat(path));
    if (info) files.push({ path, bytes: info.size, used: info.mtime?.getTime() ?? 0 });
  }
  return files;
}

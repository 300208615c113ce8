import { join } from "node:path";
import { ifThere } from "../../core/files.ts";

/** A file of a cache. */
interface CachedFile {
  readonly path: string;
  readonly bytes: number;
  /** Time of the last use in milliseconds. */
  readonly used: number;
}

/**
 * Removes the least recently used files of `folder` whose names match `pattern`, until the rest have at most `limit`
 * bytes. The most recently used file stays whatever its size. Other processes may use the same folder at the same time:
 * a file that they have removed counts as removed.
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

/** Marks the file at `path` as used now, by its modification time, which `pruneCache` reads. */
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

/**
 * Identity of files by their content. Names, sizes and times do not identify files: reproducible archives, object stores and
 * copies have equal ones for different content. A hash of the content does, and is kept beside what a file system says of the
 * file (inode, size, times of modification and of change), so that only changed files are read again.
 *
 * @module
 */
import { join } from "node:path";
import * as z from "zod";
import { createHash } from "node:crypto";
import { digestOf } from "../../harness/core/image_set.ts";
import { readTextIfAny, replaceFile } from "../../harness/core/files.ts";

/** Milliseconds within which a file may change again without a new time of change, on coarse clocks. */
const CLOCK_GRAIN = 2000;

const SCHEMA = z.record(z.string(), z.object({ seen: z.string(), sha256: z.string() }));

type Known = z.infer<typeof SCHEMA>;

/** The identity of files. */
export interface ContentIdentity {
  /** Of names and contents. */
  readonly digest: string;
  /** Keeps the hashes for the next call. */
  keep(): Promise<void>;
}

/**
 * The identity of the files `names` below `root`; of `root` itself for the only name "". Hashes that an earlier call kept in
 * the folder `cache` are used. `onProgress` is called with the number of files.
 */
export async function contentIdentity(
  root: string,
  names: readonly string[],
  { cache, onProgress }: {
    readonly cache: string;
    readonly onProgress?: (done: number, of: number) => void;
  },
): Promise<ContentIdentity> {
  const store = join(cache, `identity-${digestOf(root).slice(0, 16)}.json`);
  const known = await readKnown(store);
  const next: Record<string, Known[string]> = {};
  const parts: string[] = [];
  let isChanged = Object.keys(known).length !== names.length;
  for (const [i, name] of names.entries()) {
    const path = name === "" ? root : join(root, name);
    const { seen, isSettled } = await look(path);
    const before = known[name];
    const isKnown = before?.seen === seen;
    const sha256 = isKnown ? before.sha256 : await hashFile(path);
    // A file that has just changed may change again unseen.
    if (isKnown || isSettled) next[name] = { seen, sha256 };
    isChanged ||= !isKnown;
    parts.push(name, sha256);
    onProgress?.(i + 1, names.length);
  }
  return {
    digest: digestOf(...parts),
    keep: async () => isChanged ? await keep(store, next) : undefined,
  };
}

/** The entry of a file in the file system, and whether its last change is long enough ago to tell the next one apart. */
async function look(path: string): Promise<{ readonly seen: string; readonly isSettled: boolean }> {
  const { size, mtime, ctime, ino, dev } = await Deno.stat(path);
  const changed = Math.max(mtime?.getTime() ?? 0, ctime?.getTime() ?? 0);
  return {
    seen: [dev, ino, size, mtime?.getTime(), ctime?.getTime()].join(" "),
    isSettled: changed < Date.now() - CLOCK_GRAIN,
  };
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  const file = await Deno.open(path); // closed together with its stream
  for await (const piece of file.readable) hash.update(piece);
  return hash.digest("hex");
}

async function readKnown(store: string): Promise<Known> {
  try {
    return SCHEMA.parse(JSON.parse(await readTextIfAny(store) ?? "{}"));
  } catch {
    return {}; // damaged: the files are hashed again
  }
}

async function keep(store: string, known: Known): Promise<void> {
  try {
    await Deno.mkdir(join(store, ".."), { recursive: true });
    await replaceFile(store, JSON.stringify(known));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    console.warn(`Hashes of files are not kept in ${store}: ${reason}`);
  }
}

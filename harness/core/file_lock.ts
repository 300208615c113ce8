import { ifThere } from "./files.ts";

/**
 * Acquires the lock on the file at `path`, exclusive among processes and among callers in this one, and holds it until
 * disposal. Calls `waiting` once before it waits. The operating system ties the lock to the open file, so a process that
 * ends in any way releases it. Creates the file if it is missing and leaves it, empty: if it were removed, two callers
 * could hold locks on different files.
 */
export async function lockFile(path: string, waiting?: () => void): Promise<Disposable> {
  const file = await Deno.open(path, { write: true, create: true });
  try {
    if (!await file.tryLock(true)) {
      waiting?.();
      await file.lock(true);
    }
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

/** The process that holds a folder. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  /** ISO 8601. */
  readonly since: string;
}

/** Name of the file in a folder that the process which writes to the folder locks. */
export const LOCK_FILE = "lock";

/** Milliseconds between two attempts to claim a folder. */
const RETRY = 200;

/**
 * Claims the existing folder `dir` for this process until disposal or its end, and writes to the folder who holds it. Throws
 * Error that says so if another process still holds it after `wait` milliseconds; `hint` ends the message.
 */
export async function claimFolder(
  dir: string,
  { wait = 0, hint }: { readonly wait?: number; readonly hint: string },
): Promise<Disposable> {
  const file = await Deno.open(`${dir}/${LOCK_FILE}`, { read: true, write: true, create: true });
  try {
    const start = performance.now();
    while (!await file.tryLock(true)) {
      if (performance.now() - start >= wait) {
        throw new Error(`${dir} is in use by ${describeHolder(await readText(file))}: ${hint}`);
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY));
    }
    const holder: Holder = {
      pid: Deno.pid,
      host: Deno.hostname(),
      since: new Date().toISOString(),
    };
    await file.truncate();
    const bytes = new TextEncoder().encode(`${JSON.stringify(holder)}\n`);
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
  } catch (error) {
    file.close();
    throw error;
  }
  return {
    [Symbol.dispose]() {
      file.truncateSync();
      file.close();
    },
  };
}

/**
 * Whether a process of this machine, or of one whose file system shares its locks, holds the folder `dir`. Takes no lock on a
 * folder that its last holder left in order, so that asking is never in the way.
 */
export async function isClaimed(dir: string): Promise<boolean> {
  const file = await ifThere(Deno.open(`${dir}/${LOCK_FILE}`));
  if (file === undefined) return false;
  using opened = file;
  return await readText(opened) !== "" && !await opened.tryLock(false);
}

async function readText(file: Deno.FsFile): Promise<string> {
  const bytes = new Uint8Array(1000);
  await file.seek(0, Deno.SeekMode.Start);
  return new TextDecoder().decode(bytes.subarray(0, await file.read(bytes) ?? 0));
}

/** `process 12 on node3 since 2026-01-02T03:04:05.678Z` from the text of a lock file. */
function describeHolder(text: string): string {
  const [, pid, host, since] = /^\{"pid":(\d+),"host":"(.*)","since":"(.*)"\}\n$/.exec(text) ?? [];
  return pid === undefined ? "another process" : `process ${pid} on ${host} since ${since}`;
}

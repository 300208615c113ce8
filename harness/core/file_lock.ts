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

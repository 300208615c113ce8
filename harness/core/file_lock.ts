/**
 * Waits until no other process, nor another caller in this one, holds the lock on the file at `path`, and holds it until it
 * is disposed; `waiting` is told once, before a wait. A process that ends, however it does, holds no lock any more: the
 * system keeps it with the open file. The file is made if it is not there, and stays, empty: removing it would let two in.
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

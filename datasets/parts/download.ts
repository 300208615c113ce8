import { createHash } from "node:crypto";
import { dirname } from "node:path";
import type { DatasetFile } from "../../harness/core/types.ts";

/** A file to download and its destination. */
export interface Download {
  readonly file: DatasetFile;
  readonly path: string;
}

/** Timing of retries and callbacks. */
export interface DownloadOptions {
  /** Number of tries after the first one. */
  readonly retries?: number;
  /** Seconds before the first retry, doubled for each further one. */
  readonly backoffSeconds?: number;
  /** Seconds without data after which a connection is closed. */
  readonly stallSeconds?: number;
  /** Called after each chunk with the number of bytes received so far. */
  readonly onProgress?: (bytes: number) => void;
}

/** An error that a retry would not change, such as not found, forbidden or gone. */
class PermanentError extends Error {}

/**
 * Downloads `file.url` to `path` unless the file exists. Resumes a partial download of an earlier call, and renames the
 * file to `path` only after checking its size and SHA-256. Processes that download the same file wait for each other.
 * Resolves to whether the file was downloaded. Throws Error that names the URL if all tries fail.
 */
export async function downloadFile(
  { file, path }: Download,
  { retries = 5, backoffSeconds = 1, stallSeconds = 30, onProgress }: DownloadOptions = {},
): Promise<boolean> {
  await Deno.mkdir(dirname(path), { recursive: true });
  if (await hasSize(path, file.bytes)) return false;
  // The operating system ties the lock to the open part file, so it is released when the process ends in any way.
  using part = await Deno.open(`${path}.part`, { read: true, write: true, create: true });
  await part.lock(true);
  if (await hasSize(path, file.bytes)) { // another process was faster
    await removeIfThere(`${path}.part`);
    return false;
  }
  for (let attempt = 0;; attempt++) {
    try {
      await fetchRest(part, { file, stallSeconds, onProgress });
      await checkDigest(part, file);
      await part.sync();
      await Deno.rename(`${path}.part`, path);
      return true;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (attempt === retries || error instanceof PermanentError) {
        throw new Error(
          `Download of ${file.url} failed${
            attempt > 0 ? ` after ${attempt + 1} tries` : ""
          }: ${reason}`,
          { cause: error },
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 1000 * backoffSeconds * 2 ** attempt));
    }
  }
}

/** Requests the bytes that `part` lacks and appends them. */
async function fetchRest(
  part: Deno.FsFile,
  { file, stallSeconds, onProgress }: {
    readonly file: DatasetFile;
    readonly stallSeconds: number;
    readonly onProgress?: (bytes: number) => void;
  },
): Promise<void> {
  if (file.url === undefined) throw new PermanentError("the file has no URL");
  let size = (await part.stat()).size;
  if (size > file.bytes) {
    await part.truncate(0);
    size = 0;
  }
  if (size === file.bytes) return;
  const stall = new AbortController();
  const stalled = () =>
    stall.abort(
      new Error(`no data for ${stallSeconds} s after ${size} of ${file.bytes} bytes`),
    );
  let timer = setTimeout(stalled, 1000 * stallSeconds);
  try {
    const response = await fetch(file.url, {
      signal: stall.signal,
      // A compressed transfer would have another size and could not be resumed.
      headers: { "accept-encoding": "identity", ...(size > 0 && { range: `bytes=${size}-` }) },
    });
    if (!response.ok) {
      await response.body?.cancel();
      if (response.status === 416) await part.truncate(0); // the part belongs to another file
      throw statusError(response);
    }
    if (size > 0 && !continuesAt(response, size)) {
      await part.truncate(0); // the server sends the file from its start
      size = 0;
    }
    const announced = Number(response.headers.get("content-length") ?? NaN);
    if (announced >= 0 && size + announced !== file.bytes) {
      await response.body?.cancel();
      throw new PermanentError(
        `the server sends ${size + announced} bytes of ${
          response.headers.get("content-type") ?? "unknown type"
        }, expected ${file.bytes}`,
      );
    }
    await part.seek(size, Deno.SeekMode.Start);
    for await (const piece of response.body ?? []) {
      clearTimeout(timer);
      timer = setTimeout(stalled, 1000 * stallSeconds);
      if (size + piece.length > file.bytes) {
        await part.truncate(0);
        throw new PermanentError(`the server sends more than the expected ${file.bytes} bytes`);
      }
      for (let written = 0; written < piece.length;) {
        written += await part.write(piece.subarray(written));
      }
      size += piece.length;
      onProgress?.(size);
    }
    if (size < file.bytes) {
      throw new Error(`the connection ended after ${size} of ${file.bytes} bytes`);
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Whether `response` continues the file at byte `start`. */
function continuesAt(response: Response, start: number): boolean {
  return response.status === 206 &&
    (response.headers.get("content-range") ?? "").startsWith(`bytes ${start}-`);
}

function statusError({ status, statusText }: Response): Error {
  const temporary = status >= 500 || status === 408 || status === 416 || status === 429;
  const message = `the server answered ${status} ${statusText}`.trimEnd();
  return temporary ? new Error(message) : new PermanentError(message);
}

/** Checks the digest of the complete part; empties a wrong one, so that the next try starts from the beginning. */
async function checkDigest(part: Deno.FsFile, { bytes, sha256 }: DatasetFile): Promise<void> {
  const hash = createHash("sha256");
  const buffer = new Uint8Array(1 << 20);
  await part.seek(0, Deno.SeekMode.Start);
  for (let read = await part.read(buffer); read !== null; read = await part.read(buffer)) {
    hash.update(buffer.subarray(0, read));
  }
  const digest = hash.digest("hex");
  if (digest === sha256) return;
  await part.truncate(0);
  throw new Error(`the ${bytes} bytes received have SHA-256 ${digest}, expected ${sha256}`);
}

async function hasSize(path: string, bytes: number): Promise<boolean> {
  try {
    const { isFile, size } = await Deno.stat(path);
    if (isFile && size === bytes) return true;
    throw new Error(
      `${path} must be a file of ${bytes} bytes, got ${
        isFile ? `${size} bytes` : "a folder"
      }: move it away`,
    );
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

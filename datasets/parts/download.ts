import { createHash } from "node:crypto";
import { dirname } from "node:path";
import type { DatasetFile } from "../../harness/core/types.ts";

/** A file to download, and where it shall lie. */
export interface Download {
  readonly file: DatasetFile;
  readonly path: string;
}

/** How patient a download is. */
export interface DownloadOptions {
  /** Tries after the first one. */
  readonly retries?: number;
  /** Seconds before the first retry; doubled for each further one. */
  readonly backoffSeconds?: number;
  /** Seconds without a byte after which a connection is given up. */
  readonly stallSeconds?: number;
  /** Told the bytes that are here after each piece. */
  readonly onProgress?: (bytes: number) => void;
}

/** Answers that a second try does not change: not found, forbidden, gone and their like. */
class PermanentError extends Error {}

/**
 * Downloads `file.url` to `path`, unless it is there. Resumes a part left by an earlier call, checks size
 * and SHA-256, and only then gives the file its name: there is never a half file in place of a whole one.
 * Two processes that want the same file wait for each other. Resolves to whether anything was fetched.
 * Throws an Error with the URL when it stays impossible.
 */
export async function downloadFile(
  { file, path }: Download,
  { retries = 5, backoffSeconds = 1, stallSeconds = 30, onProgress }: DownloadOptions = {},
): Promise<boolean> {
  await Deno.mkdir(dirname(path), { recursive: true });
  if (await hasSize(path, file.bytes)) return false;
  // The lock is the part file's own, held by the system: it ends with the process, however that ends.
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

/** Asks for what `part` lacks and appends it. */
async function fetchRest(
  part: Deno.FsFile,
  { file, stallSeconds, onProgress }: {
    readonly file: DatasetFile;
    readonly stallSeconds: number;
    readonly onProgress?: (bytes: number) => void;
  },
): Promise<void> {
  if (file.url === undefined) throw new PermanentError("it has no address");
  let size = (await part.stat()).size;
  if (size > file.bytes) {
    await part.truncate(0);
    size = 0;
  }
  if (size === file.bytes) return;
  const stall = new AbortController();
  const stalled = () =>
    stall.abort(
      new Error(`no data for ${stallSeconds} s, with ${size} of ${file.bytes} bytes here`),
    );
  let timer = setTimeout(stalled, 1000 * stallSeconds);
  try {
    const response = await fetch(file.url, {
      signal: stall.signal,
      // Compressed on the way, a file would have another size and could not be resumed.
      headers: { "accept-encoding": "identity", ...(size > 0 && { range: `bytes=${size}-` }) },
    });
    if (!response.ok) {
      await response.body?.cancel();
      if (response.status === 416) await part.truncate(0); // our part is not of this file
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
        `the server offers ${size + announced} bytes of ${
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

/** Whether `response` is the part of the file from byte `start` on. */
function continuesAt(response: Response, start: number): boolean {
  return response.status === 206 &&
    (response.headers.get("content-range") ?? "").startsWith(`bytes ${start}-`);
}

function statusError({ status, statusText }: Response): Error {
  const passing = status >= 500 || status === 408 || status === 416 || status === 429;
  const message = `the server answered ${status} ${statusText}`.trimEnd();
  return passing ? new Error(message) : new PermanentError(message);
}

/** Compares the whole part with the digest; empties it when it is wrong, so that the next try starts anew. */
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
      `${path} is in the way (${
        isFile ? `${size} bytes` : "no file"
      }, expected ${bytes} bytes): move it away`,
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

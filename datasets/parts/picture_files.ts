import { join } from "node:path";
import { fileSource } from "../../harness/formats/byte_source.ts";
import { tarMembers } from "../../harness/formats/tar.ts";
import { zipMembers } from "../../harness/formats/zip.ts";
import { PICTURE_ENDINGS } from "./decode_picture.ts";
import { digestOf } from "../../harness/core/image_set.ts";

/** A file of a folder or an archive. */
export interface PictureFile {
  /** Path below the folder or in the archive, with forward slashes. */
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The image files of a folder or an archive. */
export interface PictureFiles {
  /** Path of the folder or archive. */
  readonly path: string;
  /**
   * Represents the content in cache keys: a digest of names, sizes and modification times, since reading thousands of
   * images at every start would take minutes.
   */
  readonly fingerprint: string;
  /** All files with the extension of an image or an array, in no particular order. */
  files(): AsyncIterable<PictureFile>;
}

/**
 * Opens the files at `path`: a folder, or a .zip, .tar, .tar.gz or .tgz archive. Throws Error if `path` does not exist or
 * has another format. Reading an archive throws Error for entries that are links or whose names lead out of the archive.
 */
export async function openPictureFiles(path: string): Promise<PictureFiles> {
  const info = await statOrExplain(path);
  if (info.isDirectory) return await openFolder(path);
  const fingerprint = digestOf(String(info.size), String(info.mtime?.getTime()));
  const list = isZip(path) ? zipFiles : isTar(path) ? tarFiles : undefined;
  if (!list) {
    throw new Error(`${path} is not a supported archive: use .zip, .tar, .tar.gz or .tgz`);
  }
  return { path, fingerprint, files: () => inArchive(path, list(path)) };
}

async function openFolder(path: string): Promise<PictureFiles> {
  const found: { name: string; size: number; time: number }[] = [];
  await collectFolder(path, "", found);
  found.sort((a, b) => byCodeUnit(a.name, b.name));
  return {
    path,
    fingerprint: digestOf(...found.map(({ name, size, time }) => `${name} ${size} ${time}`)),
    async *files() {
      for (const { name } of found) yield { name, bytes: await Deno.readFile(join(path, name)) };
    },
  };
}

/** Collects the files below `folder`, following links, since the folder is the user's. */
async function collectFolder(
  folder: string,
  below: string,
  found: { name: string; size: number; time: number }[],
): Promise<void> {
  for await (const { name: own } of Deno.readDir(join(folder, below))) {
    const name = below ? `${below}/${own}` : own;
    const { isDirectory, isFile, size, mtime } = await Deno.stat(join(folder, name));
    if (isDirectory) await collectFolder(folder, name, found);
    if (isFile && isPictureFile(name)) found.push({ name, size, time: mtime?.getTime() ?? 0 });
  }
}

async function* zipFiles(path: string): AsyncGenerator<PictureFile> {
  using file = await Deno.open(path);
  for (const member of zipMembers(fileSource(file))) {
    checkEntry(member.name);
    if (member.link) refuseLink(member.name);
    if (isPictureFile(member.name)) yield { name: member.name, bytes: member.read() };
  }
}

async function* tarFiles(path: string): AsyncGenerator<PictureFile> {
  const file = await Deno.open(path); // closed together with its stream
  const stream = /\.tar$/i.test(path)
    ? file.readable
    : file.readable.pipeThrough(new DecompressionStream("gzip"));
  for await (const member of tarMembers(stream, { onLink: refuseLink })) {
    checkEntry(member.name);
    if (isPictureFile(member.name)) yield member;
  }
}

/** Refuses names that would lead out of the folder into which an archive is unpacked. */
function checkEntry(name: string): void {
  const parts = name.split(/[/\\]/);
  if (parts.includes("..") || parts[0] === "" || /^[a-z]:/i.test(name)) {
    throw new Error(`entry "${name}" leads out of the archive: remove it`);
  }
}

function refuseLink(name: string): never {
  throw new Error(`entry "${name}" is a link: replace it by the file`);
}

/** Prefixes errors of an archive with its path. */
async function* inArchive(
  path: string,
  files: AsyncIterable<PictureFile>,
): AsyncGenerator<PictureFile> {
  try {
    yield* files;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${path}: ${reason}`, { cause: error });
  }
}

function isPictureFile(name: string): boolean {
  const plain = name.split("/").at(-1) ?? "";
  const ending = /\.([^.]+)$/.exec(plain)?.[1].toLowerCase();
  const known: readonly string[] = [...PICTURE_ENDINGS, "npy"];
  return !plain.startsWith(".") && ending !== undefined && known.includes(ending); // macOS writes ._x.png
}

function isZip(path: string): boolean {
  return /\.zip$/i.test(path);
}

function isTar(path: string): boolean {
  return /\.(tar|tar\.gz|tgz)$/i.test(path);
}

async function statOrExplain(path: string): Promise<Deno.FileInfo> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error(`File or folder not found: ${path}`, { cause: error });
  }
}

/** Compares names in an order that is the same on every machine. */
export function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

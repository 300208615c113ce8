/**
 * The image files of a folder or an archive: one rule for every reader of images.
 *
 * Read are files with the ending of an image, and .npy arrays. Hidden files and folders (`.thumbnails`, `._a.png`,
 * `__MACOSX`) are skipped, as are files of other kinds; the reader can say how many and why. Links are followed, in archives
 * too: to a picture they are a picture. Images in a format that is not read, and links to nothing, are refused by name, since
 * leaving them out would change a score.
 *
 * @module
 */
import { join } from "node:path";
import { ifThere, systemReason } from "../core/files.ts";
import { named, openArray, openTar, openZip } from "./image_archives.ts";
import {
  byCodeUnit,
  endingOf,
  IMAGE_ENDINGS,
  type ImageFiles,
  isHidden,
  Skipped,
} from "./image_rule.ts";
import { UNPICKLE } from "./npy_images.ts";

/**
 * Opens the image files at `path`: a folder, or a .zip, .tar, .tar.gz or .tgz archive. Throws Error that names what cannot be
 * used: a path that does not exist or has another format, an image of a format that is not read, a link to nothing.
 */
export async function openImageFiles(path: string): Promise<ImageFiles> {
  const info = await statOf(path, path);
  if (info === null) {
    const isLink = await Deno.lstat(path).then(({ isSymlink }) => isSymlink, () => false);
    throw new Error(isLink ? deadLink(path) : `File or folder not found: ${path}`);
  }
  if (info.isDirectory) return await openFolder(path);
  if (!info.isFile) throw new Error(`${path} is neither a file nor a folder`);
  if (info.size === 0) throw new Error(`${path} is empty`);
  if (/\.(bz2|xz|zst|7z|rar|tbz2?|txz)$/i.test(path)) {
    const ending = /\.(?:tar\.)?\w+$/.exec(path)?.[0] ?? "";
    throw new Error(`${path}: ${ending} is not read: repack it as .zip, .tar or .tar.gz`);
  }
  if (/\.zip$/i.test(path)) return named(path, () => openZip(path));
  if (/\.(tar|tar\.gz|tgz)$/i.test(path)) return openTar(path);
  if (/\.np[yz]$/i.test(path)) return named(path, () => openArray(path));
  if (/\.(pkl|pickle)$/i.test(path)) throw new Error(`${path} is a pickled object: ${UNPICKLE}`);
  throw new Error(
    `${path} is not a supported source of images: use a folder, a .zip, .tar, .tar.gz or .tgz archive, or an array in .npy or .npz`,
  );
}

async function openFolder(folder: string): Promise<ImageFiles> {
  const skipped = new Skipped();
  const names: string[] = [];
  /** Collects below `below`; `above` are the real paths of the folders that contain it. */
  const collect = async (below: string, above: readonly string[]) => {
    for await (const entry of Deno.readDir(join(folder, below))) {
      const name = below ? `${below}/${entry.name}` : entry.name;
      const full = join(folder, name);
      const info = entry.isSymlink || !entry.isDirectory ? await statOf(full, name) : null;
      if (info === null && !entry.isDirectory) {
        if (isHidden(name) || !isImageName(name)) continue;
        throw new Error(
          entry.isSymlink ? deadLink(full) : unopened(full),
        );
      }
      if (entry.isDirectory || info?.isDirectory) {
        const real = await ifThere(Deno.realPath(full));
        if (real === undefined) {
          throw new Error(unopened(full));
        }
        if (above.includes(real)) skipped.loop(name);
        else await collect(name, [...above, real]);
      } else if (info?.isFile && skipped.isRead(name)) names.push(name);
    }
  };
  await collect("", [await Deno.realPath(folder)]);
  names.sort(byCodeUnit);
  return {
    path: folder,
    names,
    skipped: () => skipped.describe(folder),
    async *files() {
      for (const name of names) yield { name, bytes: await Deno.readFile(join(folder, name)) };
    },
  };
}

function deadLink(path: string): string {
  return `${path} is a link to a file that does not exist: restore the file, or remove the link`;
}

function unopened(path: string): string {
  return `${path} cannot be opened: perhaps its name is not UTF-8; rename it`;
}

function isImageName(name: string): boolean {
  return IMAGE_ENDINGS.some((known) => known === endingOf(name));
}

/** The file at `path`, following links; null if there is none. `name` names it in errors, which say what to do. */
export async function statOf(path: string, name: string): Promise<Deno.FileInfo | null> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return null;
    }
    if (error instanceof Deno.errors.FilesystemLoop || /os error 40\b/.test(`${error}`)) {
      throw new Error(`${name} is a link that leads back to itself: remove it`, { cause: error });
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      throw new Error(`${name} may not be read: check its permissions`, { cause: error });
    }
    throw new Error(`${name} cannot be used: ${systemReason(error)}`, { cause: error });
  }
}

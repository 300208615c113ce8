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
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { join, posix } from "node:path";
import { fileSource } from "./byte_source.ts";
import { UNPICKLE } from "./npy_images.ts";
import { type TarLink, tarMembers } from "./tar.ts";
import { zipMembers } from "./zip.ts";

/** Endings of the image formats that are read. */
export const IMAGE_ENDINGS = [
  "png",
  "jpg",
  "jpeg",
  "jpe",
  "jfif",
  "webp",
  "tif",
  "tiff",
  "gif",
  "avif",
] as const;

/** Endings of images that are not read. */
const OTHER_IMAGES = ["bmp", "ppm", "pgm", "pbm", "pnm", "heic", "heif", "jxl", "jp2", "tga"];

/** Largest file that is unpacked, in bytes: an image of 8192 x 8192 pixels needs 200 MB without compression. */
const FILE_LIMIT = 2 ** 28;

/** A file of a folder or an archive. */
export interface ImageFile {
  /** Path below the folder or in the archive, with forward slashes. */
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The image files at a path. */
export interface ImageFiles {
  readonly path: string;
  /** Their names, in order of code units; null for a tar archive, whose names are known at its end. */
  readonly names: readonly string[] | null;
  /** The files in the order of `names`; those of a tar archive in its order, links last. */
  files(): AsyncIterable<ImageFile>;
  /** How many files were skipped and why, in one line; undefined if none was, or not yet. */
  skipped(): string | undefined;
}

/**
 * Opens the image files at `path`: a folder, or a .zip, .tar, .tar.gz or .tgz archive. Throws Error that names what cannot be
 * used: a path that does not exist or has another format, an image of a format that is not read, a link to nothing.
 */
export async function openImageFiles(path: string): Promise<ImageFiles> {
  const info = await statOf(path, path);
  if (info === null) throw new Error(`File or folder not found: ${path}`);
  if (info.isDirectory) return await openFolder(path);
  if (/\.(bz2|xz|zst|7z|rar|tbz2?|txz)$/i.test(path)) {
    const ending = /\.(?:tar\.)?\w+$/.exec(path)?.[0] ?? "";
    throw new Error(`${path}: ${ending} is not read: repack it as .zip, .tar or .tar.gz`);
  }
  if (/\.zip$/i.test(path)) return inArchive(path, () => openZip(path));
  if (/\.(tar|tar\.gz|tgz)$/i.test(path)) return openTar(path);
  if (/\.np[yz]$/i.test(path)) return inArchive(path, () => openArray(path));
  if (/\.(pkl|pickle)$/i.test(path)) throw new Error(`${path} is a pickled object: ${UNPICKLE}`);
  throw new Error(
    `${path} is not a supported source of images: use a folder, a .zip, .tar, .tar.gz or .tgz archive, or an array in .npy or .npz`,
  );
}

/** Compares names in an order that is the same on every machine. */
export function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The ending of a name in lower case, without the dot. */
export function endingOf(name: string): string {
  return /\.([^./]+)$/.exec(name)?.[1].toLowerCase() ?? "";
}

/** Counts the files that are skipped, by reason. */
class Skipped {
  readonly #hidden = new Set<string>();
  readonly #loops = new Set<string>();
  readonly #others = new Map<string, string>();

  /** Whether the file `name` is read. Throws Error for an image of a format that is not. */
  isRead(name: string): boolean {
    const ending = endingOf(name);
    if (isHidden(name)) this.#hidden.add(name);
    else if (OTHER_IMAGES.includes(ending)) {
      throw new Error(`${name}: .${ending} is not read: convert it to PNG, which is lossless`);
    } else if (ending !== "npy" && !IMAGE_ENDINGS.some((known) => known === ending)) {
      this.#others.set(name, ending === "" ? "without an ending" : `.${ending}`);
    } else return true;
    return false;
  }

  loop(name: string): void {
    this.#loops.add(name);
  }

  describe(path: string): string | undefined {
    const endings = [...new Set(this.#others.values())].toSorted();
    const shown = endings.length > 5 ? [...endings.slice(0, 5), "…"] : endings;
    const reasons = [
      [this.#hidden.size, "hidden"],
      [this.#others.size, `not images (${shown.join(", ")})`],
      [this.#loops.size, "links to a folder that contains them"],
    ] as const;
    const found = reasons.filter(([count]) => count > 0);
    if (found.length === 0) return undefined;
    const count = found.reduce((sum, [count]) => sum + count, 0);
    const list = found.map(([count, reason]) => `${count} ${reason}`).join(", ");
    return `Skipped ${count} file${count === 1 ? "" : "s"} of ${path}: ${list}`;
  }
}

/** Whether a part of the path `name` is hidden: by a leading dot, or as macOS's double of an archive. */
function isHidden(name: string): boolean {
  return name.split("/").some((part) => part === "__MACOSX" || /^\.(?!\.?$)/.test(part));
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
          entry.isSymlink
            ? `${full} is a link to a file that does not exist: restore the file, or remove the link`
            : `${full} cannot be opened: perhaps its name is not UTF-8; rename it`,
        );
      }
      if (entry.isDirectory || info?.isDirectory) {
        const real = await Deno.realPath(full);
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

function isImageName(name: string): boolean {
  return IMAGE_ENDINGS.some((known) => known === endingOf(name));
}

function openZip(path: string): ImageFiles {
  const skipped = new Skipped();
  /** The members to read by name; a link stands for its target. */
  const pictures = (file: Deno.FsFile) => {
    const members = new Map(zipMembers(fileSource(file)).map((member) => [member.name, member]));
    return [...members.values()].filter(({ name }) => checkEntry(name) && skipped.isRead(name))
      .sort((a, b) => byCodeUnit(a.name, b.name))
      .map((member) => {
        const { name } = member;
        const seen = new Set<string>();
        while (member.link) {
          const target = targetOf(member.name, new TextDecoder().decode(member.read()));
          const next = seen.has(target) ? undefined : members.get(target);
          seen.add(target);
          if (next === undefined) throw deadLink(name);
          member = next;
        }
        if (member.size > FILE_LIMIT) {
          throw new Error(
            `entry "${name}" unpacks to ${member.size} bytes: too large for an image`,
          );
        }
        return { name, member };
      });
  };
  using file = Deno.openSync(path);
  const names = pictures(file).map(({ name }) => name);
  return {
    path,
    names,
    skipped: () => skipped.describe(path),
    async *files() {
      using file = await Deno.open(path);
      for (const { name, member } of pictures(file)) {
        yield { name, bytes: named(path, () => member.read()) };
      }
    },
  };
}

/** The only file of `path`, a .npy array, or the array of images of an .npz archive: `arr_0`, or the only one. */
function openArray(path: string): ImageFiles {
  const isArchive = /z$/i.test(path);
  const find = (file: Deno.FsFile) => {
    const members = zipMembers(fileSource(file));
    const found = members.find(({ name }) => name === "arr_0.npy") ?? members[0];
    if (found === undefined || (members.length > 1 && found.name !== "arr_0.npy")) {
      const names = members.map(({ name }) => name.replace(/\.npy$/, "")).join(", ");
      throw new Error(`no array arr_0, only ${names || "nothing"}: not an archive of images`);
    }
    return found;
  };
  if (isArchive) {
    using file = Deno.openSync(path);
    find(file);
  }
  return {
    path,
    names: [isArchive ? "arr_0.npy" : path],
    skipped: () => undefined,
    async *files() {
      if (isArchive) {
        using file = await Deno.open(path);
        yield { name: "arr_0.npy", bytes: named(path, () => find(file).read()) };
      } else yield { name: path, bytes: await Deno.readFile(path) };
    },
  };
}

function openSync(path: string): Deno.FsFile {
  try {
    return Deno.openSync(path);
  } catch (error) {
    throw error instanceof Deno.errors.NotFound ? new Error(`File not found: ${path}`) : error;
  }
}

/** Whether the .npz archive at `path` has statistics, `mu` and `sigma`; false for one of images. */
export function hasStatistics(path: string): boolean {
  return named(path, () => {
    using file = openSync(path);
    const names = zipMembers(fileSource(file)).map(({ name }) => name);
    return names.includes("mu.npy") || !names.includes("arr_0.npy");
  });
}

function openTar(path: string): ImageFiles {
  const skipped = new Skipped();
  async function* members(onLink: (link: TarLink) => void) {
    try {
      yield* tarMembers(await openStream(path), { onLink, limit: FILE_LIMIT });
    } catch (error) {
      throw withPath(path, error);
    }
  }
  return {
    path,
    names: null,
    skipped: () => skipped.describe(path),
    async *files() {
      const links = new Map<string, string>();
      const onLink = ({ name, target, isHard }: TarLink) => {
        const isRead = named(path, () => checkEntry(name) && skipped.isRead(name));
        if (isRead) links.set(name, isHard ? posix.normalize(target) : targetOf(name, target));
      };
      for await (const { name, bytes } of members(onLink)) {
        if (named(path, () => checkEntry(name) && skipped.isRead(name))) yield { name, bytes };
      }
      if (links.size === 0) return;
      // A second pass for the files behind the links.
      const wanted = new Map<string, string[]>();
      for (const name of links.keys()) {
        let target = name;
        for (let hops = 0; links.has(target) && hops <= links.size; hops++) {
          target = links.get(target) ?? target;
        }
        wanted.set(target, [...wanted.get(target) ?? [], name]);
      }
      for await (const { name, bytes } of members(() => {})) {
        const plain = posix.normalize(name);
        for (const link of wanted.get(plain) ?? []) yield { name: link, bytes };
        wanted.delete(plain);
      }
      const [dead] = [...wanted.values()].flat();
      if (dead !== undefined) throw withPath(path, deadLink(dead));
    },
  };
}

/** The content of a tar archive, unpacked; a .gz file may have several members, as pigz and bgzip write them. */
async function openStream(path: string): Promise<ReadableStream<Uint8Array>> {
  const file = await Deno.open(path); // closed together with its stream
  if (/\.tar$/i.test(path)) return file.readable;
  const packed = Readable.fromWeb(file.readable as Parameters<typeof Readable.fromWeb>[0]);
  const unpacked = createGunzip();
  packed.on("error", (error) => unpacked.destroy(error));
  return Readable.toWeb(packed.pipe(unpacked)) as unknown as ReadableStream<Uint8Array>;
}

/** The member of an archive to which the link `name` leads. */
function targetOf(name: string, target: string): string {
  return posix.join(posix.dirname(name), target);
}

function deadLink(name: string): Error {
  return new Error(
    `entry "${name}" is a link to a file that is not in the archive: replace it by the file`,
  );
}

/** Refuses names that would lead out of the folder into which an archive is unpacked. */
function checkEntry(name: string): true {
  const parts = name.split(/[/\\]/);
  if (parts.includes("..") || parts[0] === "" || /^[a-z]:/i.test(name)) {
    throw new Error(`entry "${name}" leads out of the archive: remove it`);
  }
  return true;
}

/** The file at `path`, following links; null if there is none. `name` names it in errors. */
async function statOf(path: string, name: string): Promise<Deno.FileInfo | null> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    if (error instanceof Deno.errors.FilesystemLoop || /os error 40\b/.test(`${error}`)) {
      throw new Error(`${name} is a link that leads back to itself: remove it`, { cause: error });
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      throw new Error(`${name} may not be read: check its permissions`, { cause: error });
    }
    throw error;
  }
}

function inArchive(path: string, open: () => ImageFiles): ImageFiles {
  return named(path, open);
}

/** Runs `work` and prefixes its errors with the path of the archive. */
function named<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw withPath(path, error);
  }
}

function withPath(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || error.message.includes(path)) return error;
  const reason = /unexpected end of file|incorrect header check|invalid/i.test(error.message)
    ? `broken or truncated (${error.message})`
    : error.message;
  const named = `${path}: ${reason}`;
  return error instanceof SyntaxError
    ? new SyntaxError(named, { cause: error })
    : new Error(named, { cause: error });
}

/**
 * The rule by which image files are read or skipped, the same for folders and archives.
 *
 * @module
 */
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

/** Compares names in an order that is the same on every machine. */
export function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The ending of a name in lower case, without the dot. */
export function endingOf(name: string): string {
  return /\.([^./]+)$/.exec(name)?.[1].toLowerCase() ?? "";
}

/** Counts the files that are skipped, by reason. */
export class Skipped {
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
export function isHidden(name: string): boolean {
  return name.split("/").some((part) => part === "__MACOSX" || /^\.(?!\.?$)/.test(part));
}

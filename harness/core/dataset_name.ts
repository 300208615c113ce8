import { userPath } from "./project.ts";

/** Prefix of the name of a data set: a part of its training images takes the place of its test images. */
export const HELD_OUT = "heldout:";

/** The user's images, as the name of a data set gives them: `folder:PATH` or `archive:FILE`, with `@32` or `@64`. */
export interface OwnImages {
  readonly form: "folder" | "archive";
  readonly path: string;
  /** Side of the images in pixels; undefined where the name gives none. */
  readonly size: number | undefined;
}

/** Parses the name of a data set, without `heldout:`; undefined if it is not of the user's images. */
export function parseOwnImages(name: string): OwnImages | undefined {
  const [, form, path, size] = /^(folder|archive):(.+?)(?:@(32|64))?$/s.exec(name) ?? [];
  if (form !== "folder" && form !== "archive") return undefined;
  return { form, path, size: size === undefined ? undefined : Number(size) };
}

/** The file or folder of the user's images that the data set `name` reads; undefined if it reads none. */
export function pathOfDataset(name: string): string | undefined {
  return name.startsWith(HELD_OUT)
    ? pathOfDataset(name.slice(HELD_OUT.length))
    : parseOwnImages(name)?.path;
}

/** The name of a data set with the path in it, if any, absolute: as a spec has it, which is read from other folders. */
export function absoluteName(name: string): string {
  if (name.startsWith(HELD_OUT)) return HELD_OUT + absoluteName(name.slice(HELD_OUT.length));
  const own = parseOwnImages(name);
  if (own === undefined) return name;
  return `${own.form}:${userPath(own.path)}${own.size === undefined ? "" : `@${own.size}`}`;
}

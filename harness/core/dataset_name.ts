import { userPath } from "./project.ts";

/** Prefix of the name of a data set: a part of its training images takes the place of its test images. */
export const HELD_OUT = "heldout:";

/** The parts of `inpaint:MASK:NAME` and `recover:MASK:NAME` (`datasets/parts/hidden_pixels.ts`). */
export interface Hiding {
  readonly task: "inpaint" | "recover";
  /** As `pixels-0.5`. */
  readonly mask: string;
  /** NAME. */
  readonly base: string;
}

/** Parses the name of a data set with hidden pixels; undefined for other names. */
export function parseHiding(name: string): Hiding | undefined {
  const [, task, mask, base] = /^(inpaint|recover):([^:]*):(.*)$/s.exec(name) ?? [];
  if (task !== "inpaint" && task !== "recover") return undefined;
  return { task, mask, base };
}

/** The prefixes of the name of a data set, and the name that they are before. */
function splitName(name: string): readonly [prefixes: string, base: string] {
  const rest = name.startsWith(HELD_OUT) ? name.slice(HELD_OUT.length) : parseHiding(name)?.base;
  if (rest === undefined) return ["", name];
  const [prefixes, base] = splitName(rest);
  return [name.slice(0, name.length - rest.length) + prefixes, base];
}

/** The name of the data set that others are made of: `fashion_4k` for `heldout:fashion_4k`. */
export function baseName(name: string): string {
  return splitName(name)[1];
}

/** The name of a data set of the table, or of a part or a size of one: `mnist@28-3` is `mnist` at 28x28 without class 3. */
export interface TableName {
  readonly base: string;
  /** Side of the images in pixels; undefined where the name gives none. */
  readonly size: number | undefined;
  /** The class that is held out, if any. */
  readonly anomaly: number | undefined;
}

/** Parses the name, without prefixes, of a data set that is not of the user's images. */
export function parseTableName(name: string): TableName {
  const [, rest = name, anomaly] = /^(.+)-(\d+)$/.exec(name) ?? [];
  const [base, size] = splitSize(rest, "\\d+");
  return { base, size, anomaly: anomaly === undefined ? undefined : Number(anomaly) };
}

/** `name` without the side of images in pixels that may follow it, `@64`, and that side; `sizes` is a pattern of those known. */
function splitSize(name: string, sizes: string): readonly [name: string, size: number | undefined] {
  const [, rest, size] = new RegExp(`^(.+)@(${sizes})$`, "s").exec(name) ?? [];
  return rest === undefined ? [name, undefined] : [rest, Number(size)];
}

/** The user's images, as the name of a data set gives them: `folder:PATH` or `archive:FILE`, with `@32` or `@64`. */
export interface OwnImages {
  readonly form: "folder" | "archive";
  readonly path: string;
  /** Side of the images in pixels; undefined where the name gives none. */
  readonly size: number | undefined;
}

/** Parses the name of a data set, without prefixes; undefined if it is not of the user's images. */
export function parseOwnImages(name: string): OwnImages | undefined {
  const [, form, sized] = /^(folder|archive):(.+)$/s.exec(name) ?? [];
  if (form !== "folder" && form !== "archive") return undefined;
  const [path, size] = splitSize(sized, "32|64");
  return { form, path, size };
}

/** The file or folder of the user's images that the data set `name` reads; undefined if it reads none. */
export function pathOfDataset(name: string): string | undefined {
  return parseOwnImages(baseName(name))?.path;
}

/** The name of a data set with the path in it, if any, absolute: as a spec has it, which is read from other folders. */
export function absoluteName(name: string): string {
  const [prefixes, base] = splitName(name);
  const own = parseOwnImages(base);
  if (own === undefined) return name;
  const size = own.size === undefined ? "" : `@${own.size}`;
  return `${prefixes}${own.form}:${userPath(own.path)}${size}`;
}

/** The table of data sets. A new data set is one file and one line here. @module */
import {
  baseName,
  HELD_OUT,
  parseHiding,
  parseOwnImages,
  parseTableName,
  type TableName,
} from "../harness/core/dataset_name.ts";
import { userPath } from "../harness/core/project.ts";
import type { Dataset } from "../harness/core/types.ts";
import { statOf } from "../harness/formats/image_files.ts";
import { celebaHq32, celebaHq64 } from "./celeba_hq.ts";
import { cifar10 } from "./cifar10.ts";
import { fashion4k } from "./fashion_4k.ts";
import { fashionMnist } from "./fashion_mnist.ts";
import { decodedFolder } from "./parts/file_dataset.ts";
import { heldOut } from "./parts/held_out.ts";
import { mnist } from "./mnist.ts";
import { pictureDataset } from "./parts/picture_dataset.ts";
import { svhn } from "./svhn.ts";
import { withHiddenPixels } from "./parts/hidden_pixels.ts";
import { withoutClass } from "./parts/without_class.ts";
import { withoutPadding } from "./parts/without_padding.ts";

/** Data sets by name, in the order of reports. */
export const DATASETS: Readonly<Record<string, Dataset>> = {
  fashion_4k: fashion4k,
  fashion_mnist: fashionMnist,
  mnist,
  svhn,
  cifar10,
  celeba_hq_32: celebaHq32,
  celeba_hq_64: celebaHq64,
};

/** Forms of names for data sets of the user's images. */
export const DATASET_FORMS = ["folder:PATH[@32|@64]", "archive:FILE[@32|@64]"] as const;

/** Data sets by name. */
type Datasets = Readonly<Record<string, Dataset>>;

/**
 * Whether `name` is of a data set that is made on demand: of one of the forms, or of a part of one of `table`, as `heldout:svhn`
 * or `fashion_4k-3`.
 */
export function isMade(name: string, table: Datasets = DATASETS): boolean {
  return name.includes(":") || variantOf(name, table) !== undefined;
}

/** The data set of `table` of which `name` is a part or a size, or `name` itself. */
export function wholeName(name: string, table: Datasets = DATASETS): string {
  const base = baseName(name);
  return variantOf(base, table)?.whole.name ?? base;
}

/** The data set of `table` whose size, part or both are those of `name`, as `mnist@28-3`; undefined for other names. */
function variantOf(
  name: string,
  table: Datasets,
): Pick<TableName, "size" | "anomaly"> & { readonly whole: Dataset } | undefined {
  const { base, size, anomaly } = parseTableName(name);
  if (base === name || !Object.hasOwn(table, base)) return undefined;
  return { whole: table[base], size, anomaly };
}

/**
 * Finds a data set by its name on the command line: a name of `table`, `folder:PATH` or `archive:FILE`, the latter two
 * optionally followed by `@64` for 64x64 pixels instead of 32x32, `NAME@28` for a data set of the table without its padding,
 * `NAME-CLASS` or `NAME@28-CLASS` for one that is trained on without that class, or before any of these `heldout:`,
 * `inpaint:MASK:` or `recover:MASK:`. The user's images are decoded now unless they are in the cache. Throws RangeError that
 * lists the known names, or Error that names an unusable file.
 */
export async function resolveDataset(
  name: string,
  table: Datasets = DATASETS,
): Promise<Dataset> {
  if (Object.hasOwn(table, name)) return table[name];
  if (name.startsWith(HELD_OUT)) {
    return heldOut(await resolveDataset(name.slice(HELD_OUT.length), table));
  }
  const hiding = parseHiding(name);
  if (hiding !== undefined) {
    return withHiddenPixels(await resolveDataset(hiding.base, table), hiding);
  }
  const variant = variantOf(name, table);
  if (variant !== undefined) {
    const { whole, size, anomaly } = variant;
    const sized = size === undefined ? whole : withoutPadding(whole, size);
    return anomaly === undefined ? sized : await withoutClass(sized, anomaly);
  }
  const own = parseOwnImages(name);
  if (own === undefined) {
    const known = [...Object.keys(table), ...DATASET_FORMS].join(", ");
    throw new RangeError(`Unknown data set "${name}": known data sets are ${known}`);
  }
  const { form, size = 32 } = own;
  const path = userPath(own.path);
  await checkForm(form, path);
  return await pictureDataset(path, { name, size, folder: decodedFolder() });
}

/** Throws Error unless `path` is a folder or a file as `form` requires. */
async function checkForm(form: string, path: string): Promise<void> {
  const info = await statOf(path, path);
  if (info === null) {
    const hint = /@\d+$/.test(path) ? ": sizes are @32 and @64" : "";
    throw new Error(`${form === "folder" ? "Folder" : "Archive"} not found: ${path}${hint}`);
  }
  const { isDirectory } = info;
  if (isDirectory !== (form === "folder")) {
    const other = isDirectory ? "a folder: write folder:" : "not a folder: write archive:";
    throw new Error(`${path} is ${other}${path}`);
  }
}

/**
 * Reads the draws of other people's samplers: NumPy's .npy and .npz, CSV (also of Stan and of R's posterior), and the JSON and
 * NetCDF exports of ArviZ.
 *
 * @module
 */
import { bytesSource, readFile } from "./byte_source.ts";
import { excerpt } from "../core/plain_text.ts";
import { readNpy } from "./npy.ts";
import { zipMembers } from "./zip.ts";

/** An array of draws as the file has it, row-major. */
export interface DrawsArray {
  readonly shape: readonly number[];
  readonly data: Float64Array;
  /** How many of the first axes are chains and draws, in this order, where the format says so. */
  readonly sampleAxes?: 2;
}

/** Options of the readers of files that may hold several arrays. */
export interface DrawsFileOptions {
  /** The array to read; the only one by default. */
  readonly variable?: string;
}

/** Endings of the files that can be read. */
export const DRAWS_FORMATS = [".npy", ".npz", ".csv", ".json", ".nc"] as const;

/**
 * Reads the draws in the file at `path`, whose ending says what it is. Throws SyntaxError that names the file if it cannot be
 * read, RangeError for an unknown ending or an unknown variable.
 */
export async function readDrawsFile(
  path: string,
  options: DrawsFileOptions = {},
): Promise<DrawsArray> {
  const ending = /\.[^./\\]+$/.exec(path)?.[0].toLowerCase() ?? "";
  const read = READERS[ending];
  if (!read) {
    throw new RangeError(
      `${path}: draws must be in a file ending in ${DRAWS_FORMATS.join(", ")}`,
    );
  }
  const bytes = await readFile(path);
  try {
    return await read(bytes, options);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) {
      const Kind = error instanceof SyntaxError ? SyntaxError : RangeError;
      throw new Kind(`${path}: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

type Reader = (
  bytes: Uint8Array<ArrayBuffer>,
  options: DrawsFileOptions,
) => DrawsArray | Promise<DrawsArray>;

const READERS: Readonly<Record<string, Reader>> = {
  ".npy": readNpy,
  ".npz": readNpz,
  ".csv": (bytes) => readCsv(new TextDecoder().decode(bytes)),
  ".json": readArvizJson,
  ".nc": readNetcdf,
};

function readNpz(bytes: Uint8Array<ArrayBuffer>, { variable }: DrawsFileOptions): DrawsArray {
  const members = new Map(
    zipMembers(bytesSource(bytes)).filter(({ name }) => name.endsWith(".npy"))
      .map((member) => [member.name.slice(0, -4), member]),
  );
  return readNpy(chosen(members, variable).read());
}

/** The value named `variable`, or the only one. Throws RangeError if there is none or the choice is open. */
function chosen<T>(values: ReadonlyMap<string, T>, variable: string | undefined): T {
  const names = [...values.keys()];
  const name = variable ?? (names.length === 1 ? names[0] : undefined);
  const value = name === undefined ? undefined : values.get(name);
  if (value !== undefined) return value;
  if (names.length === 0) throw new RangeError("the file holds no array of draws");
  const list = names.join(", ");
  throw new RangeError(
    name === undefined
      ? `the file holds several arrays: choose one of ${list} by --var`
      : `the file holds no array "${name}": known ones are ${list}`,
  );
}

/** Columns of chain numbers, and of draw numbers, by name. */
const CHAIN_COLUMN = /^\.?chain(__)?$/i;
const DRAW_COLUMN = /^(\.?(draw|iteration)|draw__|)$/i;
/** Columns of a sampler's diagnostics: Stan's end in two underscores, those of R's posterior begin with a dot. */
const DIAGNOSTIC_COLUMN = /__$|^\./;

/**
 * One draw a row, one coordinate a column. A header is optional. With a column `chain`, rows belong to chains of equal length;
 * columns of draw numbers and of diagnostics (`lp__`, `.iteration`) are left out, and so are lines that begin with #.
 */
function readCsv(text: string): DrawsArray {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "" && !line.startsWith("#"));
  if (lines.length === 0) throw new SyntaxError("the file has no rows");
  const cellsOf = (line: string) =>
    line.split(",").map((cell) => cell.trim().replace(/^"(.*)"$/, "$1"));
  const first = cellsOf(lines[0]);
  const isHeader = first.some((cell) => cell === "" || Number.isNaN(Number(cell)));
  const names = isHeader ? first : first.map((_, i) => `column ${i + 1}`);
  const kept = names.flatMap((name, i) =>
    isHeader && [CHAIN_COLUMN, DRAW_COLUMN, DIAGNOSTIC_COLUMN].some((form) => form.test(name))
      ? []
      : [i]
  );
  const chainColumn = isHeader ? names.findIndex((name) => CHAIN_COLUMN.test(name)) : -1;
  const chains = new Map<string, number[]>();
  lines.slice(isHeader ? 1 : 0).forEach((line, row) => {
    const cells = cellsOf(line);
    if (cells.length !== names.length) {
      throw new SyntaxError(
        `row ${row + 1} has ${cells.length} cells, the first line has ${names.length}`,
      );
    }
    const chain = chainColumn < 0 ? "" : cells[chainColumn];
    const own = chains.get(chain) ?? [];
    for (const i of kept) own.push(numberOf(cells[i], `row ${row + 1}, ${excerpt(names[i])}`));
    chains.set(chain, own);
  });
  const lengths = [...chains.values()].map(({ length }) => length / kept.length);
  if (lengths.some((length) => length !== lengths[0])) {
    throw new SyntaxError(`chains must have equal numbers of draws, got ${lengths.join(", ")}`);
  }
  return {
    shape: [chains.size, lengths[0] ?? 0, kept.length],
    data: Float64Array.from([...chains.values()].flat()),
    sampleAxes: 2,
  };
}

/** Numbers as programs write them, among them those of diverged chains. */
function numberOf(cell: string, where: string): number {
  if (/^[+-]?inf(inity)?$/i.test(cell)) return cell.startsWith("-") ? -Infinity : Infinity;
  if (/^nan$/i.test(cell)) return NaN;
  const value = cell === "" ? NaN : Number(cell);
  if (Number.isNaN(value)) throw new SyntaxError(`${where} is not a number: "${excerpt(cell)}"`);
  return value;
}

/** Most axes that an array of draws may have, as in NumPy. */
const AXES = 64;

/** `InferenceData.to_json()`: { posterior: { NAME: nested lists [chain][draw]... } }. */
function readArvizJson(bytes: Uint8Array<ArrayBuffer>, { variable }: DrawsFileOptions): DrawsArray {
  // Python writes NaN and Infinity, which JSON lacks: 1e999 reads as Infinity, which no draw may be either.
  const text = new TextDecoder().decode(bytes)
    // The word comes first: a search for what precedes it would look back from every blank.
    .replaceAll(/(?:NaN|-?Infinity)(?<=[[,:]\s*(?:NaN|-?Infinity))(?=\s*[\],}])/g, "1e999");
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(`not JSON: ${(error as Error).message}`, { cause: error });
  }
  const { posterior } = (file ?? {}) as { readonly posterior?: Readonly<Record<string, unknown>> };
  if (typeof posterior !== "object" || posterior === null) {
    throw new SyntaxError("no group posterior: write the file by ArviZ's to_json()");
  }
  const nested = chosen(new Map(Object.entries(posterior)), variable);
  const shape: number[] = [];
  for (let at = nested; Array.isArray(at); at = at[0]) shape.push(at.length);
  if (shape.length > AXES) throw new SyntaxError(`a variable has more than ${AXES} axes`);
  const values: number[] = [];
  const visit = (node: unknown, axis: number): void => {
    if (axis === shape.length && typeof node === "number") values.push(node);
    else if (Array.isArray(node) && node.length === shape[axis]) {
      for (const child of node) visit(child, axis + 1);
    } else {throw new SyntaxError(
        "the lists of a variable must have equal lengths and hold numbers",
      );}
  };
  visit(nested, 0);
  return withSampleAxes({ shape, data: Float64Array.from(values) });
}

/** The parts of jsfive, which has no types, that are used here. */
interface Hdf5Group {
  readonly keys: readonly string[];
  get(path: string): unknown;
}
interface Hdf5Dataset {
  readonly shape: readonly number[];
  readonly value: ArrayLike<number>;
  /** The shape of a chunk; null for an array in one piece. */
  readonly _dataobjects?: { readonly chunks: readonly number[] | null };
}

/** Elements that a chunk may have however small the array is: 1 MB, h5py's CHUNK_MAX for the chunks that it chooses itself. */
const CHUNK = 2 ** 17;
/** The most elements of a chunk for each of the array, of which jsfive visits all. */
const CHUNK_SHARE = 16;

const sizeOf = (shape: readonly number[]) => shape.reduce((product, n) => product * n, 1);

/** `InferenceData.to_netcdf()`: HDF5 with a group `posterior` of arrays [chain, draw, ...] and their coordinates. */
async function readNetcdf(
  bytes: Uint8Array<ArrayBuffer>,
  { variable }: DrawsFileOptions,
): Promise<DrawsArray> {
  if (bytes[0] === 0x43 && bytes[1] === 0x44 && bytes[2] === 0x46) { // CDF
    throw new SyntaxError(
      'this is NetCDF 3, which is not supported: write it by to_netcdf() with engine="h5netcdf", or by numpy.save',
    );
  }
  const hdf5 = await import("jsfive");
  /** Reads by jsfive, which throws text, and RangeErrors at the end of a truncated file. */
  const reading = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw new SyntaxError(
        'not readable as NetCDF 4, or broken: write the draws by numpy.save(FILE, idata.posterior["z"].values)',
        { cause: error },
      );
    }
  };
  const root = reading(() => new hdf5.File(bytes.buffer, "draws") as Hdf5Group);
  if (!root.keys.includes("posterior")) {
    throw new SyntaxError(`no group posterior, only ${root.keys.join(", ")}`);
  }
  const arrays = reading(() => {
    const group = root.get("posterior") as Hdf5Group;
    return group.keys.map((name) => [name, group.get(name) as Hdf5Dataset] as const)
      .filter(([, { shape }]) => shape !== undefined && shape.length >= 2); // coordinates have one axis
  });
  const array = chosen(new Map(arrays), variable);
  const data = reading(() => {
    const chunk = sizeOf(array._dataobjects?.chunks ?? []);
    if (chunk > Math.max(CHUNK, CHUNK_SHARE * sizeOf(array.shape))) {
      throw new RangeError(`a chunk of ${chunk} elements for an array of shape [${array.shape}]`);
    }
    return Float64Array.from(array.value);
  });
  return withSampleAxes({ shape: [...array.shape], data });
}

function withSampleAxes(array: DrawsArray): DrawsArray {
  if (array.shape.length < 2) {
    throw new SyntaxError(`a variable of ArviZ has axes chain and draw, got [${array.shape}]`);
  }
  return { ...array, sampleAxes: 2 };
}

/**
 * The checkpoints in a run's folder: the newest, and the one before it.
 *
 * @module
 */
import { ifThere, temporaryPath, writeFile } from "../core/files.ts";
import type { ArraySpec, HostArrays } from "../core/types.ts";
import type { RunCode } from "../core/records.ts";
import {
  type Checkpoint,
  decodeCheckpoint,
  encodeCheckpoint,
  readCheckpointCode,
} from "./checkpoint.ts";

/** The file of a run's newest checkpoint in its folder. */
export const CHECKPOINT_FILE = "checkpoint.safetensors";

/** The checkpoint before it, used if the newest is damaged. */
const PREVIOUS_FILE = "checkpoint.previous.safetensors";

/**
 * Writes `checkpoint` to the folder `dir`: to a temporary file that is synced, read back and verified, and only then becomes
 * the newest. The newest so far becomes the previous one. After a crash at any moment one of them is whole.
 */
export async function saveCheckpoint(dir: string, checkpoint: Checkpoint): Promise<void> {
  const path = `${dir}/${CHECKPOINT_FILE}`;
  const temporary = temporaryPath(path);
  try {
    await writeFile(temporary, encodeCheckpoint(checkpoint));
    decodeCheckpoint(await Deno.readFile(temporary));
    await ifThere(Deno.rename(path, `${dir}/${PREVIOUS_FILE}`));
    await Deno.rename(temporary, path);
  } catch (error) {
    await ifThere(Deno.remove(temporary));
    throw error;
  }
}

/** Reads the newest checkpoint in `dir`; undefined if there is none. Throws SyntaxError for a broken one. */
export async function loadCheckpoint(dir: string): Promise<Checkpoint | undefined> {
  const bytes = await ifThere(Deno.readFile(`${dir}/${CHECKPOINT_FILE}`));
  return bytes && decodeCheckpoint(bytes);
}

/**
 * Loads the newest checkpoint in `dir` that is whole and for which `check` throws no SyntaxError; undefined if there is none.
 * Moves each broken one aside and calls `report` with one clause on it.
 */
export async function loadSoundCheckpoint(
  dir: string,
  { check, report }: {
    check(checkpoint: Checkpoint): void;
    report(text: string): void;
  },
): Promise<Checkpoint | undefined> {
  for (const name of [CHECKPOINT_FILE, PREVIOUS_FILE]) {
    const path = `${dir}/${name}`;
    const bytes = await ifThere(Deno.readFile(path));
    if (bytes === undefined) continue;
    try {
      const checkpoint = decodeCheckpoint(bytes);
      check(checkpoint);
      return checkpoint;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      await Deno.rename(path, `${path}.broken`);
      const next = name === CHECKPOINT_FILE && await hasPrevious(dir)
        ? "trying the previous one"
        : "training starts from the first epoch";
      report(`moved ${path} to ${name}.broken, ${next}: ${error.message}`);
    }
  }
  return undefined;
}

async function hasPrevious(dir: string): Promise<boolean> {
  return await ifThere(Deno.stat(`${dir}/${PREVIOUS_FILE}`)) !== undefined;
}

/** Throws SyntaxError if names, shapes or types of the arrays in `checkpoint` are not those of `expected`. */
export function checkArrays(
  checkpoint: Pick<Checkpoint, "state" | "chains">,
  expected: { readonly state: HostArrays; readonly chains: HostArrays },
): void {
  for (const group of ["state", "chains"] as const) {
    const [saved, wanted] = [checkpoint[group], expected[group]];
    for (const name of new Set([...Object.keys(wanted), ...Object.keys(saved)])) {
      const [is, should] = [describe(saved[name]), describe(wanted[name])];
      if (is !== should) {
        throw new SyntaxError(`its ${group} "${name}" is ${is}, the method expects ${should}`);
      }
    }
  }
}

function describe(array: ArraySpec | undefined): string {
  return array === undefined ? "absent" : `${array.dtype} [${array.shape}]`;
}

/** Removes the checkpoints in `dir`. */
export async function removeCheckpoints(dir: string): Promise<void> {
  for (const name of [CHECKPOINT_FILE, PREVIOUS_FILE]) {
    await ifThere(Deno.remove(`${dir}/${name}`));
  }
}

/** The code that trained the newest checkpoint in `dir`; undefined if there is none or it cannot be read. */
export async function readSavedCode(dir: string): Promise<RunCode | undefined> {
  for (const name of [CHECKPOINT_FILE, PREVIOUS_FILE]) {
    const file = await ifThere(Deno.open(`${dir}/${name}`));
    if (file === undefined) continue;
    using opened = file;
    const code = await readCheckpointCode(opened);
    if (code !== undefined) return code;
  }
  return undefined;
}

/**
 * The results of a long simulation, kept as they come: the same command goes on where an earlier one stopped, unless its code has
 * changed.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { makeOutputFolder, readTextIfAny, replaceFile } from "../harness/core/files.ts";
import { openModuleGraph } from "../harness/core/module_graph.ts";
import { projectPath } from "../harness/core/project.ts";

/** Results by a key that says what they are of. */
export interface KeptResults<T> {
  /** How many there were at the start. */
  readonly count: number;
  get(key: string): T | undefined;
  add(key: string, result: T): Promise<void>;
}

/** The content of the file. */
interface Kept<T> {
  /** SHA-256 of the code that made the results. */
  readonly code: string;
  readonly results: Readonly<Record<string, T>>;
}

/** The hash of the module `entry`, a path from the project's root, and of all modules and files that it names. */
export async function codeHash(entry: string): Promise<string> {
  const modules = await openModuleGraph(projectPath(".")).reach([entry]);
  return createHash("sha256").update(JSON.stringify(modules)).digest("hex");
}

/** Opens the results in `folder` that `code` made; there are none with `force`, or if other code made them. */
export async function openKeptResults<T>(
  folder: string,
  { code, force }: { readonly code: string; readonly force: boolean },
): Promise<KeptResults<T>> {
  const path = `${folder}/results.json`;
  await makeOutputFolder(folder);
  const text = force ? undefined : await readTextIfAny(path);
  const before = text === undefined ? undefined : parse<T>(text);
  let results = before?.code === code ? before.results : {};
  return {
    count: Object.keys(results).length,
    get: (key) => results[key],
    async add(key, result) {
      results = { ...results, [key]: result };
      const kept: Kept<T> = { code, results };
      await replaceFile(path, `${JSON.stringify(kept)}\n`);
    },
  };
}

/** The content of a file of results; undefined if it is none. */
function parse<T>(text: string): Kept<T> | undefined {
  try {
    return JSON.parse(text) as Kept<T>;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

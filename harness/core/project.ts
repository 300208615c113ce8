import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The absolute path of `path` in the project's folder. */
export function projectPath(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}

/** A path as the user meant it: `deno task` changes the folder, and says in INIT_CWD where it was. */
export function userPath(path: string): string {
  return resolve(Deno.env.get("INIT_CWD") ?? Deno.cwd(), path);
}

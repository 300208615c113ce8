import { resolve } from "node:path";

/** A path as the user meant it: `deno task` changes the folder, and says in INIT_CWD where it was. */
export function userPath(path: string): string {
  return resolve(Deno.env.get("INIT_CWD") ?? Deno.cwd(), path);
}

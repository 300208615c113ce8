import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** Resolves `path` relative to the project's folder. */
export function projectPath(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}

/** Resolves `path` relative to the user's working directory: `deno task` changes it and passes it in INIT_CWD. */
export function userPath(path: string): string {
  return resolve(Deno.env.get("INIT_CWD") ?? Deno.cwd(), path);
}

/** The version in deno.json. */
export function projectVersion(): string {
  const { version } = JSON.parse(Deno.readTextFileSync(projectPath("deno.json"))) as {
    readonly version: string;
  };
  return version;
}

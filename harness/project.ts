import { fileURLToPath } from "node:url";

/** The absolute path of `path` in the project's folder. */
export function projectPath(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url));
}

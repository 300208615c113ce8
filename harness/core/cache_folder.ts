import { join } from "node:path";
import { readEnv } from "./environment.ts";

/**
 * The folder `laebench`, or `name` inside it, in the platform's cache folder (`$XDG_CACHE_HOME` or ~/.cache,
 * ~/Library/Caches, %LOCALAPPDATA%). Undefined if there is no such folder or no permission to read its variable.
 */
export function cacheFolder(name = ""): string | undefined {
  const home = readEnv("HOME");
  const folders = {
    windows: readEnv("LOCALAPPDATA"),
    darwin: home && join(home, "Library", "Caches"),
    other: readEnv("XDG_CACHE_HOME") || (home && join(home, ".cache")),
  };
  const { os } = Deno.build;
  const folder = folders[os === "windows" || os === "darwin" ? os : "other"];
  return folder ? join(folder, "laebench", name) : undefined;
}

/**
 * The folder for data sets and networks: `$LAEBENCH_DATA`, else `laebench` in the platform's cache folder. Throws Error
 * if neither exists.
 */
export function dataFolder(): string {
  const folder = readEnv("LAEBENCH_DATA") || cacheFolder();
  if (!folder) {
    throw new Error("The folder for data sets and networks is unknown: set LAEBENCH_DATA");
  }
  return folder;
}

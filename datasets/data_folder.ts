import { join, resolve } from "node:path";

/**
 * The folder that data sets are kept in, one folder each: `$LAEBENCH_DATA`, else `laebench` in the
 * platform's cache folder (`$XDG_CACHE_HOME` or ~/.cache, ~/Library/Caches, %LOCALAPPDATA%).
 */
export function dataFolder(): string {
  return Deno.env.get("LAEBENCH_DATA") || join(cacheFolder(), "laebench");
}

function cacheFolder(): string {
  const home = Deno.env.get("HOME");
  const candidates = {
    windows: Deno.env.get("LOCALAPPDATA"),
    darwin: home && join(home, "Library", "Caches"),
    other: Deno.env.get("XDG_CACHE_HOME") || (home && join(home, ".cache")),
  };
  const { os } = Deno.build;
  const folder = candidates[os === "windows" || os === "darwin" ? os : "other"];
  if (!folder) {
    throw new Error("No folder for data sets: set LAEBENCH_DATA to one");
  }
  return folder;
}

/** A path as the user meant it: `deno task` changes the folder, and says in INIT_CWD where it was. */
export function userPath(path: string): string {
  return resolve(Deno.env.get("INIT_CWD") ?? Deno.cwd(), path);
}

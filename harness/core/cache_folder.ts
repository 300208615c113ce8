import { join } from "node:path";

/**
 * `laebench`, or the folder `name` in it, in the platform's cache folder (`$XDG_CACHE_HOME` or ~/.cache, ~/Library/Caches,
 * %LOCALAPPDATA%); undefined where there is none, or no leave to know.
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

/** The folder that data sets and networks are kept in: `$LAEBENCH_DATA`, else `laebench` in the platform's cache folder. */
export function dataFolder(): string {
  const folder = readEnv("LAEBENCH_DATA") || cacheFolder();
  if (!folder) throw new Error("No folder for data sets and networks: set LAEBENCH_DATA to one");
  return folder;
}

function readEnv(variable: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable });
  return state === "granted" ? Deno.env.get(variable) : undefined;
}

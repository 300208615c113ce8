import { join } from "node:path";

/** `laebench/NAME` in the user's cache folder; undefined where there is none, or no leave to know. */
export function cacheFolder(name: string): string | undefined {
  const env = (variable: string) =>
    Deno.permissions.querySync({ name: "env", variable }).state === "granted"
      ? Deno.env.get(variable)
      : undefined;
  const home = env("HOME");
  const base = env("XDG_CACHE_HOME") || env("LOCALAPPDATA") || (home && join(home, ".cache"));
  return base ? join(base, "laebench", name) : undefined;
}

import assert from "node:assert/strict";
import { cacheFolder, dataFolder } from "./cache_folder.ts";

const VARIABLES = ["HOME", "XDG_CACHE_HOME", "LAEBENCH_DATA"] as const;
const ignore = Deno.build.os !== "linux";

/** Calls `read` with `env` in place of this process's variables. */
function withEnv<T>(env: Partial<Record<typeof VARIABLES[number], string>>, read: () => T): T {
  const put = (name: string, value: string | undefined) =>
    value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
  const before = VARIABLES.map((name) => [name, Deno.env.get(name)] as const);
  try {
    for (const name of VARIABLES) put(name, env[name]);
    return read();
  } finally {
    for (const [name, value] of before) put(name, value);
  }
}

Deno.test({
  name: "cacheFolder() and dataFolder() follow the environment",
  ignore,
  fn() {
    const folders = () => [cacheFolder("xla"), dataFolder()];
    const home = "/h/.cache/laebench";
    assert.deepEqual(withEnv({ HOME: "/h" }, folders), [`${home}/xla`, home]);
    assert.deepEqual(withEnv({ HOME: "/h", XDG_CACHE_HOME: "/x" }, folders), [
      "/x/laebench/xla",
      "/x/laebench",
    ]);
    assert.deepEqual(withEnv({ HOME: "/h", LAEBENCH_DATA: "/d" }, folders), [`${home}/xla`, "/d"]);
    assert.equal(withEnv({}, cacheFolder), undefined);
    assert.throws(
      () => withEnv({}, dataFolder),
      /^Error: The folder .* is unknown: set LAEBENCH_DATA$/,
    );
  },
});

Deno.test({
  name: "cacheFolder() is undefined without permission to read the environment",
  ignore,
  permissions: { env: false },
  fn: () => assert.equal(cacheFolder(), undefined),
});

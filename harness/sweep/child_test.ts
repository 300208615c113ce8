import assert from "node:assert/strict";
import { childCommand, permissionsOf } from "./child.ts";
import { cacheFolder } from "../core/cache_folder.ts";
import { resolveRuns } from "../experiment/spec.ts";
import { TINY_EXPERIMENT, TINY_TABLES } from "../testing/tiny.ts";

const [SPEC] = resolveRuns(TINY_EXPERIMENT, TINY_TABLES);

Deno.test("permissionsOf() lets a run write only to its folder and the data folder", () => {
  const folders = { dir: "/out/id", dataFolder: "/data" };
  assert.deepEqual(permissionsOf(SPEC, folders), {
    read: ["/out/id", "/data"],
    write: ["/out/id", "/data"],
    anyLibrary: false,
  });
  const pictures = { ...SPEC, dataset: "folder:/my/pictures@64" };
  assert.deepEqual(permissionsOf(pictures, folders).read, ["/out/id", "/data", "/my/pictures"]);
  assert.deepEqual(
    permissionsOf(SPEC, { dataFolder: undefined }).write,
    [],
    "a probe writes nothing",
  );
});

Deno.test("permissionsOf() lets XLA devices load libraries and cache compiled programs", () => {
  const folders = { dir: "/out/id", dataFolder: undefined };
  for (const device of ["cuda", "cuda:highest", "pjrt:/plugin.so"]) {
    const { write, anyLibrary } = permissionsOf({ ...SPEC, device }, folders);
    assert.deepEqual(write, ["/out/id", cacheFolder("xla")]);
    assert.equal(anyLibrary, true);
  }
  assert.deepEqual(permissionsOf({ ...SPEC, device: "webgpu" }, folders).write, ["/out/id"]);
});

Deno.test("childCommand() grants no network, no other program and no other native code", () => {
  const { args } = childCommand(["run"], { read: ["/a,b"], write: ["/out"], anyLibrary: false });
  const allowed = args.filter((arg) => arg.startsWith("--allow-"));
  assert.deepEqual(
    allowed.map((arg) => arg.slice("--allow-".length).split("=")[0]).sort(),
    ["env", "ffi", "read", "run", "sys", "write"],
  );
  for (const arg of allowed) assert.ok(arg.includes("="), `${arg} is not limited`);
  assert.ok(allowed.includes("--allow-write=/out"));
  assert.ok(allowed.includes("--allow-run=git"));
  assert.match(allowed.find((arg) => arg.startsWith("--allow-read=")) ?? "", /,\/a,,b$/);
  assert.ok(args.includes("--no-prompt"));
});

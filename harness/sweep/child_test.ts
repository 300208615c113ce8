import assert from "node:assert/strict";
import { childCommand, permissionsOf } from "./child.ts";
import { withTempDir } from "../testing/temp_dir.ts";
import { projectPath } from "../core/project.ts";
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
  for (
    const [dataset, path] of [
      ["folder:/my/pictures@64", "/my/pictures"],
      ["folder:/my/pictures@7", "/my/pictures@7"],
      ["heldout:archive:/my/pictures.zip", "/my/pictures.zip"],
    ]
  ) assert.deepEqual(permissionsOf({ ...SPEC, dataset }, folders).read, ["/out/id", "/data", path]);
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
    ["env", "ffi", "read", "sys", "write"],
  );
  for (const arg of allowed) assert.ok(arg.includes("="), `${arg} is not limited`);
  assert.ok(allowed.includes("--allow-write=/out"));
  assert.match(allowed.find((arg) => arg.startsWith("--allow-read=")) ?? "", /,\/a,,b$/);
  assert.ok(args.includes("--no-prompt"));
});

/** Attempts of a process, each with its code; `dir` is its own folder. */
const FORBIDDEN: Readonly<Record<string, string>> = {
  "reach the network": `await Deno.connect({ hostname: "127.0.0.1", port: 9 })`,
  "listen on a port": `Deno.listen({ port: 0 }).close()`,
  "run git": `await new Deno.Command("git", { args: ["-c", "alias.x=!true", "x"] }).output()`,
  "run a shell": `await new Deno.Command("sh", { args: ["-c", "true"] }).output()`,
  "kill another process": `Deno.kill(1, "SIGURG")`,
  "read other files": `await Deno.readTextFile("/etc/hostname")`,
  "write into the project": `await Deno.writeTextFile("PROJECTharness/x.txt", "")`,
  "write beside its folder": `await Deno.writeTextFile("DIR/../x.txt", "")`,
  "read other environment variables": `Deno.env.get("PATH")`,
  "load a library of the system": `Deno.dlopen("libc.so.6", {})`,
};

/** Imports that would be downloaded, whatever the permissions are. */
const DOWNLOADS = [
  "npm:laebench-no-such-package@1.0.0",
  "jsr:@laebench/no-such-package@1.0.0",
  "https://esm.sh/laebench-no-such-package",
];

Deno.test("childCommand() makes a process that is refused every forbidden access", () =>
  withTempDir(async (root) => {
    const dir = `${root}/own`;
    await Deno.mkdir(dir);
    const probe = Object.entries(FORBIDDEN).map(([name, code]) =>
      `try { ${code}; console.log(${JSON.stringify(`${name}: allowed`)}); } ` +
      `catch (error) { console.log(${JSON.stringify(name)} + ": " + error.name); }`
    ).join("\n").replaceAll("PROJECT", projectPath(".")).replaceAll("DIR", dir);
    const downloads = DOWNLOADS.map((name) =>
      // Not a literal: Deno loads those before the program starts.
      `try { await import([${JSON.stringify(name)}].join("")); console.log("${name}: loaded"); } ` +
      `catch (error) { console.log(/--cached-only is specified/.test(error.message)); }`
    ).join("\n");
    const own = `await Deno.writeTextFile("${dir}/own.txt", await Deno.readTextFile("${
      projectPath("deno.json")
    }"));\n`;
    await Deno.writeTextFile(`${dir}/probe.ts`, `${own}${probe}\n${downloads}`);
    const { path, args } = childCommand([], { read: [dir], write: [dir], anyLibrary: false });
    const { stdout, stderr } = await new Deno.Command(path, {
      args: args.with(-1, `${dir}/probe.ts`),
    }).output();
    const lines = new TextDecoder().decode(stdout).trim().split("\n");
    assert.deepEqual(
      lines,
      [
        ...Object.keys(FORBIDDEN).map((name) => `${name}: NotCapable`),
        ...DOWNLOADS.map(() => "true"),
      ],
      new TextDecoder().decode(stderr),
    );
    assert.ok((await Deno.stat(`${dir}/own.txt`)).size > 0, "what it may do, it does");
  }));

import assert from "node:assert/strict";
import { projectPath } from "../harness/core/project.ts";

/** Runs the check with `options`. */
async function check(options: readonly string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "-A", projectPath("ci/check.ts"), ...options],
    env: { NO_COLOR: "1", GITHUB_ACTIONS: "" },
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trimEnd();
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

Deno.test("check refuses options that have no effect together, before any work, with exit code 2", async () => {
  const cases: readonly [string, string][] = [
    ["--seeds 0 --json", "--json does not go with --seeds"],
    ["--full --of langevin", "--of does not go with --full"],
    ["--update --of langevin", "--of does not go with --update"],
    ["--export x --draws y", "--draws does not go with --export"],
    ["--draws y --target ring --seeds 0", "--seeds does not go with --draws"],
    ["--point 0", "--point needs --draws"],
  ];
  await Promise.all(cases.map(async ([options, message]) => {
    const { code, stdout, stderr } = await check(options.split(" "));
    assert.deepEqual([stderr, stdout, code], [message, "", 2]);
  }));
});

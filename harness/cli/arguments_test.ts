import assert from "node:assert/strict";
import { projectPath } from "../core/project.ts";

/** Runs a program of this folder. */
async function run(file: string, options: readonly string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet", // Deno's own words on standard error, such as that it waits for a lock
      "--no-check",
      "--allow-read",
      "--allow-env",
      "--allow-sys",
      "--allow-ffi",
      projectPath(`harness/cli/${file}`),
      ...options,
    ],
    env: { NO_COLOR: "1" },
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr).trimEnd() };
}

Deno.test("the benches refuse wrong options in one line, with exit code 2, before any work", async () => {
  const cases: readonly [string, readonly string[], RegExp][] = [
    ["bench_step.ts", ["--methods", "vea"], /^Unknown method "vea": .*; did you mean "vae"\?$/],
    ["bench_step.ts", ["--set", "wide=2"], /^Unknown setting "wide=2": write KEY=VALUE/],
    ["bench_devices.ts", ["--steps", "few"], /^--steps must be an integer >= 1, got "few"$/],
    ["bench_toy.ts", ["--steps", "150"], /^--steps must be a multiple of 100, got 150$/],
    ["gpu_table.ts", ["--minutes", "soon"], /^--minutes must be an integer >= 1, got "soon"/],
    ["bench_step.ts", ["--set", "width=0x10"], /^Unknown setting "width=0x10": write KEY=VALUE/],
    ["bench_step.ts", ["--steps", "1", "--steps=2"], /^--steps is given twice, 1 and 2: write/],
    ["bench_fid.ts", ["--threads", "1.5"], /^--threads must be an integer >= 1, got "1\.5"$/],
    ["gpu_compile.ts", ["--latent-dim", "0"], /^--latent-dim must be an integer >= 1, got "0"$/],
    ["tfjs_node_build.ts", ["now"], /^Unexpected argument 'now'.*: --help lists the options$/],
    ["gpu_table.ts", ["--minutes", "-1"], /^Option '--minutes' argument is ambiguous: --help/],
    ["gpu_table.ts", ["--mode", "eager"], /^Unknown option '--mode'.*: --help lists the options$/],
  ];
  await Promise.all(cases.map(async ([file, options, message]) => {
    const { code, stdout, stderr } = await run(file, options);
    assert.match(stderr, message, `${file} ${options.join(" ")}: ${stderr}`);
    assert.deepEqual([code, stdout], [2, ""], file);
  }));
});

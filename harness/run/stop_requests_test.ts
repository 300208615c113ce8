import assert from "node:assert/strict";
import { withTempDir } from "../testing/temp_dir.ts";
import { projectPath } from "../core/project.ts";

/** Waits for a request to stop; prints its reason and ends with exit code 75. Its argument is the parent, if any. */
const PROGRAM = `
import { listenForStops } from ${
  JSON.stringify(new URL("./stop_requests.ts", import.meta.url).href)
};
const [parent] = Deno.args;
const stops = listenForStops(parent === undefined ? undefined : Number(parent));
stops.signal.addEventListener("abort", () => {
  console.log(stops.signal.reason.message);
  Deno.exit(75);
});
console.log("ready");
setTimeout(() => {}, 60_000);
`;

/** Calls `body` with a child that has begun to listen and with its output. `command` makes its command from that of the program. */
async function withListener(
  command: (words: readonly string[]) => readonly string[],
  body: (child: Deno.ChildProcess, output: () => Promise<string>) => Promise<void>,
): Promise<void> {
  await withTempDir(async (dir) => {
    await Deno.writeTextFile(`${dir}/program.ts`, PROGRAM);
    const config = `--config=${projectPath("deno.json")}`;
    const [path, ...args] = command(
      [Deno.execPath(), "run", "--no-check", "--no-prompt", config, `${dir}/program.ts`],
    );
    const child = new Deno.Command(path, { args, stdin: "null", stdout: "piped" }).spawn();
    const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const output = async () => (await lines.read()).value?.trim() ?? "";
    assert.equal(await output(), "ready");
    await body(child, output);
    await lines.cancel();
    await child.status;
  });
}

for (const signal of ["SIGTERM", "SIGUSR1"] as const) {
  Deno.test(`listenForStops() takes ${signal} for a request`, () =>
    withListener((words) => words, async (child, output) => {
      child.kill(signal);
      assert.equal(await output(), `by ${signal}`);
      assert.equal((await child.status).code, 75);
    }));
}

Deno.test("listenForStops() leaves Ctrl-C to the parent if there is one, and ends at once without", async () => {
  await withListener((words) => [...words, `${Deno.pid}`], async (child, output) => {
    child.kill("SIGINT");
    child.kill("SIGHUP");
    await new Promise((resolve) => setTimeout(resolve, 200));
    child.kill("SIGTERM");
    assert.equal(await output(), "by SIGTERM");
  });
  await withListener((words) => words, async (child) => {
    child.kill("SIGINT");
    assert.equal((await child.status).signal, "SIGINT");
  });
});

Deno.test("listenForStops() notices that the parent was killed", () =>
  withListener(
    (words) => ["sh", "-c", `"$@" $$ & wait`, "sh", ...words],
    async (parent, output) => {
      parent.kill("SIGKILL");
      assert.equal(await output(), "because the process that started it is gone");
    },
  ));

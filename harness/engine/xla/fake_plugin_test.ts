/** Tests the error messages about a plugin, with a plugin compiled here; skipped without a C compiler. */
import assert from "node:assert/strict";
import { projectPath } from "../../core/project.ts";
import { readResults } from "../../sweep/store.ts";
import { openDevice } from "../device.ts";
import { PLUGIN_VARIABLE } from "./pjrt_find.ts";

const folder = await Deno.makeTempDir();
addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
const SOURCE = projectPath("harness/engine/xla/fake_plugin.c");
const PLUGIN = `${folder}/fake_cuda_plugin.so`;
const hasCompiler = compile(["-o", PLUGIN, SOURCE]);
if (!hasCompiler) {
  console.log("C compiler (cc) not found: tests with a compiled plugin are skipped");
}

function compile(args: readonly string[]): boolean {
  try {
    const command = new Deno.Command("cc", { args: ["-shared", "-fPIC", ...args] });
    const { success, stderr } = command.outputSync();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function withPlugin(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: !hasCompiler, fn });
}

/** Opens the device with `env` set and returns "opened" or the error message. */
async function opening(device: string, env: Readonly<Record<string, string>>): Promise<string> {
  const before = Object.keys(env).map((name) => [name, Deno.env.get(name)] as const);
  for (const [name, value] of Object.entries(env)) Deno.env.set(name, value);
  try {
    await openDevice(device, { threads: 1 });
    return "opened";
  } catch (error) {
    return (error as Error).message;
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    }
  }
}

withPlugin(
  "openDevice() refuses a plugin of another major version and gives a hint",
  async () => {
    assert.equal(
      await opening(`pjrt:${PLUGIN}`, { FAKE_VERSION: "1.2" }),
      `The plugin ${PLUGIN} has PJRT API 1.2, but 0.57 or a later 0.x is needed: use a plugin of another version`,
    );
  },
);

withPlugin("openDevice() reports the plugin's error and a hint in one line", async () => {
  // Messages of XLA and the CUDA runtime, with their absl::StatusCode.
  const cases: [code: number, message: string, hint: RegExp][] = [
    [
      8,
      "Out of memory while trying to allocate 81604378624 bytes.",
      /use a smaller batch or fewer/,
    ],
    [
      13,
      "CUDA driver version is insufficient\nfor CUDA runtime version",
      /update NVIDIA's driver \(580/,
    ],
    [
      5,
      "libcudnn.so.9: cannot open shared object file: No such file or directory",
      /a library that the plugin needs is missing: .*--fetch cuda13/,
    ],
    [9, "No visible GPU devices.", /check nvidia-smi and CUDA_VISIBLE_DEVICES/],
  ];
  for (const [code, message, hint] of cases) {
    const error = await opening("cuda", {
      [PLUGIN_VARIABLE]: PLUGIN,
      FAKE_CODE: String(code),
      FAKE_MESSAGE: message,
    });
    assert.ok(
      error.startsWith(`PJRT_Client_Create: ${message.replace("\n", " ").replace(/\.$/, "")}: `),
      error,
    );
    assert.match(error, hint);
    assert.equal(error.split("\n").length, 1);
  }
});

Deno.test("openDevice() refuses options that cuda does not have", async () => {
  assert.equal(
    await opening("cuda:highest,fast", {}),
    'Unknown option "fast" of cuda: known options are highest, deterministic',
  );
});

withPlugin("openDevice() names the library that a plugin lacks", async () => {
  const [lib, needy] = [`${folder}/libneeded.so`, `${folder}/needy.so`];
  const source = `${folder}/needed.c`;
  await Deno.writeTextFile(source, "int needed(void) { return 1; }\n");
  compile(["-o", lib, source]);
  compile(["-o", needy, SOURCE, "-Wl,--no-as-needed", `-L${folder}`, "-lneeded"]);
  await Deno.remove(lib);
  const error = await opening(`pjrt:${needy}`, {});
  assert.match(
    error,
    /^The plugin .*needy\.so cannot be loaded: .*libneeded\.so: cannot open shared object file[^\n]*: a library that the plugin needs is missing: [^\n]+$/,
  );
});

/** Runs a small `deno task bench` with extra arguments and environment; results go to `out`. */
async function bench(out: string, extra: readonly string[], env: Record<string, string> = {}) {
  const small = "--preset smoke --methods vae --epochs 1 --images 100 --threads 1".split(" ");
  const { CUDA_VISIBLE_DEVICES: _, ...outer } = Deno.env.toObject();
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "bench", ...small, "--out", out, ...extra],
    cwd: projectPath("."),
    clearEnv: true,
    env: { ...outer, ...env },
  }).output();
  return { code, stderr: new TextDecoder().decode(stderr) };
}

withPlugin(
  "bench keeps completed results if the device does not open or runs on it fail",
  async () => {
    const out = `${folder}/out`;
    const done = await bench(out, []);
    assert.equal(done.code, 0, done.stderr);
    const ledger = await Deno.readTextFile(`${out}/results.jsonl`);
    const cuda = ["--device", "cuda", "--seeds", "0..3", "--jobs", "2"];
    const env = {
      [PLUGIN_VARIABLE]: PLUGIN,
      FAKE_MESSAGE: "No visible GPU devices: it was shown %s.",
      CUDA_VISIBLE_DEVICES: "5,GPU-7c1d",
    };

    const absent = await bench(out, cuda, env);
    assert.equal(absent.code, 1);
    assert.match(
      absent.stderr,
      /^PJRT_Client_Create: No visible GPU devices: it was shown 5,GPU-7c1d: no NVIDIA GPU is visible to this process: [^\n]+\n$/,
    );
    assert.equal(await Deno.readTextFile(`${out}/results.jsonl`), ledger);

    // The plugin opens for a process that sees both GPUs, but each run sees only one.
    const failing = await bench(out, cuda, { ...env, FAKE_OPENS_FOR: env.CUDA_VISIBLE_DEVICES });
    assert.equal(failing.code, 1);
    assert.ok((await Deno.readTextFile(`${out}/results.jsonl`)).startsWith(ledger));
    const records = (await readResults(out)).records.slice(1);
    const shown = records.map((record) =>
      record.status === "failed" ? /shown (\S+): no NVIDIA GPU/.exec(record.error)?.[1] : "?"
    );
    assert.equal(shown.length, 4);
    assert.deepEqual([...new Set(shown)].sort(), ["5", "GPU-7c1d"]);

    // Without a list, the GPUs are those that the plugin counts.
    const { CUDA_VISIBLE_DEVICES: _, ...unlisted } = env;
    const counted = await bench(out, cuda, {
      ...unlisted,
      FAKE_OPENS_FOR: "unset",
      FAKE_DEVICES: "2",
    });
    const gpus = counted.stderr.matchAll(/failed: .*? it was shown (\S+):/g);
    assert.deepEqual([...new Set(gpus.map(([, gpu]) => gpu))].sort(), ["0", "1"]);
  },
);

import assert from "node:assert/strict";
import { checkVersion, loadPlugin, PjrtError } from "./pjrt_api.ts";
import { withRemedy } from "./pjrt_hint.ts";

const after = async (error: Error): Promise<string> => {
  const caught = await Promise.resolve(withRemedy(() => Promise.reject(error)))
    .catch((e: Error) => e.message);
  return String(caught);
};

Deno.test("withRemedy() keeps the plugin's text and says what would help", async () => {
  const full = "PJRT_LoadedExecutable_Execute: Out of memory while trying to allocate 9 bytes";
  assert.equal(
    await after(new PjrtError(full, 8)),
    `${full}: the device's memory is full; use a smaller batch or fewer jobs at a time`,
  );
  // As XLA's CUDA plugin 0.12.0 says it on a machine without a GPU.
  assert.match(
    await after(new PjrtError("PJRT_Client_Create: No visible GPU devices.", 9)),
    /No visible GPU devices: no NVIDIA GPU is visible to this process: check nvidia-smi/,
  );
  assert.match(
    await after(
      new PjrtError("CUDA driver version is insufficient for CUDA runtime version", 13),
    ),
    /update NVIDIA's driver/,
  );
  // As the plugins of jax 0.7.2 to 0.9.0 say it of a step of LEBM.
  assert.match(
    await after(new PjrtError("PJRT_Compile: Contracting dimension is too fragmented.", 13)),
    /too fragmented: this plugin's XLA is too old: use the plugin of jax 0\.9\.2 or later$/,
  );
});

Deno.test("withRemedy() tells a plugin that is not there from one that lacks a library", async () => {
  const said = async (path: string) => {
    try {
      return String(await withRemedy(() => loadPlugin(path)));
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.match(await said("/nowhere/plugin.so"), /No such file or directory: name the file of a/);
  const file = await Deno.makeTempFile();
  assert.match(await said(file), /file too short: this is no PJRT plugin; name the file of one$/);
  await Deno.remove(file);
});

Deno.test("withRemedy() leaves other errors as they are", async () => {
  const error = new TypeError('The input "x" should be float32: no device');
  await assert.rejects(async () => await withRemedy(() => Promise.reject(error)), error);
  assert.throws(() =>
    withRemedy(() => {
      throw error;
    }), error);
});

Deno.test("checkVersion() refuses another major version and one before the layout settled", () => {
  checkVersion({ major: 0, minor: 57 }, "p.so");
  checkVersion({ major: 0, minor: 115 }, "p.so");
  for (const version of [{ major: 1, minor: 0 }, { major: 0, minor: 56 }]) {
    assert.throws(
      () => checkVersion(version, "p.so"),
      /The plugin p\.so has PJRT API \d\.\d+, this program knows 0\.57 and later 0\.x/,
    );
  }
});

Deno.test("loadPlugin() says in one line what is no plugin", async () => {
  const file = await Deno.makeTempFile({ suffix: ".so" });
  try {
    await Deno.writeTextFile(file, "no library\n");
    for (const path of [file, `${file}.absent`]) {
      assert.throws(
        () => loadPlugin(path),
        (error: Error) =>
          /^The plugin .*\.so(\.absent)? cannot be loaded: \/[^\n]+$/.test(error.message),
      );
    }
  } finally {
    await Deno.remove(file);
  }
});

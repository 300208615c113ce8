import assert from "node:assert/strict";
import { checkVersion, loadPlugin, PjrtError } from "./pjrt_api.ts";
import { withHint } from "./pjrt_hint.ts";

const after = async (error: Error): Promise<string> => {
  const caught = await Promise.resolve(withHint(() => Promise.reject(error)))
    .catch((e: Error) => e.message);
  return String(caught);
};

Deno.test("withHint() keeps the plugin's text and adds a hint", async () => {
  const full = "PJRT_LoadedExecutable_Execute: Out of memory while trying to allocate 9 bytes";
  assert.equal(
    await after(new PjrtError(full, 8)),
    `${full}: the device's memory is full: use a smaller batch or fewer jobs at a time`,
  );
  // Text of XLA's CUDA plugin 0.12.0 on a machine without a GPU.
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
  // Text of the plugins of jax 0.7.2 to 0.9.0 for a step of LEBM.
  assert.match(
    await after(new PjrtError("PJRT_Compile: Contracting dimension is too fragmented.", 13)),
    /too fragmented: this plugin's XLA is too old: use the plugin of jax 0\.9\.2 or later$/,
  );
});

Deno.test("withHint() distinguishes a missing plugin from one that lacks a library", async () => {
  const errorOf = async (path: string) => {
    try {
      return String(await withHint(() => loadPlugin(path)));
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.match(
    await errorOf("/nowhere/plugin.so"),
    /No such file or directory: name the file of a/,
  );
  const file = await Deno.makeTempFile();
  assert.match(
    await errorOf(file),
    /file too short: this is not a PJRT plugin: name the file of a PJRT plugin$/,
  );
  await Deno.remove(file);
});

Deno.test("withHint() does not change other errors", async () => {
  const error = new TypeError('The input "x" must be float32: no device');
  await assert.rejects(async () => await withHint(() => Promise.reject(error)), error);
  assert.throws(() =>
    withHint(() => {
      throw error;
    }), error);
});

Deno.test("checkVersion() refuses another major version and versions before the layout was stable", () => {
  checkVersion({ major: 0, minor: 57 }, "p.so");
  checkVersion({ major: 0, minor: 115 }, "p.so");
  for (const version of [{ major: 1, minor: 0 }, { major: 0, minor: 56 }]) {
    assert.throws(
      () => checkVersion(version, "p.so"),
      /The plugin p\.so has PJRT API \d\.\d+, but 0\.57 or a later 0\.x is needed/,
    );
  }
});

Deno.test("loadPlugin() refuses a file that is not a plugin in one line", async () => {
  const file = await Deno.makeTempFile({ suffix: ".so" });
  try {
    await Deno.writeTextFile(file, "not a library\n");
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

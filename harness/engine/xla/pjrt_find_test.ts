import assert from "node:assert/strict";
import { join } from "node:path";
import {
  cudaDataFolder,
  FIND_VARIABLES,
  findCpuPlugin,
  findCudaPlugin,
  nvidiaLibraries,
} from "./pjrt_find.ts";

/** Runs `fn` with a temporary home that has `files`, and with environment variables in which `~` is that home. */
async function withHome(
  { files = [], env = {} }: { files?: string[]; env?: Readonly<Record<string, string>> },
  fn: (home: string) => void,
): Promise<void> {
  const home = await Deno.makeTempDir();
  const before = FIND_VARIABLES.map((name) => [name, Deno.env.get(name)] as const);
  try {
    for (const file of files) {
      await Deno.mkdir(join(home, file, ".."), { recursive: true });
      await Deno.writeTextFile(join(home, file), "");
    }
    for (const name of FIND_VARIABLES) Deno.env.delete(name);
    for (const [name, value] of Object.entries(env)) {
      Deno.env.set(name, value.replaceAll("~", home));
    }
    fn(home);
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    }
    await Deno.remove(home, { recursive: true });
  }
}

const CUDA13 = "jax_plugins/xla_cuda13/xla_cuda_plugin.so";
const CUDA12 = "jax_plugins/xla_cuda12/xla_cuda_plugin.so";

Deno.test("findCudaPlugin() searches the Python environments in the order of the PATH", async () => {
  const site = "env/lib/python3.12/site-packages";
  const files = [
    "old/bin/python3",
    `old/lib/python3.9/dist-packages/${CUDA12}`,
    "env/bin/python3",
    `${site}/${CUDA12}`,
    `${site}/${CUDA13}`,
  ];
  await withHome({ files, env: { PATH: "~/nowhere:~/env/bin:~/old/bin" } }, (home) => {
    assert.deepEqual(findCudaPlugin(), {
      path: join(home, site, CUDA13),
      packages: join(home, site),
    });
  });
  await withHome({ files, env: { PATH: "~/old/bin:~/env/bin" } }, (home) => {
    assert.equal(
      findCudaPlugin()?.path,
      join(home, "old/lib/python3.9/dist-packages", CUDA12),
    );
  });
  await withHome({ files, env: { PATH: "~/nowhere", VIRTUAL_ENV: "~/env" } }, (home) => {
    assert.equal(findCudaPlugin()?.path, join(home, site, CUDA13));
  });
  await withHome({ files }, () => assert.equal(findCudaPlugin(), null));
});

Deno.test("findCudaPlugin() prefers the named file and refuses a missing one", async () => {
  const files = [`a/${CUDA13}`, "a/nvidia/cublas/lib/libcublas.so.13", "b/plugin.so"];
  await withHome({ files, env: { LAEBENCH_PJRT_PLUGIN: `~/a/${CUDA13}` } }, (home) => {
    assert.equal(findCudaPlugin()?.packages, join(home, "a"));
  });
  await withHome({ files, env: { LAEBENCH_PJRT_PLUGIN: "~/b/plugin.so" } }, (home) => {
    assert.deepEqual(findCudaPlugin(), { path: join(home, "b/plugin.so") });
  });
  await withHome({ env: { LAEBENCH_PJRT_PLUGIN: "~/gone.so" } }, () => {
    assert.throws(findCudaPlugin, /LAEBENCH_PJRT_PLUGIN names .*gone\.so, which is not a file/);
  });
});

Deno.test("findCpuPlugin() finds a plugin that was fetched into the cache", async () => {
  const file = "laebench/pjrt/cpu/lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so";
  await withHome({ files: [file], env: { XDG_CACHE_HOME: "~" } }, (home) => {
    assert.equal(findCpuPlugin()?.path, join(home, file));
  });
});

Deno.test("nvidiaLibraries() and cudaDataFolder() find the libraries and the assembler beside a plugin", async () => {
  const files = [
    "nvidia/cu13/bin/ptxas",
    "nvidia/cu13/lib/libcublas.so.13",
    "nvidia/cu13/lib/libcublas.a",
    "nvidia/cudnn/lib/libcudnn.so.9",
    "nvidia/cudnn/include/cudnn.h",
  ];
  await withHome({ files }, (home) => {
    const found = { path: join(home, CUDA13), packages: home };
    assert.deepEqual(nvidiaLibraries(found), [
      join(home, "nvidia/cu13/lib/libcublas.so.13"),
      join(home, "nvidia/cudnn/lib/libcudnn.so.9"),
    ]);
    assert.equal(cudaDataFolder(found), join(home, "nvidia/cu13"));
    assert.deepEqual(nvidiaLibraries({ path: found.path }), []);
  });
});

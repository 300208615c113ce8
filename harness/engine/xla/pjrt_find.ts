/**
 * Finding PJRT plugins: where Python environments keep them, and where `deno task gpu --fetch` does.
 *
 * @module
 */
import { readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { cacheFolder } from "../../core/cache_folder.ts";

/** A plugin on this machine. */
export interface FoundPlugin {
  readonly path: string;
  /** What of a folder of packages it belongs to, if any: there its libraries are. */
  readonly packages?: string;
}

/** Names a plugin's file outright. */
export const PLUGIN_VARIABLE = "LAEBENCH_PJRT_PLUGIN";

/** Folder of the user's cache into which wheels are fetched. */
export const FETCH_FOLDER = "pjrt";

/** Environment variables read here. */
export const FIND_VARIABLES = [
  PLUGIN_VARIABLE,
  "PATH",
  "VIRTUAL_ENV",
  "CONDA_PREFIX",
  "HOME",
  "XDG_CACHE_HOME",
  "LOCALAPPDATA",
] as const;

/** Where plugins lie in a folder of Python packages, newest first. */
const CUDA_PLUGINS = [
  "jax_plugins/xla_cuda13/xla_cuda_plugin.so",
  "jax_plugins/xla_cuda12/xla_cuda_plugin.so",
];
const CPU_PLUGINS = [
  "lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so",
  "xla_plugins/xla_cpu_pjrt/xla_cpu_pjrt.so",
];

/**
 * The CUDA plugin: that of `$LAEBENCH_PJRT_PLUGIN`, else of jax-cuda13-pjrt or jax-cuda12-pjrt in a Python environment on
 * the PATH or among what was fetched. Throws Error where a named file does not exist.
 */
export function findCudaPlugin(): FoundPlugin | null {
  return named() ?? findIn(packageFolders(), CUDA_PLUGINS);
}

/** XLA's CPU plugin, in the same places but for the variable. */
export function findCpuPlugin(): FoundPlugin | null {
  return findIn(packageFolders(), CPU_PLUGINS);
}

/**
 * NVIDIA's libraries beside a plugin, from the wheels of its folder of packages. Loaded before it, they are found by it
 * by their names, without LD_LIBRARY_PATH.
 */
export function nvidiaLibraries({ packages }: FoundPlugin): string[] {
  if (!packages) return [];
  return list(join(packages, "nvidia")).flatMap((name) => {
    const folder = join(packages, "nvidia", name, "lib");
    return list(folder).filter((file) => /\.so(\.\d+)*$/.test(file)).map((f) => join(folder, f));
  });
}

/** The folder with NVIDIA's assembler and device library, for XLA; undefined where no wheel has them. */
export function cudaDataFolder({ packages }: FoundPlugin): string | undefined {
  if (!packages) return undefined;
  return list(join(packages, "nvidia")).map((name) => join(packages, "nvidia", name))
    .find((folder) => isFile(join(folder, "bin", "ptxas")));
}

/** Folders of Python packages, in the order of the PATH. */
function packageFolders(): string[] {
  const { PATH = "", VIRTUAL_ENV, CONDA_PREFIX, HOME } = process.env;
  const prefixes = [
    VIRTUAL_ENV,
    CONDA_PREFIX,
    ...PATH.split(":").filter((folder) => isFile(join(folder, "python3"))).map(dirname),
    ...HOME ? [join(HOME, ".local")] : [],
  ];
  const libraries = prefixes.filter((p) => p !== undefined).flatMap((p) => [
    join(p, "lib"),
    join(p, "lib64"),
  ]);
  const installed = libraries.flatMap((library) =>
    list(library).filter((name) => /^python3(\.\d+)?$/.test(name)).flatMap((python) => [
      join(library, python, "site-packages"),
      join(library, python, "dist-packages"),
    ])
  );
  const fetched = cacheFolder(FETCH_FOLDER);
  const all = [...installed, ...fetched ? list(fetched).map((name) => join(fetched, name)) : []];
  return [...new Set(all)];
}

function findIn(folders: readonly string[], files: readonly string[]): FoundPlugin | null {
  for (const packages of folders) {
    const file = files.find((name) => isFile(join(packages, name)));
    if (file) return { path: join(packages, file), packages };
  }
  return null;
}

function named(): FoundPlugin | null {
  const path = process.env[PLUGIN_VARIABLE];
  if (!path) return null;
  if (!isFile(path)) {
    throw new Error(`${PLUGIN_VARIABLE} names ${path}, which is no file: correct or unset it`);
  }
  // PACKAGES/jax_plugins/xla_cuda13/xla_cuda_plugin.so
  const packages = dirname(dirname(dirname(path)));
  return list(join(packages, "nvidia")).length > 0 ? { path, packages } : { path };
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return []; // no such folder, or none that may be read: nothing to find there
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

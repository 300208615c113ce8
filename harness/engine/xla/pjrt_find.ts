/**
 * Finds PJRT plugins in Python environments and in the folder of `deno task gpu --fetch`.
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
  /** The site-packages folder that contains the plugin, if any; its libraries are there. */
  readonly packages?: string;
}

/** Environment variable that names the plugin's file. */
export const PLUGIN_VARIABLE = "LAEBENCH_PJRT_PLUGIN";

/** Subfolder of the user's cache into which wheels are fetched. */
export const FETCH_FOLDER = "pjrt";

/** Environment variables that the search reads. */
export const FIND_VARIABLES = [
  PLUGIN_VARIABLE,
  "PATH",
  "VIRTUAL_ENV",
  "CONDA_PREFIX",
  "HOME",
  "XDG_CACHE_HOME",
  "LOCALAPPDATA",
] as const;

/** Paths of plugins within a site-packages folder, newest first. */
const CUDA_PLUGINS = [
  "jax_plugins/xla_cuda13/xla_cuda_plugin.so",
  "jax_plugins/xla_cuda12/xla_cuda_plugin.so",
];
const CPU_PLUGINS = [
  "lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so",
  "xla_plugins/xla_cpu_pjrt/xla_cpu_pjrt.so",
];

/**
 * Finds the CUDA plugin: the file named by `$LAEBENCH_PJRT_PLUGIN`, else the plugin of jax-cuda13-pjrt or
 * jax-cuda12-pjrt in a Python environment on the PATH or among the fetched wheels. Throws Error if the named file does
 * not exist.
 */
export function findCudaPlugin(): FoundPlugin | null {
  return named() ?? findIn(packageFolders(), CUDA_PLUGINS);
}

/** Finds XLA's CPU plugin in the same places, except for the variable. */
export function findCpuPlugin(): FoundPlugin | null {
  return findIn(packageFolders(), CPU_PLUGINS);
}

/**
 * Paths of NVIDIA's libraries from the wheels beside a plugin. If they are loaded first, the plugin finds them by name,
 * without LD_LIBRARY_PATH.
 */
export function nvidiaLibraries({ packages }: FoundPlugin): string[] {
  if (!packages) return [];
  return list(join(packages, "nvidia")).flatMap((name) => {
    const folder = join(packages, "nvidia", name, "lib");
    return list(folder).filter((file) => /\.so(\.\d+)*$/.test(file)).map((f) => join(folder, f));
  });
}

/** The folder with NVIDIA's assembler and device library, for XLA; undefined if no wheel has them. */
export function cudaDataFolder({ packages }: FoundPlugin): string | undefined {
  if (!packages) return undefined;
  return list(join(packages, "nvidia")).map((name) => join(packages, "nvidia", name))
    .find((folder) => isFile(join(folder, "bin", "ptxas")));
}

/** Lists site-packages folders in the order of the PATH. */
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
    throw new Error(`${PLUGIN_VARIABLE} names ${path}, which is not a file: correct or unset it`);
  }
  // PACKAGES/jax_plugins/xla_cuda13/xla_cuda_plugin.so
  const packages = dirname(dirname(dirname(path)));
  return list(join(packages, "nvidia")).length > 0 ? { path, packages } : { path };
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return []; // the folder does not exist or is not readable
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

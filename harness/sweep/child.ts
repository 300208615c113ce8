import { cacheFolder } from "../core/cache_folder.ts";
import { pathOfDataset } from "../core/dataset_name.ts";
import { projectPath } from "../core/project.ts";
import { JOB_CORES_VARIABLES } from "../core/threads.ts";
import type { RunSpec } from "../core/records.ts";

/** Environment variables of the native packages (sharp, onnxruntime-node), of folders, of colours and of GPUs. */
const ENV = [
  "npm_package_config_libvips",
  "MALLOC_ARENA_MAX",
  "LAEBENCH_DATA",
  "XDG_CACHE_HOME",
  "HOME",
  "LOCALAPPDATA",
  "INIT_CWD",
  "NO_COLOR",
  "FORCE_COLOR",
  "CLICOLOR_FORCE",
  "CUDA_VISIBLE_DEVICES",
  ...JOB_CORES_VARIABLES,
];

/** System information that the native packages and the provenance read. */
const SYS = ["cpus", "hostname", "loadavg", "networkInterfaces"];

/** Permissions of a child process besides reading the project. */
export interface Permissions {
  /** Folders that it may read. */
  readonly read: readonly string[];
  /** Folders that it may write. */
  readonly write: readonly string[];
  /** Whether it may load any library, read any file and query the system: for devices of vendors. */
  readonly anyLibrary: boolean;
}

/**
 * Permissions of the run `spec`: its folder `dir`, if it writes; the data folder, which also caches decoded images and
 * statistics; the path of a data set such as `folder:PATH`; the folders of the user's modules; the library of its device; and
 * the cache of programs that XLA devices compile.
 */
export function permissionsOf(
  { dataset, device }: RunSpec,
  { dir, dataFolder, moduleFolders = [] }: {
    readonly dir?: string;
    readonly dataFolder: string | undefined;
    readonly moduleFolders?: readonly string[];
  },
): Permissions {
  const named = (folders: readonly (string | undefined)[]) =>
    folders.filter((folder) => folder !== undefined);
  return {
    read: named([dir, dataFolder, pathOfDataset(dataset), ...moduleFolders]),
    write: dir === undefined
      ? []
      : named([dir, dataFolder, isXla(device) ? cacheFolder("xla") : undefined]),
    anyLibrary: device !== "cpu" && device !== "tfjs-cpu",
  };
}

function isXla(device: string): boolean {
  return /^(cuda|pjrt)(:|$)/.test(device);
}

/**
 * The command that runs this program with `args` in a child process with least permissions: no network, no other program,
 * native code from the packages only, and writing only to the given folders. Native code is outside these limits: a library
 * of the packages can call all of the C library. `--cached-only` is one of the limits: Deno downloads npm packages and modules
 * of the web for an import, whatever the permissions are. What the program imports, this process has loaded before.
 */
export function childCommand(
  args: readonly string[],
  { read, write, anyLibrary }: Permissions,
): { readonly path: string; readonly args: readonly string[] } {
  return {
    path: Deno.execPath(),
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      "--cached-only",
      `--config=${projectPath("deno.json")}`,
      ...anyLibrary ? ["--allow-read", "--allow-ffi", "--allow-env", "--allow-sys"] : [
        `--allow-read=${[projectPath("."), ...read].map(escapeCommas).join(",")}`,
        `--allow-ffi=${escapeCommas(projectPath("node_modules"))}`,
        `--allow-env=${ENV.join(",")}`,
        `--allow-sys=${SYS.join(",")}`,
      ],
      ...write.length === 0 ? [] : [`--allow-write=${write.map(escapeCommas).join(",")}`],
      projectPath("harness/cli/main.ts"),
      ...args,
    ],
  };
}

/** Doubles the commas in `path`, as Deno's lists of paths require. */
function escapeCommas(path: string): string {
  return path.replaceAll(",", ",,");
}

import { cacheFolder } from "../core/cache_folder.ts";
import { projectPath } from "../core/project.ts";
import type { RunSpec } from "../core/types.ts";

/**
 * The environment variables that the native packages read (sharp, onnxruntime-node), those that name
 * folders, and those that decide about colours.
 */
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
];

/** What the native packages and the provenance ask of the system. */
const SYS = ["cpus", "hostname", "networkInterfaces"];

/** What a process of this program may do besides reading the project and asking git. */
export interface Permissions {
  /** Folders to read from. */
  readonly read: readonly string[];
  /** Folders to write in. */
  readonly write: readonly string[];
  /** Whether it may load libraries from anywhere, and read and ask what they need: for a vendor's device. */
  readonly anyLibrary: boolean;
}

/**
 * What the run `spec` needs: its own folder `dir`, if it writes; the data folder, where it also keeps what it
 * decoded or measured of the data; the path in a word such as `folder:PATH`; the library of its device, and the cache
 * of compiled programs that XLA's devices keep.
 */
export function permissionsOf(
  { dataset, device }: RunSpec,
  { dir, dataFolder }: { readonly dir?: string; readonly dataFolder: string | undefined },
): Permissions {
  const pictures = /^\w+:(.+?)(?:@\d+)?$/.exec(dataset)?.[1];
  const named = (folders: readonly (string | undefined)[]) =>
    folders.filter((folder) => folder !== undefined);
  return {
    read: named([dir, dataFolder, pictures]),
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
 * A command that runs `words` of this program in another process with the least permissions: no network,
 * native code from the packages only, and writing in the folders named only.
 */
export function childCommand(
  words: readonly string[],
  { read, write, anyLibrary }: Permissions,
): { readonly path: string; readonly args: readonly string[] } {
  return {
    path: Deno.execPath(),
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      `--config=${projectPath("deno.json")}`,
      ...anyLibrary ? ["--allow-read", "--allow-ffi", "--allow-env", "--allow-sys"] : [
        `--allow-read=${[projectPath("."), ...read].map(escapeCommas).join(",")}`,
        `--allow-ffi=${escapeCommas(projectPath("node_modules"))}`,
        `--allow-env=${ENV.join(",")}`,
        `--allow-sys=${SYS.join(",")}`,
      ],
      ...write.length === 0 ? [] : [`--allow-write=${write.map(escapeCommas).join(",")}`],
      "--allow-run=git", // for the commit in the provenance
      projectPath("harness/cli/main.ts"),
      ...words,
    ],
  };
}

/** In a list of paths, a comma that belongs to a path is doubled. */
function escapeCommas(path: string): string {
  return path.replaceAll(",", ",,");
}

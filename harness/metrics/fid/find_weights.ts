import { join } from "node:path";
import { PUBLISHED_WEIGHTS } from "./weights.ts";

/** Name of TensorFlow's file, which TTUR and the LEBM code leave in the folder for temporary files. */
const GRAPH_DEF = "classify_image_graph_def.pb";

/**
 * Paths at which Inception's weights may already exist, in search order: the torch.hub folders into which pytorch-fid
 * and torch-fidelity download them, then that of TTUR. `env` reads an environment variable.
 */
export function weightsCandidates(env: (name: string) => string | undefined): string[] {
  const home = env("HOME") ?? env("USERPROFILE");
  const xdg = env("XDG_CACHE_HOME");
  const torchHome = env("TORCH_HOME");
  const folders = [
    ...(torchHome ? [join(torchHome, "hub", "checkpoints")] : []),
    ...(xdg ? [join(xdg, "torch", "hub", "checkpoints")] : []),
    ...(home ? [join(home, ".cache", "torch", "hub", "checkpoints")] : []),
    ...(home ? [join(home, ".cache", "torch", "checkpoints")] : []), // before torch 1.2
  ];
  const temporary = env("TMPDIR") ?? env("TEMP") ?? "/tmp";
  return [
    ...folders.flatMap((folder) => PUBLISHED_WEIGHTS.names.map((name) => join(folder, name))),
    join(temporary, GRAPH_DEF),
  ];
}

/** The first of `paths` that is a file, or undefined. */
export async function firstFile(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    try {
      if ((await Deno.stat(path)).isFile) return path;
    } catch (error) {
      if (
        !(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied)
      ) {
        throw error;
      }
    }
  }
  return undefined;
}

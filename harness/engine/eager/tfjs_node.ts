/**
 * Eager TensorFlow through the npm packages @tensorflow/tfjs-node and tfjs-node-gpu, if they are installed.
 *
 * @module
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { cacheFolder } from "../../core/cache_folder.ts";
import type { Device } from "../../core/types.ts";
import { openEager } from "./eager.ts";
import { registerHostNoise } from "./tfjs_host_noise.ts";
import { supplyPadding } from "./tfjs_node_padding.ts";

/** Backend name that both packages register. */
const BACKEND = "tensorflow";

/** Subfolder of the user's cache into which `deno task tfjs-node:build` puts the package and the binding it builds. */
export const BUILD_FOLDER = "tfjs-node";

/** Opens `tfjs-node` or `tfjs-node-gpu`. Throws Error with a one-line hint if the package is absent or broken. */
export async function openTfjsNode(
  name: string,
  { threads }: { readonly threads: number },
): Promise<Device> {
  tf.enableProdMode(); // suppresses warnings: the package's copy of tfjs registers all kernels again
  supplyRemoved(createRequire(import.meta.url)("node:util"));
  setDefault("TF_CPP_MIN_LOG_LEVEL", "2"); // errors only
  setDefault("TF_NUM_INTRAOP_THREADS", String(threads));
  load(name);
  registerHostNoise(BACKEND);
  supplyPadding(BACKEND);
  const device = await openEager(name, BACKEND);
  const { binding } = tf.backend() as unknown as { binding: { TF_Version: string } };
  return {
    ...device,
    description: `tfjs ${tf.version.tfjs} ${name} (eager), TensorFlow ${binding.TF_Version}`,
  };
}

/** Loads the package from this project, else the one that tfjs-node:build put into the cache. */
function load(name: string): void {
  const built = cacheFolder(BUILD_FOLDER);
  const homes = [import.meta.url, ...built ? [join(built, "package.json")] : []];
  const errors: unknown[] = [];
  for (const home of homes) {
    try {
      createRequire(home)(`@tensorflow/${name}`);
      return;
    } catch (error) {
      errors.push(error);
    }
  }
  const cause = errors.find((error) => !isAbsent(error)) ?? errors[0];
  throw new Error(`Device ${name}: ${reasonOf(cause, name)}`, { cause });
}

/** Restores functions of `util` that tfjs-node 4.22 calls and that Node 23, and hence Deno, removed. */
function supplyRemoved(util: Record<string, unknown>): void {
  util.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  util.isArray ??= Array.isArray;
}

function setDefault(variable: string, value: string): void {
  if (Deno.env.get(variable) === undefined) Deno.env.set(variable, value);
}

function isAbsent(error: unknown): boolean {
  return /Cannot find (module|package) '@tensorflow\//.test(String(error));
}

function reasonOf(error: unknown, name: string): string {
  const message = error instanceof Error ? error.message : String(error);
  const install = `deno task gpu --install ${name}${
    name === "tfjs-node" ? " or deno task tfjs-node:build" : ""
  }`;
  if (isAbsent(error)) return `the npm package is not installed: ${install}`;
  if (/native addon module|tfjs_binding|Cannot find module/.test(message)) {
    return `the package's TensorFlow binding is missing because its install script has not run: ${install}`;
  }
  const text = message.replace(/\s+/g, " ").trim();
  return name === "tfjs-node-gpu"
    ? `${text}: the package needs CUDA 11.2 and cuDNN 8.1 and does not support GPUs newer than Ampere: use --device cuda`
    : text;
}

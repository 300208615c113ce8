/**
 * Eager TensorFlow through the npm packages @tensorflow/tfjs-node and tfjs-node-gpu, where they are installed.
 *
 * @module
 */
import { createRequire } from "node:module";
import * as tf from "@tensorflow/tfjs";
import type { Device } from "../types.ts";
import { openEager } from "./eager.ts";
import { registerHostNoise } from "./tfjs_host_noise.ts";

/** Name under which both packages register their backend. */
const BACKEND = "tensorflow";

/** Opens `tfjs-node` or `tfjs-node-gpu`. Throws Error with the remedy in one line where the package is absent or broken. */
export async function openTfjsNode(name: string): Promise<Device> {
  const require = createRequire(import.meta.url);
  supplyRemoved(require("node:util"));
  try {
    require(`@tensorflow/${name}`);
  } catch (error) {
    throw new Error(`Device ${name}: ${reasonOf(error, name)}`, { cause: error });
  }
  registerHostNoise(BACKEND);
  const device = await openEager(name, BACKEND);
  return { ...device, description: `tfjs ${tf.version.tfjs} ${name} (eager)` };
}

/** What tfjs-node 4.22 calls and Node 23, and Deno with it, have removed from `util`. */
function supplyRemoved(util: Record<string, unknown>): void {
  util.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  util.isArray ??= Array.isArray;
}

function reasonOf(error: unknown, name: string): string {
  const message = error instanceof Error ? error.message : String(error);
  const install = `deno task gpu --install ${name}`;
  if (/Cannot find module '@tensorflow\/|Cannot find package/.test(message)) {
    return `the npm package is not installed: ${install}`;
  }
  if (/native addon module|tfjs_binding|Cannot find module/.test(message)) {
    return `the package's binding to TensorFlow is missing, since its install script has not run: ${install}`;
  }
  const text = message.replace(/\s+/g, " ").trim();
  return name === "tfjs-node-gpu"
    ? `${text}: the package needs CUDA 11.2 and cuDNN 8.1, and does not know cards after Ampere; --device cuda does`
    : text;
}

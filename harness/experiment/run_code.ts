/**
 * The code of a run, as hashes: the modules of its method, of its scores, of the harness and of its device, and the pixels
 * of its data set. Runs with different hashes are different experiments, whatever their specs.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { dirname, join, relative } from "node:path";
import { type ModuleHashes, openModuleGraph } from "../core/module_graph.ts";
import type { RunCode, RunSpec } from "../core/records.ts";
import { canonicalJson } from "./spec.ts";

/** Reads the hashes of the modules that a run of `spec` executes. */
export type CodeReader = (spec: RunSpec) => Promise<ModuleHashes>;

/** Where a project keeps its tables and the entries of the harness, relative to its folder. */
export interface CodePlaces {
  readonly methods: string;
  readonly metrics: string;
  /** Modules that every run executes. */
  readonly run: string;
  /** The module that opens devices, and the devices for which it imports no further module. */
  readonly device: string;
  readonly ownDevices: readonly string[];
}

/** The places of this project. */
export const CODE_PLACES: CodePlaces = {
  methods: "methods/mod.ts",
  metrics: "harness/metrics/metrics.ts",
  run: "harness/run/run.ts",
  device: "harness/engine/device.ts",
  ownDevices: ["cpu", "tfjs-cpu"],
};

/** A reader of the code of runs in the project folder `root`; it reads each file once. */
export function codeReader(root: string, places: CodePlaces = CODE_PLACES): CodeReader {
  const graph = openModuleGraph(root);
  return async ({ method, metrics, device, modules = {} }) => {
    const users = Object.values(modules).map(({ path }) => fromRoot(root, path));
    const ofMethod = modules.method ? [] : await graph.filesOfEntry(places.methods, method);
    const entries = [places.run, ...ofMethod, ...users];
    for (const metric of metrics) {
      entries.push(...await graph.filesOfEntry(places.metrics, metric));
    }
    const reached = {
      ...await graph.reach(entries),
      ...await graph.reach([places.device], { dynamic: !places.ownDevices.includes(device) }),
    };
    const [user] = Object.values(modules);
    return user === undefined ? reached : withoutPlace(reached, { root, user: user.path });
  };
}

/** `path` from the folder `root`, with slashes. */
export function fromRoot(root: string, path: string): string {
  return relative(root, path).replaceAll("\\", "/");
}

/** `modules` with those outside `root` named by their path from the module `user`: a moved folder has the same code. */
function withoutPlace(
  modules: ModuleHashes,
  { root, user }: { readonly root: string; readonly user: string },
): ModuleHashes {
  const named = Object.entries(modules).map(([path, hash]) => {
    const isOutside = path.startsWith("../");
    return [isOutside ? `user/${fromRoot(dirname(user), join(root, path))}` : path, hash];
  });
  return Object.fromEntries(named);
}

/** Folders of the project whose modules are no part of the user's code. */
const PROJECT_FOLDERS = /^(harness|methods|datasets|reports|fixtures)\//;

/**
 * SHA-256 of the module at the absolute `path`, of the user's modules that it imports, and of the names of its packages; and the
 * folders of these modules. The project in the folder `root` counts as a package.
 */
export async function userCode(
  path: string,
  root: string,
): Promise<{ readonly sha256: string; readonly folders: readonly string[] }> {
  const entry = fromRoot(root, path);
  const reached = Object.entries(await openModuleGraph(root).reach([entry]))
    .filter(([name]) => name === entry || !PROJECT_FOLDERS.test(name));
  const isFile = (name: string) => !/^[a-z]+:/.test(name);
  const parts = reached.map(([name, hash]) => [
    isFile(name) ? fromRoot(dirname(path), join(root, name)) : name,
    hash,
  ]);
  const sha256 = createHash("sha256").update(canonicalJson(Object.fromEntries(parts)));
  const folders = reached.map(([name]) => name).filter(isFile)
    .map((name) => dirname(join(root, name)));
  return { sha256: sha256.digest("hex"), folders: [...new Set(folders)] };
}

/** SHA-256 of the pixels of the parts of a data set. */
export interface PixelHashes {
  readonly train: string;
  readonly test: string;
}

/** The code of a run that executes `modules` on a data set whose parts have the hashes `pixels`. */
export function runCode(
  modules: ModuleHashes,
  pixels: PixelHashes,
): RunCode {
  const parts = {
    ...modules,
    "the training images": pixels.train.slice(0, 12),
    "the test images": pixels.test.slice(0, 12),
  };
  return { sha256: createHash("sha256").update(canonicalJson(parts)).digest("hex"), parts };
}

/** The parts in which two codes differ; none if either is unknown. */
export function changedParts(here: RunCode | undefined, there: RunCode | undefined): string[] {
  if (here === undefined || there === undefined || here.sha256 === there.sha256) return [];
  const names = new Set([...Object.keys(here.parts), ...Object.keys(there.parts)]);
  return [...names].filter((name) => here.parts[name] !== there.parts[name]).toSorted();
}

/** The modules in `here` that are not those of `now`; none if `here` is unknown. */
export function changedModules(here: RunCode | undefined, now: ModuleHashes): string[] {
  return Object.keys(now).filter((name) => here !== undefined && here.parts[name] !== now[name]);
}

/** Number of parts that a message names. */
const NAMED_PARTS = 4;

/** The first of `parts`, and how many more there are: `methods/lae.ts, methods/parts/nets.ts and 2 more`. */
export function listParts(parts: readonly string[]): string {
  const more = parts.length - NAMED_PARTS;
  const named = parts.slice(0, NAMED_PARTS).join(", ");
  return more > 0 ? `${named} and ${more} more` : named;
}

/** `code` of a run that goes on from weights that `before` trained. */
export function resumedCode(code: RunCode, before: RunCode | undefined): RunCode {
  const earlier = [...before?.earlier ?? [], ...before === undefined ? [] : [before.sha256]]
    .filter((sha256) => sha256 !== code.sha256);
  return earlier.length === 0 ? code : { ...code, earlier: [...new Set(earlier)] };
}

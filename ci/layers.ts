/**
 * Checks who imports whom. The rooms of the house stand on floors: a room may import what stands on a floor below it,
 * nothing beside or above. `methods`, `datasets` and `reports` import the ground of the harness and their own rooms; the
 * harness imports none of them, except its command line; nothing imports `ci/`; no files import each other in a circle.
 * Tests and benches are entry points, and may import what they test.
 *
 * `deno task layers`
 *
 * @module
 */
import { readWords } from "../harness/cli/arguments.ts";
import { runProgram } from "../harness/cli/programs.ts";
import { relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** One import of the module graph: paths from the project's root, or an npm package's name after `npm:`. */
export interface Import {
  readonly from: string;
  readonly to: string;
}

/** Every room, from the ground up. A file belongs to the room with the longest matching name. */
export const FLOORS: readonly (readonly string[])[] = [
  ["harness/core"],
  ["harness/formats"],
  ["harness/linalg"],
  ["harness/statistics"],
  ["harness/engine/graph", "methods/samplers", "datasets/toy", "reports/published"],
  [
    "harness/engine/onnx",
    "harness/engine/xla",
    "harness/engine/eager",
    "methods/parts",
    "reports/document",
  ],
  ["harness/engine", "datasets/parts", "reports/page", "reports/toy_figures"],
  ["harness/engine/testing", "harness/metrics/fid", "methods", "datasets", "reports/sections"],
  ["harness/metrics", "methods/toy", "reports"],
  ["harness/experiment"],
  ["harness/run", "harness/toy"],
  ["harness/sweep"],
  ["harness/tuning", "harness/testing", "methods/testing"],
  ["harness/cli"],
  ["fixtures", "harness/library"],
  ["ci"],
];

/** The rooms of the harness that every part of the project may import. */
const GROUND: readonly string[] = [
  "harness/core",
  "harness/formats",
  "harness/linalg",
  "harness/statistics",
];

/** The rooms that put the parts together. */
const COMPOSITION_ROOMS: readonly string[] = ["harness/cli", "harness/library", "fixtures", "ci"];

/** The npm packages that a part of the project may import; any, for those that are absent. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  methods: ["@tensorflow/tfjs"],
  reports: ["@observablehq/plot", "linkedom"], // figures as SVG without a browser
};

/** The room of a file: undefined for one outside all rooms. */
export function roomOf(file: string): string | undefined {
  return FLOORS.flat().filter((room) => file.startsWith(`${room}/`))
    .toSorted((a, b) => b.length - a.length)[0];
}

/** The number of the floor on which `room` stands, from 0. */
function floorOf(room: string): number {
  return FLOORS.findIndex((rooms) => rooms.includes(room));
}

/** The imports that break a rule, each as a sentence. */
export function findBreaches(imports: readonly Import[]): string[] {
  return imports.flatMap(({ from, to }) => {
    const breach = breachOf(from, to);
    return breach === undefined ? [] : [`${from} imports ${to}: ${breach}`];
  });
}

function breachOf(from: string, to: string): string | undefined {
  const [room, part] = [roomOf(from), from.split("/")[0]];
  if (room === undefined) return "its folder is not in the list of floors";
  if (to.startsWith("npm:")) {
    const allowed = PACKAGES[part];
    const isAllowed = isEntry(from) || allowed === undefined || allowed.includes(to.slice(4));
    return isAllowed ? undefined : `${part}/ may import ${allowed.join(", ")}`;
  }
  const target = roomOf(to);
  if (target === undefined) return "its folder is not in the list of floors";
  if (target === "ci" && room !== "ci") return "nothing may import ci/";
  if (isEntry(from) || target === room) return undefined;
  if (floorOf(target) >= floorOf(room)) return `${target}/ does not stand below ${room}/`;
  const isOwn = to.split("/")[0] === part || GROUND.includes(target);
  if (isOwn || COMPOSITION_ROOMS.includes(room)) return undefined;
  return `${room}/ may import ${[...GROUND, `rooms of ${part}`].join(", ")}`;
}

/** Tests and benches: nothing imports them. */
function isEntry(file: string): boolean {
  return /_(test|bench)\.tsx?$/.test(file);
}

/** The circles of files that import each other, each as a sentence; types count. */
export function findCircles(imports: readonly Import[]): string[] {
  const next = new Map<string, string[]>();
  for (const { from, to } of imports) next.set(from, [...next.get(from) ?? [], to]);
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, path: readonly string[]) => {
    const start = path.indexOf(file);
    if (start >= 0) {
      circles.push(`circle: ${[...path.slice(start), file].join(" -> ")}`);
      return;
    }
    if (done.has(file)) return;
    for (const to of next.get(file) ?? []) visit(to, [...path, file]);
    done.add(file);
  };
  for (const file of next.keys()) visit(file, []);
  return circles;
}

interface Graph {
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly {
      readonly specifier: string;
      readonly code?: { readonly specifier?: string };
      readonly type?: { readonly specifier?: string };
    }[];
  }[];
  readonly redirects?: Readonly<Record<string, string>>;
}

/** The imports among `files`, types too, as `deno info` sees them. */
async function readImports(root: string, files: readonly string[]): Promise<Import[]> {
  const lines = files.map((file) => `import ${JSON.stringify(pathToFileURL(`${root}/${file}`))};`);
  const entry = `data:text/javascript,${encodeURIComponent(lines.join("\n"))}`;
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "--config", `${root}/deno.json`, entry],
  }).output();
  if (!success) throw new Error(`deno info failed: ${new TextDecoder().decode(stderr).trim()}`);
  const graph = JSON.parse(new TextDecoder().decode(stdout)) as Graph;
  return graph.modules.flatMap(({ specifier, dependencies = [] }) => {
    if (!specifier.startsWith("file:")) return [];
    const from = relative(root, fileURLToPath(specifier));
    if (from.startsWith("..") || from.startsWith("node_modules")) return [];
    return dependencies.flatMap((dependency): Import[] => {
      const target = dependency.code?.specifier ?? dependency.type?.specifier;
      if (target === undefined) return [];
      if (target.startsWith("npm:")) return [{ from, to: `npm:${packageName(target)}` }];
      if (!target.startsWith("file:")) return [];
      const to = relative(root, fileURLToPath(target));
      return [{ from, to: to.startsWith("node_modules") ? `npm:${dependency.specifier}` : to }];
    });
  });
}

/** `npm:/@tensorflow/tfjs@4.22.0` to `@tensorflow/tfjs`. */
export function packageName(specifier: string): string {
  return specifier.replace(/^npm:\/?/, "").replace(/(?<=.)@.*$/, "");
}

async function listSources(root: string, folder: string): Promise<string[]> {
  const sources: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(`${root}/${folder}`)) {
    const path = `${folder}/${name}`;
    if (isDirectory) sources.push(...await listSources(root, path));
    else if (/\.tsx?$/.test(name)) sources.push(path);
  }
  return sources.sort();
}

const HELP = `Usage: deno task layers

Checks that each room imports only what stands below it, and that no imports go around in a circle.
Exit code 1 if one does. Takes no options.
`;

async function main(): Promise<void> {
  readWords(HELP);
  const root = fileURLToPath(new URL("..", import.meta.url)).replace(/[/\\]$/, "");
  const folders = [...new Set(FLOORS.flat().map((room) => room.split("/")[0]))];
  const files = (await Promise.all(folders.map((folder) => listSources(root, folder)))).flat();
  const imports = await readImports(root, files);
  const breaches = [...findBreaches(imports), ...findCircles(imports)];
  for (const breach of breaches) console.error(breach);
  console.log(`${files.length} files, ${imports.length} imports, ${breaches.length} breaches`);
  if (breaches.length > 0) Deno.exitCode = 1;
}

if (import.meta.main) await runProgram(main);

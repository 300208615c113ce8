/**
 * Checks who imports whom: the harness knows no method, data set or report, methods know no loop, clock
 * or file, and nothing leans on ci/. Tests are entry points, and may import what they test.
 *
 * `deno task layers`
 *
 * @module
 */
import { relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** One import of the module graph: paths from the project's root, or an npm package's name. */
export interface Import {
  readonly from: string;
  readonly to: string;
}

/** What the sources of a folder may import besides their own folder. Files, folders (with a slash), or packages. */
interface Layer {
  readonly files: readonly string[];
  readonly packages: readonly string[] | "any";
}

const TFJS = "@tensorflow/tfjs";

const LAYERS: Readonly<Record<string, Layer>> = {
  harness: { files: [], packages: "any" },
  methods: {
    files: [
      "harness/core/types.ts",
      "harness/core/toy_types.ts",
      "harness/core/noise.ts",
      "harness/core/repeat.ts",
    ],
    packages: [TFJS],
  },
  datasets: {
    // Readers of containers are written once, beside their first user.
    files: [
      "harness/core/types.ts",
      "harness/core/toy_types.ts",
      "harness/core/noise.ts",
      "harness/core/cache_folder.ts",
      "harness/core/project.ts",
      "harness/formats/byte_source.ts",
      "harness/formats/pickle.ts",
      "harness/formats/tar.ts",
      "harness/formats/zip.ts",
    ],
    packages: "any",
  },
  reports: {
    files: [
      "harness/core/types.ts",
      "harness/core/toy_types.ts",
      "harness/core/toy_report.ts",
      "harness/statistics/summary.ts",
    ],
    packages: ["@observablehq/plot", "linkedom"], // figures as SVG, without a browser
  },
};

/** The files that put the parts together: the command lines of the benchmark, of the FID and of the toy posteriors. */
const COMPOSITION_ROOTS = ["harness/cli/main.ts", "harness/cli/fid.ts", "harness/cli/toy.ts"];
const ROOT_FOLDERS = ["methods", "datasets", "reports"];

/** The imports that break a rule, each as a sentence. */
export function findBreaches(imports: readonly Import[]): string[] {
  return imports.flatMap(({ from, to }) => {
    const layer = from.split("/")[0];
    const target = to.includes("/") ? to.split("/")[0] : "";
    if (to.startsWith("ci/") && layer !== "ci") {
      return [`${from} imports ${to}: nothing may import ci/`];
    }
    if (/_(test|bench)\.tsx?$/.test(from) || !Object.hasOwn(LAYERS, layer)) return [];
    const { files, packages } = LAYERS[layer];
    if (to.startsWith("npm:")) {
      const name = to.slice("npm:".length);
      if (packages === "any" || packages.includes(name)) return [];
      const known = packages.length === 0 ? "no package" : packages.join(", ");
      return [`${from} imports ${name}: ${layer}/ may import ${known}`];
    }
    if (target === layer || files.includes(to)) return [];
    if (COMPOSITION_ROOTS.includes(from) && ROOT_FOLDERS.includes(target)) return [];
    const known = [`${layer}/`, ...files].join(", ");
    return [`${from} imports ${to}: ${layer}/ may import ${known}`];
  });
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

if (import.meta.main) {
  const root = fileURLToPath(new URL("..", import.meta.url)).replace(/[/\\]$/, "");
  const folders = [...Object.keys(LAYERS), "fixtures", "ci"];
  const files = (await Promise.all(folders.map((folder) => listSources(root, folder)))).flat();
  const imports = await readImports(root, files);
  const breaches = findBreaches(imports);
  for (const breach of breaches) console.error(breach);
  console.log(`${files.length} files, ${imports.length} imports, ${breaches.length} breaches`);
  if (breaches.length > 0) Deno.exitCode = 1;
}

/**
 * Hashes of the modules that a module imports, directly or through others: what the program executes from there.
 *
 * Types, comments and formatting do not count: a module's hash is that of its syntax tree without types. A file that is not
 * a script counts byte by byte, a package by its pinned version.
 *
 * @module
 */
import { parse } from "acorn";
import { createHash } from "node:crypto";
import { stripTypeScriptTypes } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** Hashes by path from the root, or by the specifier of a package: 12 hexadecimal digits, empty for a package. */
export type ModuleHashes = Readonly<Record<string, string>>;

/** The modules of a project. Each file is read once. */
export interface ModuleGraph {
  /**
   * Hashes of `entries` and of all that they import. The modules that `entries` themselves import dynamically count only
   * with `dynamic`; deeper ones always do.
   */
  reach(
    entries: readonly string[],
    options?: { readonly dynamic?: boolean },
  ): Promise<ModuleHashes>;
  /** The files that define the entry `name` of the table in the module `table`. */
  filesOfEntry(table: string, name: string): Promise<string[]>;
}

/** A node of a syntax tree as acorn makes it. */
interface Node {
  readonly type: string;
  readonly [member: string]: unknown;
}

interface Module {
  readonly hash: string;
  readonly program: Node | undefined;
  /** Paths from the root and specifiers of packages. */
  readonly imports: readonly string[];
  readonly dynamicImports: readonly string[];
}

/** The graph of the modules under the folder `root`, whose deno.json has the import map. */
export function openModuleGraph(root: string): ModuleGraph {
  const modules = new Map<string, Promise<Module>>();
  let map: Promise<Readonly<Record<string, string>>> | undefined;
  const read = (path: string) => {
    let module = modules.get(path);
    if (module === undefined) {
      module = (async () => readModule(path, { root, map: await (map ??= importMap(root)) }))();
      modules.set(path, module);
    }
    return module;
  };
  return {
    async reach(entries, { dynamic = true } = {}) {
      const found = new Map<string, string>();
      const waiting = [...entries];
      while (waiting.length > 0) {
        const path = waiting.pop()!;
        if (found.has(path)) continue;
        if (isPackage(path)) {
          found.set(path, "");
          continue;
        }
        const { hash, imports, dynamicImports } = await read(path);
        found.set(path, hash);
        waiting.push(...imports, ...dynamic || !entries.includes(path) ? dynamicImports : []);
      }
      return Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
    },
    async filesOfEntry(table, name) {
      const { program } = await read(table);
      const files = program && definingFiles(program, name)
        .map((specifier) => resolveFile(specifier, { from: table, root }));
      return files === undefined || files.length === 0 ? [table] : [...new Set(files)];
    },
  };
}

/** Whether `name` is a specifier such as `npm:sharp@0.35.5`, not a path. */
function isPackage(name: string): boolean {
  return /^[a-z]+:/.test(name);
}

async function importMap(root: string): Promise<Readonly<Record<string, string>>> {
  const { imports = {} } = JSON.parse(await Deno.readTextFile(join(root, "deno.json"))) as {
    readonly imports?: Readonly<Record<string, string>>;
  };
  return imports;
}

async function readModule(
  path: string,
  { root, map }: { readonly root: string; readonly map: Readonly<Record<string, string>> },
): Promise<Module> {
  const bytes = await Deno.readFile(join(root, path));
  if (!/\.[mc]?[jt]s$/.test(path)) {
    return { hash: sha256(bytes), program: undefined, imports: [], dynamicImports: [] };
  }
  const program = parseModule(new TextDecoder().decode(bytes), path);
  const imports: string[] = [];
  const dynamicImports: string[] = [];
  const place = (specifier: string) => {
    if (/^\.{0,2}\//.test(specifier)) return [resolveFile(specifier, { from: path, root })];
    if (specifier.startsWith("node:")) return [];
    const name = specifier in map
      ? specifier
      : Object.keys(map).find((key) => specifier.startsWith(`${key}/`));
    if (name === undefined) return [specifier];
    const target = map[name] + specifier.slice(name.length);
    return [target.startsWith("./") ? target.slice(2) : target];
  };
  const assets: string[] = [];
  visit(program, (node) => {
    const { source } = node as { readonly source?: Node | null };
    const specifier = source?.type === "Literal" ? source.value : undefined;
    if (typeof specifier === "string") {
      (node.type === "ImportExpression" ? dynamicImports : imports).push(...place(specifier));
    }
    assets.push(...relativeUrls(node).flatMap(place));
  });
  for (const asset of assets) if (await isFile(join(root, asset))) imports.push(asset);
  return { hash: sha256(JSON.stringify(program, bare)), program, imports, dynamicImports };
}

function parseModule(source: string, path: string): Node {
  const strip = (mode: "strip" | "transform") =>
    stripTypeScriptTypes(source, { mode } as { mode: "strip" }); // the types know one of the modes
  const plain = () => {
    if (!/ts$/.test(path)) return source;
    try {
      return strip("strip"); // leaves all else as it is, in every version of Deno
    } catch {
      return strip("transform"); // enumerations and parameter properties are more than types
    }
  };
  return parse(plain(), {
    ecmaVersion: "latest",
    sourceType: "module",
  }) as unknown as Node;
}

/** The argument of `new URL("./file", import.meta.url)`, or the two of `test ? "./a" : "./b"`; none for any other node. */
function relativeUrls({ type, callee, arguments: args }: Node): string[] {
  if (type !== "NewExpression" || (callee as Node).name !== "URL") return [];
  const [file, base] = args as readonly (Node | undefined)[];
  if ((base?.object as Node | undefined)?.type !== "MetaProperty") return [];
  const choices = file?.type === "ConditionalExpression"
    ? [file.consequent, file.alternate]
    : [file];
  return choices.map((choice) => (choice as Node | undefined)?.value)
    .filter((value) => typeof value === "string");
}

/** The specifiers from which `program` imports what the member `name` of one of its object literals is made of. */
function definingFiles(program: Node, name: string): string[] {
  const sources = new Map<string, string>(); // local name -> specifier
  for (const node of program.body as readonly Node[]) {
    if (node.type !== "ImportDeclaration") continue;
    for (const { local } of node.specifiers as readonly { readonly local: Node }[]) {
      sources.set(local.name as string, (node.source as Node).value as string);
    }
  }
  const named: Node[] = [];
  const spread: Node[] = [];
  visit(program, (node) => {
    if (node.type !== "ObjectExpression") return;
    for (const member of node.properties as readonly Node[]) {
      const { key, value, argument } = member as { readonly [member: string]: Node | undefined };
      if (member.type === "SpreadElement" && argument) spread.push(argument);
      else if ((key?.name ?? key?.value) === name && value) named.push(value);
    }
  });
  return (named.length > 0 ? named : spread).flatMap((value) => {
    const found: string[] = [];
    visit(value, ({ type, name }) => {
      const source = type === "Identifier" ? sources.get(name as string) : undefined;
      if (source !== undefined) found.push(source);
    });
    return found;
  });
}

function resolveFile(
  specifier: string,
  { from, root }: { readonly from: string; readonly root: string },
): string {
  const path = specifier.startsWith("/")
    ? specifier
    : fileURLToPath(new URL(specifier, pathToFileURL(join(root, dirname(from), "x"))));
  return relative(root, resolve(path)).replaceAll("\\", "/");
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false; // a URL of something else
  }
}

/** Calls `look` with every node of the syntax tree `value`. */
function visit(value: unknown, look: (node: Node) => void): void {
  if (Array.isArray(value)) {
    for (const item of value) visit(item, look);
  } else if (typeof value === "object" && value !== null) {
    if ("type" in value) look(value as Node);
    for (const member of Object.values(value)) visit(member, look);
  }
}

/** Leaves out of JSON where a node stands, and writes what JSON cannot. */
function bare(key: string, value: unknown): unknown {
  if (key === "start" || key === "end") return undefined;
  return typeof value === "bigint" ? `${value}n` : value;
}

function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex").slice(0, 12);
}

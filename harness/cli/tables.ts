/**
 * The tables of the project, with the data sets and methods that the user's words name besides.
 *
 * @module
 */
import { DATASETS, isMade, resolveDataset, wholeName } from "../../datasets/mod.ts";
import { METHODS } from "../../methods/mod.ts";
import { parseNames, UsageError } from "../core/arguments.ts";
import { baseName, parseOwnImages, parseTableName } from "../core/dataset_name.ts";
import type { RunSpec, UserModule } from "../core/records.ts";
import type { Dataset, Method, Score } from "../core/types.ts";
import { lookUp, type Tables } from "../experiment/spec.ts";
import { METRICS } from "../metrics/metrics.ts";
import type { Names } from "../../reports/document/result_table.ts";
import {
  factsOf,
  isModulePath,
  loadModuleAgain,
  loadUserModule,
  moduleOfDataset,
  moduleOfMethod,
  type UserEntries,
} from "./user_modules.ts";

/** The tables of the project. */
export const TABLES: Tables = {
  methods: METHODS as Readonly<Record<string, Method>>,
  datasets: DATASETS,
  metrics: METRICS,
};

/** Tables for a command line, and its words with names in the place of paths. */
export interface OpenedTables {
  readonly tables: Tables;
  readonly methods?: string;
  readonly datasets?: string;
  /** Folders of the user's modules. */
  readonly moduleFolders: readonly string[];
}

/**
 * The tables with the methods of the modules among `methods`, the data sets of the modules among `datasets`, data sets such as
 * `folder:PATH` or `heldout:./set.ts`, and all entries of `modules`. Throws UsageError for a module that cannot be used.
 */
export async function openTables(
  { methods, datasets, modules = [] }: {
    readonly methods?: string;
    readonly datasets?: string;
    readonly modules?: readonly string[];
  },
): Promise<OpenedTables> {
  const [ofMethods, ofDatasets] = [methods, datasets].map(wordsOf);
  const users = await Promise.all(modules.map(loadUserModule));
  const taken = {
    methods: await expand(ofMethods, "methods", users),
    datasets: await expand(ofDatasets, "datasets", users),
  };
  return {
    tables: await withMade(withUsers(users), taken.datasets),
    ...methods !== undefined && { methods: taken.methods.join() },
    ...datasets !== undefined && { datasets: taken.datasets.join() },
    moduleFolders: [...new Set(users.flatMap(({ folders }) => folders))],
  };
}

function wordsOf(text = ""): string[] {
  return text.split(",").map((word) => word.trim());
}

/**
 * `words` with the names of its entries in the place of each module, which is added to `users`. The module of a data set may stand
 * wherever the name of one may: `heldout:./set.ts`, `./set.ts-3`, `./set.ts@28`.
 */
async function expand(
  words: readonly string[],
  kind: "methods" | "datasets",
  users: UserEntries[],
): Promise<string[]> {
  const names: string[] = [];
  for (const word of words) {
    const { before, path, after } = kind === "datasets" ? partsOf(word) : whole(word);
    if (!isModulePath(path)) {
      names.push(word);
      continue;
    }
    const user = await loadUserModule(path);
    if (user[kind].length === 0) {
      const [none, some] = kind === "methods"
        ? ["method", `data set ${user.datasets[0].name}`]
        : ["data set", `method ${user.methods[0].name}`];
      throw new UsageError(`${path} exports no ${none}, but the ${some}`);
    }
    users.push(user);
    names.push(...user[kind].map(({ name }) => `${before}${name}${after}`));
  }
  return names;
}

interface ModuleWord {
  readonly before: string;
  readonly path: string;
  readonly after: string;
}

function whole(word: string): ModuleWord {
  return { before: "", path: word, after: "" };
}

/** The module in the word for a data set, and what stands before and after it. */
function partsOf(word: string): ModuleWord {
  const rest = baseName(word);
  const before = word.slice(0, word.length - rest.length);
  const [, path = rest, after = ""] = /^(.+\.[mc]?[jt]s)((?:@\d+)?(?:-\d+)?)$/.exec(rest) ?? [];
  return { before, path, after };
}

/** `tables` with those of the data sets `names` that are made on demand; what is made of a user's data set belongs to its module. */
async function withMade(tables: Tables, names: readonly string[]): Promise<Tables> {
  const { datasets, modules } = tables;
  const made = await Promise.all(
    names.filter((name) => isMade(name, datasets)).map((name) => resolved(name, datasets)),
  );
  if (made.length === 0) return tables;
  const ofUser = made.flatMap((dataset) => {
    const own = modules?.datasets[wholeName(dataset.name, datasets)];
    return own === undefined ? [] : [[dataset.name, { ...own, ...factsOf(dataset) }] as const];
  });
  return {
    ...tables,
    datasets: { ...datasets, ...Object.fromEntries(made.map((made) => [made.name, made])) },
    ...modules !== undefined && {
      modules: { ...modules, datasets: { ...modules.datasets, ...Object.fromEntries(ofUser) } },
    },
  };
}

async function resolved(name: string, datasets: Tables["datasets"]): Promise<Dataset> {
  try {
    return await resolveDataset(name, datasets);
  } catch (error) {
    throw error instanceof RangeError ? new UsageError(error.message) : error;
  }
}

/** The project's tables with all entries of `users`. Throws UsageError for two entries of one name. */
function withUsers(users: readonly UserEntries[]): Tables {
  if (users.length === 0) return TABLES;
  const methods: Record<string, Method> = { ...TABLES.methods };
  const datasets: Record<string, Dataset> = { ...TABLES.datasets };
  const modules = {
    methods: {} as Record<string, UserModule>,
    datasets: {} as Record<string, UserModule>,
  };
  for (const user of users) {
    for (const method of user.methods) {
      refuseTaken("method", method.name, { user, table: methods, own: modules.methods });
      methods[method.name] = method;
      modules.methods[method.name] = moduleOfMethod(user, method);
    }
    for (const dataset of user.datasets) {
      refuseTaken("data set", dataset.name, { user, table: datasets, own: modules.datasets });
      datasets[dataset.name] = dataset;
      modules.datasets[dataset.name] = moduleOfDataset(user, dataset);
    }
  }
  return { ...TABLES, methods, datasets, modules };
}

function refuseTaken(kind: string, name: string, { user, table, own }: {
  readonly user: UserEntries;
  readonly table: Readonly<Record<string, unknown>>;
  readonly own: Readonly<Record<string, UserModule>>;
}): void {
  if (!Object.hasOwn(table, name) || own[name]?.path === user.path) return;
  const other = own[name]?.path ?? "this version of laebench";
  throw new UsageError(`${user.path} has a ${kind} "${name}", as ${other} has: rename one of them`);
}

/** The methods that `words` name: of the project, or of the user's modules. Throws UsageError for others. */
export async function methodsNamed(words: string): Promise<readonly Method[]> {
  const { tables: { methods }, methods: names = "" } = await openTables({ methods: words });
  return parseNames(names, { kind: "method", known: Object.keys(methods) })
    .map((name) => methods[name]);
}

/** The tables with the entries that `specs` name. Throws Error for a module that has changed since. */
export async function tablesOf(specs: readonly RunSpec[]): Promise<Tables> {
  const modules = new Map(
    specs.flatMap(({ modules }) => Object.values(modules ?? {})).map((own) => [own.path, own]),
  );
  const users = await Promise.all([...modules.values()].map(loadModuleAgain));
  return await withMade(withUsers(users), specs.map(({ dataset }) => dataset));
}

/** The entries that `spec` names. */
export async function entriesOf(spec: RunSpec): Promise<{
  readonly method: Method;
  readonly dataset: Dataset;
  readonly metrics: readonly Score[];
}> {
  const { methods, datasets, metrics } = await tablesOf([spec]);
  return {
    method: lookUp(methods, "method", spec.method),
    dataset: lookUp(datasets, "data set", spec.dataset),
    metrics: spec.metrics.map((name) => lookUp(metrics, "metric", name)),
  };
}

/** The names in reports of the runs `specs`: those of the tables, then those of the user's modules. */
export function namesOf(specs: readonly RunSpec[]): Names {
  const methods = specs.flatMap(({ method, modules }) =>
    modules?.method ? [{ description: "", ...modules.method, name: method }] : []
  );
  const datasets = specs.flatMap(({ dataset, modules }) =>
    modules?.dataset ? [{ ...modules.dataset, name: dataset }] : []
  );
  return {
    methods: [...Object.values(TABLES.methods), ...methods],
    datasets: [...Object.values(TABLES.datasets), ...datasets],
    metrics: Object.values(TABLES.metrics),
  };
}

/** The side of a data set's images in pixels; that of the user's own pictures, and of those without padding, stands in the name. */
export function sideOf({ dataset, modules }: RunSpec): number {
  if (modules?.dataset?.image !== undefined) return modules.dataset.image.width;
  const name = baseName(dataset);
  const { base, size } = parseTableName(name);
  return (parseOwnImages(name) ?? { size }).size ?? TABLES.datasets[base]?.image.width ?? 32;
}

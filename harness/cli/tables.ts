/**
 * The tables of the project, with the data sets and methods that the user's words name besides.
 *
 * @module
 */
import { DATASETS, isMade, resolveDataset } from "../../datasets/mod.ts";
import { METHODS } from "../../methods/mod.ts";
import { UsageError } from "../core/arguments.ts";
import { baseName } from "../core/dataset_name.ts";
import type { RunSpec, UserModule } from "../core/records.ts";
import type { Dataset, Method, Score } from "../core/types.ts";
import { lookUp, type Tables } from "../experiment/spec.ts";
import { METRICS } from "../metrics/metrics.ts";
import type { Names } from "../../reports/document/result_table.ts";
import {
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
 * `folder:PATH`, and all entries of `modules`. Throws UsageError for a module that cannot be used.
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
  const made = await Promise.all(
    taken.datasets.filter(isMade).map(async (name) => [name, await resolved(name)] as const),
  );
  const tables = withUsers({
    ...TABLES,
    datasets: { ...TABLES.datasets, ...Object.fromEntries(made) },
  }, users);
  return {
    tables,
    ...methods !== undefined && { methods: taken.methods.join() },
    ...datasets !== undefined && { datasets: taken.datasets.join() },
    moduleFolders: [...new Set(users.flatMap(({ folders }) => folders))],
  };
}

function wordsOf(text = ""): string[] {
  return text.split(",").map((word) => word.trim());
}

/** `words` with the names of its entries in the place of each module, which is added to `users`. */
async function expand(
  words: readonly string[],
  kind: "methods" | "datasets",
  users: UserEntries[],
): Promise<string[]> {
  const names: string[] = [];
  for (const word of words) {
    if (!isModulePath(word)) {
      names.push(word);
      continue;
    }
    const user = await loadUserModule(word);
    if (user[kind].length === 0) {
      const what = kind === "methods" ? "method: for its data sets" : "data set: for its methods";
      const other = kind === "methods" ? "--datasets" : "--methods";
      throw new UsageError(`${word} exports no ${what}, use ${other} ${word}`);
    }
    users.push(user);
    names.push(...user[kind].map(({ name }) => name));
  }
  return names;
}

async function resolved(name: string): Promise<Dataset> {
  try {
    return await resolveDataset(name);
  } catch (error) {
    throw error instanceof RangeError ? new UsageError(error.message) : error;
  }
}

/** `tables` with all entries of `users`. Throws UsageError for two entries of one name. */
function withUsers(tables: Tables, users: readonly UserEntries[]): Tables {
  if (users.length === 0) return tables;
  const methods: Record<string, Method> = { ...tables.methods };
  const datasets: Record<string, Dataset> = { ...tables.datasets };
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
  return { ...tables, methods, datasets, modules };
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

/** The tables with the entries that `specs` name. Throws Error for a module that has changed since. */
export async function tablesOf(specs: readonly RunSpec[]): Promise<Tables> {
  const modules = new Map(
    specs.flatMap(({ modules }) => Object.values(modules ?? {})).map((own) => [own.path, own]),
  );
  const users = await Promise.all([...modules.values()].map(loadModuleAgain));
  const named = specs.filter(({ modules }) => modules?.dataset === undefined);
  const { tables } = await openTables({ datasets: named.map(({ dataset }) => dataset).join() });
  return withUsers(tables, users);
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

/** The side of a data set's images in pixels; that of the user's own pictures stands in the name. */
export function sideOf({ dataset, modules }: RunSpec): number {
  if (modules?.dataset?.image !== undefined) return modules.dataset.image.width;
  const name = baseName(dataset);
  return TABLES.datasets[name]?.image.width ?? Number(/@(\d+)$/.exec(name)?.[1] ?? 32);
}

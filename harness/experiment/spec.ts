import { createHash } from "node:crypto";
import type {
  Dataset,
  Hyperparams,
  ImageShape,
  Method,
  Model,
  Problem,
  Score,
} from "../core/types.ts";
import type { Experiment, RunSpec, UserModule } from "../core/records.ts";
import { isBound, isMetric, NO_BOUND } from "../metrics/likelihood_bounds.ts";
import { unknownName, UsageError } from "../core/arguments.ts";
import { dependsOnThreads } from "../core/threads.ts";

/** Tables of everything an experiment can name, in the order of rows and columns. */
export interface Tables {
  readonly methods: Readonly<Record<string, Method>>;
  readonly datasets: Readonly<Record<string, Dataset>>;
  readonly metrics: Readonly<Record<string, Score>>;
  /** The modules of those methods and data sets that are the user's, by name; absent if none is. */
  readonly modules?: {
    readonly methods: Readonly<Record<string, UserModule>>;
    readonly datasets: Readonly<Record<string, UserModule>>;
  };
}

/** The entry `name` of `table`. Throws UsageError that lists the known names if there is none. */
export function lookUp<T>(table: Readonly<Record<string, T>>, kind: string, name: string): T {
  if (!Object.hasOwn(table, name)) throw unknownName(kind, name, Object.keys(table));
  return table[name];
}

/** As `lookUp`, of entries that carry their name. Throws UsageError for one that calls itself otherwise. */
export function namedEntry<T extends { readonly name: string }>(
  table: Readonly<Record<string, T>>,
  kind: string,
  name: string,
): T {
  const entry = lookUp(table, kind, name);
  if (entry.name === name) return entry;
  throw new UsageError(
    `The ${kind} "${name}" calls itself "${entry.name}": its name must be its key in the table`,
  );
}

/** JSON with sorted keys and without spaces: equal values give equal text (as RFC 8785 for the values used here). */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${members.map(([k, v]) => `${JSON.stringify(k)}:${canonicalJson(v)}`).join(",")}}`;
  }
  if (value === undefined || (typeof value === "number" && !Number.isFinite(value))) {
    throw new TypeError(`Cannot write ${value} as JSON: only finite numbers and defined values`);
  }
  return JSON.stringify(value);
}

/**
 * The part of `spec` that its numbers depend on, as canonical JSON: runs with equal ones are the same run. Of the user's modules
 * it has the hashes alone, and no threads where they do not change the numbers.
 */
export function identityOf(spec: RunSpec): string {
  const { threads, modules, ...others } = spec;
  return canonicalJson({
    ...others,
    ...dependsOnThreads(spec.device) && { threads },
    ...modules && { modules: moduleHashes(spec) },
  });
}

/** The hashes of the user's modules that `spec` runs, by what they are for. */
export function moduleHashes({ modules = {} }: RunSpec): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(modules).map(([kind, { sha256 }]) => [kind, sha256]));
}

/** The first 12 hexadecimal digits of SHA-256 of `identityOf(spec)`: 48 bits, so collisions need millions of runs. */
export function runId(spec: RunSpec): string {
  return createHash("sha256").update(identityOf(spec)).digest("hex").slice(0, 12);
}

/** Facts about the data of `spec` that a method may build on. */
export function problemOf(spec: RunSpec, dataset: Dataset): Problem {
  return {
    image: dataset.image,
    trainCount: spec.trainCount ?? dataset.counts.train,
    batchSize: spec.batchSize,
    ...dataset.classCount !== undefined && { classCount: dataset.classCount },
  };
}

/** Builds the model of `spec`. Throws RangeError if its hyperparameters cannot work for its data. */
export function modelOf(spec: RunSpec, { methods, datasets }: Tables): Model {
  return methods[spec.method].build(problemOf(spec, datasets[spec.dataset]), spec.hyper);
}

/**
 * Applies the overrides of `experiment` to the defaults of `method`: `*`, then `*@dataset`, then the method's own, then
 * `method@dataset`.
 */
export function resolveHyper(
  experiment: Experiment,
  { method, dataset }: { readonly method: Method; readonly dataset: string },
): Hyperparams {
  const resolved: Record<string, number | string | boolean> = { ...method.defaults };
  const known = Object.keys(method.defaults);
  for (const scope of ["*", `*@${dataset}`]) {
    for (const [key, value] of Object.entries(experiment.hyper[scope] ?? {})) {
      if (known.includes(key)) resolved[key] = value;
    }
  }
  for (const scope of [method.name, `${method.name}@${dataset}`]) {
    for (const [key, value] of Object.entries(experiment.hyper[scope] ?? {})) {
      if (!known.includes(key)) {
        throw unknownName(`hyperparameter of ${method.name}`, key, known);
      }
      resolved[key] = value;
    }
  }
  for (const [key, value] of Object.entries(resolved)) {
    const like = method.defaults[key];
    if (typeof value !== typeof like) {
      throw new UsageError(
        `Hyperparameter ${method.name}.${key} must be a ${typeof like} (default ${like}), got ${value}`,
      );
    }
  }
  return resolved;
}

/**
 * Resolves the runs of `experiment`, each with everything its numbers depend on, in order of execution: all methods and data
 * sets at the first seed, then at the next, so that an incomplete sweep still gives a table. A score that cannot judge a data
 * set is left out of its runs, see `leftOutScores`. Throws UsageError for unknown names and for values that cannot work.
 */
export function resolveRuns(experiment: Experiment, tables: Tables): RunSpec[] {
  const metrics = experiment.metrics.map((name) => namedEntry(tables.metrics, "metric", name));
  const methods = experiment.methods.map((name) => namedEntry(tables.methods, "method", name));
  const forAll = Object.entries(experiment.hyper).filter(([scope]) => scope.startsWith("*"));
  for (const key of forAll.flatMap(([, overrides]) => Object.keys(overrides))) {
    const all = Object.values(tables.methods); // not only the selected ones: a preset serves every method
    if (!all.some((method) => Object.hasOwn(method.defaults, key))) {
      const known = new Set(all.flatMap((method) => Object.keys(method.defaults)));
      throw unknownName("hyperparameter", key, [...known]);
    }
  }
  return experiment.seeds.flatMap((seed) =>
    experiment.datasets.flatMap((name) => {
      const dataset = namedEntry(tables.datasets, "data set", name);
      return methods.map((method) =>
        resolveRun(experiment, {
          method,
          dataset,
          metricEntries: metrics,
          seed,
          modules: modulesOf({ method, dataset }, tables),
        })
      );
    })
  );
}

/** The user's modules behind `method` and `dataset`; undefined if there is none. */
function modulesOf(
  { method, dataset }: { readonly method: Method; readonly dataset: Dataset },
  { modules }: Tables,
): RunSpec["modules"] {
  const ofMethod = modules?.methods[method.name];
  const ofDataset = modules?.datasets[dataset.name];
  if (ofMethod === undefined && ofDataset === undefined) return undefined;
  return {
    ...ofMethod !== undefined && { method: ofMethod },
    ...ofDataset !== undefined && { dataset: ofDataset },
  };
}

function resolveRun(
  experiment: Experiment,
  { method, dataset, metricEntries, seed, modules }: {
    readonly method: Method;
    readonly dataset: Dataset;
    readonly metricEntries: readonly Score[];
    readonly seed: number;
    readonly modules: RunSpec["modules"];
  },
): RunSpec {
  const { epochs, batchSize, sampleCount, scoreUntrained, scoreEvery, device, threads } =
    experiment;
  const hyper = resolveHyper(experiment, { method, dataset: dataset.name });
  const whole = dataset.counts.train;
  const trainCount = experiment.trainCount ?? whole;
  const spec: RunSpec = {
    method: method.name,
    dataset: dataset.name,
    seed,
    epochs,
    batchSize,
    trainCount: trainCount >= whole ? null : trainCount, // one form of "all", hence one id
    sampleCount,
    metrics: [],
    scoreUntrained,
    ...scoreEvery !== undefined && { scoreEvery },
    hyper,
    device,
    threads,
    ...modules !== undefined && { modules },
  };
  const problem = problemOf(spec, dataset);
  if (problem.trainCount < batchSize) {
    throw new UsageError(
      `Batch size must be at most ${problem.trainCount}, the training images of ${dataset.name}, got ${batchSize}`,
    );
  }
  try {
    const model = method.build(problem, hyper);
    if (dataset.hidden === "train" && model.partial === undefined) {
      throw new RangeError(
        "it does not learn from images with hidden pixels: it has no likelihood of single pixels",
      );
    }
    const entries = metricEntries.filter((entry) => whyUnjudged(entry, dataset.image) === null);
    return { ...spec, metrics: scoresOf(model, { method: method.name, entries }) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UsageError(`${method.name} on ${dataset.name}: ${error.message}`);
  }
}

/** Why `score` cannot judge images of this shape; null if it can. */
function whyUnjudged(score: Score, image: ImageShape): string | null {
  try {
    if (isMetric(score)) score.check?.(image);
    return null;
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

/** Throws UsageError if a score of `metrics` cannot judge a data set of `datasets`: for scores that the user named. */
export function requireJudged(
  { metrics, datasets }: Pick<Experiment, "metrics" | "datasets">,
  tables: Tables,
): void {
  for (const dataset of datasets) {
    for (const metric of metrics) {
      const why = whyUnjudged(tables.metrics[metric], tables.datasets[dataset].image);
      if (why !== null) throw new UsageError(`${metric} on ${dataset}: ${why}`);
    }
  }
}

/** A line for each data set that scores of a preset cannot judge, with the scores that can. */
export function leftOutScores(
  { metrics, datasets }: Pick<Experiment, "metrics" | "datasets">,
  tables: Tables,
): string[] {
  return datasets.flatMap((dataset) => {
    const { image } = tables.datasets[dataset];
    const reasons = metrics.map((name) => [name, whyUnjudged(tables.metrics[name], image)] as const)
      .filter(([, why]) => why !== null);
    if (reasons.length === 0) return [];
    const others = Object.values(tables.metrics)
      .filter((score) => isMetric(score) && whyUnjudged(score, image) === null)
      .map(({ name }) => name);
    const hint = others.length === 0 ? "" : `; --metrics takes ${others.join(", ")}`;
    const names = reasons.map(([name]) => name).join(", ");
    return [`Continuing without ${names} on ${dataset}: ${reasons[0][1]}${hint}`];
  });
}

/** Reason why a model without the capability `conditional` has no score of classes. */
const NO_CLASSES = "it does not sample classes";

/** Names of the scores in `entries` that apply to `model`. Throws UsageError if none does. */
function scoresOf(
  { likelihood, conditional }: Model,
  { method, entries }: { readonly method: string; readonly entries: readonly Score[] },
): string[] {
  const whyNot = (entry: Score): string | null => {
    if (isBound(entry) && likelihood === undefined) return NO_BOUND;
    return entry.ofClasses && conditional === undefined ? NO_CLASSES : null;
  };
  const scored = entries.filter((entry) => whyNot(entry) === null);
  if (scored.length === 0 && entries.length > 0) {
    const asked = entries.map(({ name }) => name).join(", ");
    const reasons = new Set(entries.flatMap((entry) => whyNot(entry) ?? []));
    throw new UsageError(`${method} cannot be scored by ${asked}: ${[...reasons].join("; ")}`);
  }
  return scored.map(({ name }) => name);
}

import { createHash } from "node:crypto";
import type { Dataset, Hyperparams, Method, Model, Problem, Score } from "../core/types.ts";
import type { Experiment, RunSpec } from "../core/records.ts";
import { isBound, isMetric, NO_BOUND } from "../metrics/likelihood_bounds.ts";
import { unknownName, UsageError } from "../core/arguments.ts";

/** Tables of everything an experiment can name, in the order of rows and columns. */
export interface Tables {
  readonly methods: Readonly<Record<string, Method>>;
  readonly datasets: Readonly<Record<string, Dataset>>;
  readonly metrics: Readonly<Record<string, Score>>;
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

/** The first 12 hexadecimal digits of SHA-256 of the canonical JSON of `spec`: 48 bits, so collisions need millions of runs. */
export function runId(spec: RunSpec): string {
  return createHash("sha256").update(canonicalJson(spec)).digest("hex").slice(0, 12);
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

/** Applies the overrides of `experiment` to the defaults of `method`: `*`, then `*@dataset`, then the method's own. */
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
  for (const [key, value] of Object.entries(experiment.hyper[method.name] ?? {})) {
    if (!known.includes(key)) {
      throw unknownName(`hyperparameter of ${method.name}`, key, known);
    }
    resolved[key] = value;
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
 * sets at the first seed, then at the next, so that an incomplete sweep still gives a table. Throws UsageError for unknown
 * names and for values that cannot work.
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
        resolveRun(experiment, { method, dataset, metricEntries: metrics, seed })
      );
    })
  );
}

function resolveRun(
  experiment: Experiment,
  { method, dataset, metricEntries, seed }: {
    readonly method: Method;
    readonly dataset: Dataset;
    readonly metricEntries: readonly Score[];
    readonly seed: number;
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
  };
  const problem = problemOf(spec, dataset);
  if (problem.trainCount < batchSize) {
    throw new UsageError(
      `Batch size must be at most ${problem.trainCount}, the training images of ${dataset.name}, got ${batchSize}`,
    );
  }
  try {
    const model = method.build(problem, hyper);
    for (const metric of metricEntries.filter(isMetric)) metric.check?.(dataset.image);
    return { ...spec, metrics: scoresOf(model, { method: method.name, entries: metricEntries }) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UsageError(`${method.name} on ${dataset.name}: ${error.message}`);
  }
}

/** Names of the scores in `entries` that apply to `model`. Throws UsageError if none does. */
function scoresOf(
  { likelihood }: Model,
  { method, entries }: { readonly method: string; readonly entries: readonly Score[] },
): string[] {
  const names = entries.filter((entry) => likelihood !== undefined || !isBound(entry))
    .map(({ name }) => name);
  if (names.length === 0 && entries.length > 0) {
    const asked = entries.map(({ name }) => name).join(", ");
    throw new UsageError(`${method} cannot be scored by ${asked}: ${NO_BOUND}`);
  }
  return names;
}

import type { Preset } from "./presets.ts";
import { lookUp, type Tables } from "./spec.ts";
import type { Experiment, Hyperparams } from "../core/types.ts";
import {
  parseCount,
  parseNames,
  parseSeeds,
  parseSetting,
  parseValue,
  unknownName,
  UsageError,
} from "../core/arguments.ts";

/** The words of `bench` that decide about the experiment, as typed. */
export interface ExperimentWords {
  readonly preset: string;
  readonly methods?: string;
  readonly datasets?: string;
  readonly metrics?: string;
  readonly seeds?: string;
  readonly epochs?: string;
  readonly batchSize?: string;
  readonly images?: string;
  readonly samples?: string;
  readonly set?: readonly string[];
  readonly device?: string;
  readonly threads?: string;
  readonly jobs?: string;
}

/** What the words may name. */
export interface Vocabulary {
  readonly tables: Tables;
  readonly presets: Readonly<Record<string, Preset>>;
  readonly devices: readonly string[];
  readonly cores: number;
}

/** The preset under the other words. Throws UsageError for what is unknown or of the wrong type. */
export function readExperiment(
  words: ExperimentWords,
  { tables, presets, devices, cores }: Vocabulary,
): { readonly experiment: Experiment; readonly jobs: number } {
  const { about: _about, ...preset } = lookUp(presets, "preset", words.preset);
  const methodNames = Object.keys(tables.methods);
  const datasetNames = Object.keys(tables.datasets);
  const count = <Otherwise>(text: string | undefined, what: string, otherwise: Otherwise) =>
    text === undefined ? otherwise : parseCount(text, what);
  const jobs = count(words.jobs, "--jobs", 1);
  const device = words.device ?? preset.device;
  if (!devices.some((form) => fitsForm(device, form))) {
    throw unknownName("device", device, devices);
  }
  const sampleCount = count(words.samples, "--samples", preset.sampleCount);
  if (sampleCount < 2) {
    throw new UsageError(`--samples "${sampleCount}" is too few: a score compares covariances`);
  }
  const experiment: Experiment = {
    ...preset,
    name: words.preset,
    methods: words.methods === undefined
      ? preset.methods ?? methodNames
      : parseNames(words.methods, { kind: "method", known: methodNames }),
    datasets: words.datasets === undefined
      ? preset.datasets
      : parseNames(words.datasets, { kind: "data set", known: datasetNames }),
    metrics: words.metrics === undefined
      ? preset.metrics
      : parseNames(words.metrics, { kind: "metric", known: Object.keys(tables.metrics) }),
    seeds: words.seeds === undefined ? preset.seeds : parseSeeds(words.seeds),
    epochs: count(words.epochs, "--epochs", preset.epochs),
    batchSize: count(words.batchSize, "--batch-size", preset.batchSize),
    trainCount: count(words.images, "--images", preset.trainCount),
    sampleCount,
    device,
    threads: count(words.threads, "--threads", Math.max(1, Math.floor(cores / jobs))),
  };
  checkComplete(experiment, tables);
  return {
    experiment: { ...experiment, hyper: readSettings(words.set ?? [], experiment, tables) },
    jobs,
  };
}

/** Whether `word` is `form`, where `NAME:PATH` stands for any path. */
function fitsForm(word: string, form: string): boolean {
  const prefix = /^(\w+:)[A-Z]+$/.exec(form)?.[1];
  return word === form || (prefix !== undefined && word.startsWith(prefix) && word !== prefix);
}

/** A preset may be ahead of the tables: says so, rather than that its words are unknown. */
function checkComplete({ name, datasets, metrics }: Experiment, tables: Tables): void {
  const absent = [
    ...datasets.filter((dataset) => !Object.hasOwn(tables.datasets, dataset))
      .map((dataset) => `data set ${dataset}`),
    ...metrics.filter((metric) => !Object.hasOwn(tables.metrics, metric))
      .map((metric) => `metric ${metric}`),
  ];
  if (absent.length > 0) {
    throw new UsageError(
      `Preset "${name}" needs what this version does not have yet: ${absent.join(", ")}; ` +
        `known data sets are ${Object.keys(tables.datasets).join(", ")}`,
    );
  }
}

/** The overrides of `experiment` with each `--set` laid over them. */
function readSettings(
  set: readonly string[],
  experiment: Experiment,
  { methods }: Tables,
): Experiment["hyper"] {
  const hyper: Record<string, Hyperparams> = { ...experiment.hyper };
  for (const text of set) {
    const { method, key, value } = parseSetting(text);
    if (method !== "*") {
      lookUp(methods, "method", method);
      if (!experiment.methods.includes(method)) {
        throw new UsageError(
          `Setting "${text}" has no effect: the methods chosen are ${
            experiment.methods.join(", ")
          }`,
        );
      }
    }
    const owners = (method === "*" ? experiment.methods : [method])
      .map((name) => methods[name])
      .filter(({ defaults }) => Object.hasOwn(defaults, key));
    if (owners.length === 0) {
      const names = method === "*" ? experiment.methods : [method];
      const known = [...new Set(names.flatMap((name) => Object.keys(methods[name].defaults)))];
      throw unknownName(`hyperparameter of ${method}`, key, known);
    }
    for (const { name, defaults } of owners) {
      const parsed = parseValue(value, { name: `${name}.${key}`, like: defaults[key] });
      hyper[name] = { ...hyper[name], [key]: parsed };
    }
  }
  return hyper;
}

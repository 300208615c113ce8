import type { Preset } from "./presets.ts";
import { lookUp, requireJudged, type Tables } from "./spec.ts";
import type { Hyperparams } from "../core/types.ts";
import type { Experiment } from "../core/records.ts";
import {
  parseCount,
  parseNames,
  parseSeeds,
  parseSetting,
  parseValue,
  unknownName,
  UsageError,
} from "../core/arguments.ts";

/** Command-line arguments of `bench` that define the experiment, as text. */
export interface ExperimentArguments {
  readonly preset: string;
  readonly methods?: string;
  readonly datasets?: string;
  readonly metrics?: string;
  readonly seeds?: string;
  readonly epochs?: string;
  readonly batchSize?: string;
  readonly images?: string;
  readonly samples?: string;
  readonly scoreEvery?: string;
  readonly set?: readonly string[];
  readonly device?: string;
  readonly threads?: string;
  readonly jobs?: string;
}

/** Names that the arguments may use, and the cores to divide among parallel runs. */
export interface KnownNames {
  readonly tables: Tables;
  readonly presets: Readonly<Record<string, Preset>>;
  readonly devices: readonly string[];
  readonly cores: number;
}

/** Overrides the preset by the other arguments. Throws UsageError for unknown names and wrong values. */
export function readExperiment(
  args: ExperimentArguments,
  { tables, presets, devices, cores }: KnownNames,
): { readonly experiment: Experiment; readonly jobs: number } {
  const { about: _about, ...preset } = lookUp(presets, "preset", args.preset);
  const methodNames = Object.keys(tables.methods);
  const datasetNames = Object.keys(tables.datasets);
  const count = <Otherwise>(text: string | undefined, name: string, otherwise: Otherwise) =>
    text === undefined ? otherwise : parseCount(text, name);
  const jobs = count(args.jobs, "--jobs", 1);
  const device = args.device ?? preset.device;
  checkGpuNumber(device);
  if (!devices.some((form) => fitsForm(device, form))) {
    throw unknownName("device", device, devices);
  }
  const sampleCount = count(args.samples, "--samples", preset.sampleCount);
  if (sampleCount < 2) {
    throw new UsageError(
      `--samples must be >= 2, got ${sampleCount}: a score compares covariances`,
    );
  }
  const experiment: Experiment = {
    ...preset,
    name: args.preset,
    methods: args.methods === undefined
      ? preset.methods ?? methodNames
      : parseNames(args.methods, { kind: "method", known: methodNames }),
    datasets: args.datasets === undefined
      ? preset.datasets
      : parseNames(args.datasets, { kind: "data set", known: datasetNames }),
    metrics: args.metrics === undefined
      ? preset.metrics
      : parseNames(args.metrics, { kind: "metric", known: Object.keys(tables.metrics) }),
    seeds: args.seeds === undefined ? preset.seeds : parseSeeds(args.seeds),
    epochs: count(args.epochs, "--epochs", preset.epochs),
    batchSize: count(args.batchSize, "--batch-size", preset.batchSize),
    trainCount: count(args.images, "--images", preset.trainCount),
    sampleCount,
    ...args.scoreEvery !== undefined && {
      scoreEvery: parseCount(args.scoreEvery, "--score-every"),
    },
    device,
    threads: count(
      args.threads,
      "--threads",
      preset.threads ?? Math.max(1, Math.floor(cores / jobs)),
    ),
  };
  checkComplete(experiment, tables);
  refuseWrong(experiment, tables);
  if (args.metrics !== undefined) requireJudged(experiment, tables);
  const modules = modulesOf(experiment, tables);
  return {
    experiment: {
      ...experiment,
      hyper: readSettings(args.set ?? [], experiment, tables),
      ...modules.length > 0 && { modules },
    },
    jobs,
  };
}

/** Paths of the user's modules that define methods and data sets of the experiment. */
function modulesOf({ methods, datasets }: Experiment, { modules }: Tables): string[] {
  const used = [
    ...methods.map((name) => modules?.methods[name]),
    ...datasets.map((name) => modules?.datasets[name]),
  ];
  return [...new Set(used.flatMap((module) => module === undefined ? [] : [module.path]))];
}

/** Throws UsageError for a device such as `cuda:0`, which is no name here. */
export function checkGpuNumber(device: string): void {
  const number = /^(?:cuda|gpu):?(\d+)$/i.exec(device)?.[1];
  if (number === undefined) return;
  throw new UsageError(
    `Device "${device}" names a GPU by its number: the environment picks it, CUDA_VISIBLE_DEVICES=${number} with --device cuda`,
  );
}

/** Whether `text` is `form`, where PATH in `NAME:PATH` stands for any path. */
function fitsForm(text: string, form: string): boolean {
  const prefix = /^(\w+:)[A-Z]+$/.exec(form)?.[1];
  return text === form || (prefix !== undefined && text.startsWith(prefix) && text !== prefix);
}

/** Throws UsageError if the preset names data sets or metrics that the tables lack. */
function checkComplete({ name, datasets, metrics }: Experiment, tables: Tables): void {
  const absent = [
    ...datasets.filter((dataset) => !Object.hasOwn(tables.datasets, dataset))
      .map((dataset) => `data set ${dataset}`),
    ...metrics.filter((metric) => !Object.hasOwn(tables.metrics, metric))
      .map((metric) => `metric ${metric}`),
  ];
  if (absent.length > 0) {
    throw new UsageError(
      `Preset "${name}" needs entries that this version lacks: ${absent.join(", ")}; ` +
        `known data sets are ${Object.keys(tables.datasets).join(", ")}`,
    );
  }
}

/** Throws UsageError if a method of the experiment is known to be wrong on its device. */
function refuseWrong({ methods, device }: Experiment, tables: Tables): void {
  for (const name of methods) {
    const fault = tables.methods[name]?.wrongOn?.[device];
    if (fault !== undefined) {
      throw new UsageError(
        `${name} is wrong on ${device}: ${fault}; leave it out of --methods, or use another --device`,
      );
    }
  }
}

/**
 * Adds each `--set` to the hyperparameter overrides of `experiment`; one of a method wins over one of `*`, whatever their order,
 * and over those of the method on a data set.
 * Throws UsageError if a hyperparameter is set twice.
 */
function readSettings(
  set: readonly string[],
  experiment: Experiment,
  { methods }: Tables,
): Experiment["hyper"] {
  const hyper: Record<string, Hyperparams> = { ...experiment.hyper };
  const settings = set.map((text) => ({ text, ...parseSetting(text) }));
  for (const [i, { method, key, text }] of settings.entries()) {
    const before = settings.slice(0, i).find((other) =>
      other.method === method && other.key === key
    );
    if (before) {
      throw new UsageError(
        `--set has ${method}.${key} twice, ${before.text} and ${text}: write one`,
      );
    }
  }
  settings.sort((a, b) => Number(a.method !== "*") - Number(b.method !== "*"));
  for (const { text, method, key, value } of settings) {
    if (method !== "*") {
      lookUp(methods, "method", method);
      if (!experiment.methods.includes(method)) {
        throw new UsageError(
          `Setting "${text}" has no effect: the selected methods are ${
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
      for (const scope of Object.keys(hyper).filter((scope) => scope.startsWith(`${name}@`))) {
        const { [key]: _overridden, ...others } = hyper[scope];
        hyper[scope] = others;
      }
    }
  }
  return hyper;
}

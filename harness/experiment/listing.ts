import type { Preset } from "./presets.ts";
import type { Tables } from "./spec.ts";
import type { RunSpec } from "../core/records.ts";
import { unknownName } from "../core/arguments.ts";
import type { ImageShape } from "../core/types.ts";

/** Names that the command line takes besides those of the tables. */
export interface OtherNames {
  readonly presets: Readonly<Record<string, Preset>>;
  readonly devices: Readonly<Record<string, string>>;
  /** Forms of data sets of the user's own images: `folder:PATH`. */
  readonly datasetForms: readonly string[];
}

/** An entry of the list: a method, a data set, a metric, a preset or a device. */
interface Entry {
  readonly name: string;
  /** Its text; all lines but the first are details. */
  readonly lines: readonly string[];
  /** Its facts, for JSON. */
  readonly facts: object;
}

/** The sections of the list, each with its key in JSON. */
function sectionsOf(
  { methods, datasets, metrics }: Tables,
  { presets, devices, datasetForms }: OtherNames,
): { readonly key: string; readonly title: string; readonly entries: readonly Entry[] }[] {
  return [
    { key: "methods", title: "Methods", entries: Object.values(methods).map(methodEntry) },
    {
      key: "datasets",
      title: "Data sets",
      entries: [
        ...Object.values(datasets).map(datasetEntry),
        ...datasetForms.map((form) => ({
          name: form,
          lines: [`${form}: your own images`],
          facts: { label: "your own images" },
        })),
      ],
    },
    {
      key: "metrics",
      title: "Metrics",
      entries: Object.values(metrics).map(({ name, label, better }) => ({
        name,
        lines: [`${name}: ${label}, ${better} is better`],
        facts: { label, better },
      })),
    },
    {
      key: "presets",
      title: "Presets",
      entries: Object.entries(presets).map(([name, preset]) => presetEntry(name, preset)),
    },
    {
      key: "devices",
      title: "Devices",
      entries: Object.entries(devices).map(([name, about]) => ({
        name,
        lines: [`${name}: ${about}`],
        facts: { about },
      })),
    },
  ];
}

function methodEntry(method: Tables["methods"][string]): Entry {
  const { name, label, description, source, defaults } = method;
  const deviations = method.deviations.map((text) => text.replace(/^Deviation:\s*/, ""));
  return {
    name,
    lines: [
      `${name}: ${label}, ${description}`,
      `source: ${source}`,
      ...Object.entries(defaults).map(([key, value]) => `${name}.${key} = ${value}`),
      ...deviations.map((text) => `Deviation: ${text}`),
    ],
    facts: { label, description, source, defaults, deviations },
  };
}

function datasetEntry(
  { name, label, image, unpadded, counts, source }: Tables["datasets"][string],
): Entry {
  const show = ({ height, width, channels }: ImageShape) => `${height}x${width}x${channels}`;
  return {
    name,
    lines: [
      `${name}: ${label}, ${show(image)}, ${counts.train} training and ${counts.test} test images`,
      ...unpadded ? [`${name}@${unpadded.height}: without padding, ${show(unpadded)}`] : [],
      `source: ${source}`,
    ],
    facts: { label, image, ...unpadded && { unpadded }, counts, source },
  };
}

function presetEntry(name: string, preset: Preset): Entry {
  const { about, methods, datasets, seeds, epochs, trainCount, batchSize, sampleCount } = preset;
  const scores = preset.metrics.join(", ") || "no score";
  return {
    name,
    lines: [
      `${name}: ${about}`,
      `${methods ? `${methods.join(", ")} on ` : ""}${datasets.join(", ")}; ` +
      `seeds ${seeds.join(", ")}; ${epochs} epochs of ${
        trainCount ?? "all"
      } images in batches of ` +
      `${batchSize}; ${sampleCount} samples for ${scores}`,
      ...Object.entries(preset.hyper).flatMap(([method, overrides]) =>
        Object.entries(overrides).map(([key, value]) => `${method}.${key} = ${value}`)
      ),
    ],
    facts: preset,
  };
}

/** The names in `tables` and `others`, by the option of `bench` that takes them. */
export function entryNames(
  { methods, datasets, metrics }: Tables,
  { presets, devices }: OtherNames,
): Readonly<Record<string, readonly string[]>> {
  return {
    preset: Object.keys(presets),
    methods: Object.keys(methods),
    datasets: Object.keys(datasets),
    metrics: Object.keys(metrics),
    device: Object.keys(devices),
  };
}

/** The sections, or only the entries called `only`. Throws UsageError if there are none. */
function selected(tables: Tables, others: OtherNames, only: string | undefined) {
  const sections = sectionsOf(tables, others).filter(({ entries }) => entries.length > 0);
  if (only === undefined) return sections;
  const found = sections.map((section) => ({
    ...section,
    entries: section.entries.filter(({ name }) => name === only),
  })).filter(({ entries }) => entries.length > 0);
  if (found.length > 0) return found;
  const known = sections.flatMap(({ entries }) => entries.map(({ name }) => name));
  throw unknownName("entry", only, [...new Set(known)]);
}

/**
 * Lists everything that the command line can name, or only the entry `only`: methods with hyperparameters and deviations, data
 * sets, metrics, presets, devices. Throws UsageError for an unknown entry.
 */
export function listTables(tables: Tables, others: OtherNames, only?: string): string {
  return selected(tables, others, only).map(({ title, entries }) => {
    const lines = entries.flatMap(({ lines: [first, ...details] }) => [
      `  ${first}`,
      ...details.map((line) => `    ${line}`),
    ]);
    return `${title}\n${lines.join("\n")}\n`;
  }).join("\n");
}

/** As `listTables`, in JSON: an object by kind, of facts by name. */
export function listJson(tables: Tables, others: OtherNames, only?: string): string {
  const kinds = selected(tables, others, only).map(({ key, entries }) =>
    [key, Object.fromEntries(entries.map(({ name, facts }) => [name, facts]))] as const
  );
  return `${JSON.stringify(Object.fromEntries(kinds), null, 2)}\n`;
}

/** Lists the hyperparameters of `specs`: one line per method, or per group of its data sets if they differ. */
export function listHyper(specs: readonly RunSpec[]): string[] {
  return [...Map.groupBy(specs, ({ method }) => method)].flatMap(([method, own]) => {
    const variants = Map.groupBy(
      own,
      ({ hyper }) => Object.entries(hyper).map(([key, value]) => `${key}=${value}`).join(" "),
    );
    return [...variants].map(([hyper, alike]) => {
      const datasets = [...new Set(alike.map(({ dataset }) => dataset))].join(", ");
      return `${method}${variants.size === 1 ? "" : ` on ${datasets}`}: ${hyper}`;
    });
  });
}

import { dirname, isAbsolute, join } from "node:path";
import * as z from "zod";
import { UsageError } from "../core/arguments.ts";
import type { Experiment } from "../core/records.ts";
import type { Preset } from "./presets.ts";
import { firstIssue } from "./record_schema.ts";

const NAMES = z.array(z.string()).min(1);

/** Checks an `Experiment` as `bench` writes it; the list of its runs follows from the rest. */
const EXPERIMENT = z.strictObject({
  name: z.string().regex(/^[\w.-]+$/, "must be letters, digits, dots, dashes"),
  methods: NAMES,
  datasets: NAMES,
  seeds: z.array(z.int().min(0)).min(1),
  epochs: z.int().min(1),
  batchSize: z.int().min(1),
  trainCount: z.int().min(1).nullable(),
  sampleCount: z.int().min(2),
  metrics: z.array(z.string()),
  scoreUntrained: z.boolean(),
  scoreEvery: z.int().min(1).optional(),
  hyper: z.record(
    z.string(),
    z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
  ),
  device: z.string(),
  threads: z.int().min(1),
  modules: z.array(z.string()).optional(),
  runs: z.unknown().optional(),
});

// Compile-time check that the schema and the type are equal.
type Mutable<T> = T extends string | number | boolean | null ? T
  : { -readonly [K in keyof T]: Mutable<T[K]> };
({}) as Omit<z.infer<typeof EXPERIMENT>, "runs"> satisfies Mutable<Experiment>;

/** An experiment from a file, in the place of a preset. */
export interface ConfiguredExperiment {
  readonly name: string;
  readonly preset: Preset;
  /** Absolute paths of the user's modules that it needs. */
  readonly modules: readonly string[];
}

/**
 * Parses the text of an `experiment.json` in the file `path`, as `bench` writes it. Paths of modules are relative to the file.
 * Throws UsageError that names the file and the first thing wrong with it.
 */
export function parseExperiment(text: string, path: string): ConfiguredExperiment {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${path} is not JSON: ${(error as Error).message}`);
  }
  const result = EXPERIMENT.safeParse(value);
  if (!result.success) {
    throw new UsageError(
      `${path} is not an experiment as bench writes it (experiment.json): ${
        firstIssue(result.error)
      }`,
    );
  }
  const { name, modules = [], runs: _runs, ...settings } = result.data;
  const absolute = modules.map((module) =>
    isAbsolute(module) ? module : join(dirname(path), module)
  );
  return { name, preset: { ...settings, about: `from ${path}` }, modules: absolute };
}

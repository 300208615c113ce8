/**
 * The conditions under which a run's numbers were made, and how two runs differ in them: the one notion of "alike in
 * all but X" behind averages over seeds, ratios of times and comparisons with published numbers.
 *
 * @module
 */
import type { Machine, RunRecord, RunSpec } from "../harness/core/records.ts";
import { dependsOnThreads } from "../harness/core/threads.ts";

/** A run that the run list of an experiment names and that has no record. */
export interface MissingRun {
  readonly status: "missing";
  readonly id: string;
  readonly spec: RunSpec;
  readonly provenance: null;
}

/** A run as a report sees it. */
export type Run = RunRecord | MissingRun;

/** Values by name, as text. A name is absent where its value is unknown or does not apply. */
export type Conditions = Readonly<Record<string, string>>;

/** A condition in which two runs differ. */
export interface Difference {
  readonly name: string;
  readonly here: string;
  readonly there: string;
}

/** Stands for a condition of a completed run that its record does not have: it equals no recorded one. */
export const UNRECORDED = "not recorded";

/** The text of a setting, as reports show it. */
export function formatSetting(value: unknown): string {
  if (value === null) return "all";
  return Array.isArray(value) ? value.join(", ") : String(value);
}

/** Everything that training depends on: settings, hyperparameters, and the pixels of the data set. */
export function trainingConditions({ spec, provenance, status }: Run): Conditions {
  const {
    hyper,
    modules,
    sampleCount: _1,
    metrics: _2,
    scoreUntrained: _3,
    threads,
    ...settings
  } = spec;
  const isKnown = provenance !== null || status === "completed";
  return {
    ...textOf({ ...settings, ...dependsOnThreads(spec.device) && { threads }, ...hyper }),
    ...modules?.method && { "source SHA-256": modules.method.sha256 },
    ...modules?.dataset && { "data source SHA-256": modules.dataset.sha256 },
    ...isKnown && { "data SHA-256": provenance?.datasetSha256 ?? UNRECORDED },
  };
}

/**
 * Everything that scores and diagnostics depend on beyond training. The weights and settings of a score are known for
 * the runs that have it.
 */
export function scoringConditions(run: Run): Conditions {
  const { sampleCount, metrics, scoreUntrained } = run.spec;
  const asked = textOf({ sampleCount, metrics, scoreUntrained });
  if (run.status !== "completed") return asked;
  const { provenance, bounds, diagnostics, alternatives = {} } = run;
  const ofScores = Object.keys(run.scores).flatMap((metric) => {
    const basis = bounds?.[metric];
    const weights = provenance === null ? UNRECORDED : provenance.metricSha256[metric] ?? "none";
    const settings = provenance === null
      ? UNRECORDED
      : describeSettings(provenance.metricSettings?.[metric]);
    return Object.entries({
      [`${metric} weights`]: weights,
      [`${metric} settings`]: settings,
      ...basis && { [`${metric} draws`]: `${basis.draws} for each of ${basis.images} images` },
    });
  });
  return {
    ...asked,
    ...Object.fromEntries(ofScores),
    // Records from before a method had alternatives may have been sampled in one of them.
    "alternative samples": Object.keys(alternatives).join(", ") || "none",
    ...diagnostics && { "moves of the diagnosed chains": `${diagnostics.moves}` },
  };
}

/** Everything that seconds depend on beyond training: the machine, and the runs that shared it. */
export function timingConditions({ device, cpu, cores, jobs, os }: Machine): Conditions {
  return textOf({ runtime: device, cpu, cores, jobs, os });
}

/** The differences between two runs in the conditions that both have, other than those named in `but`. */
export function differences(
  here: Conditions,
  there: Conditions,
  { but = [] }: { readonly but?: readonly string[] } = {},
): Difference[] {
  return Object.keys(here)
    .filter((name) => name in there && !but.includes(name) && here[name] !== there[name])
    .map((name) => ({ name, here: here[name], there: there[name] }));
}

/** Settings of a score in one line: `mode tf, quantize bytes`. */
export function describeSettings(settings: Readonly<Record<string, string>> = {}): string {
  return Object.entries(settings).map(([key, value]) => `${key} ${value}`).join(", ") || "none";
}

/** A condition as tables show it: of a hash, the first eight digits. */
export function showCondition(value: string): string {
  return /^[0-9a-f]{40,}$/.test(value) ? value.slice(0, 8) : value;
}

function textOf(values: Readonly<Record<string, unknown>>): Conditions {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, formatSetting(value)]),
  );
}

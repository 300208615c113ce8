/**
 * The settings and the provenance of all runs, each fact with its distinct values.
 *
 * @module
 */
import type { Provenance, RunRecord, RunSpec, UserModule } from "../harness/core/records.ts";
import { describeSettings, formatSetting } from "./conditions.ts";
import { describeMachine, machinesOf } from "./document/timed_parts.ts";

/** Every setting with its distinct values. */
export function collectSettings(records: readonly RunRecord[]): Record<string, string[]> {
  return collectValues(records.map(({ spec }) => {
    const { method: _method, dataset: _dataset, seed, hyper: _hyper, modules: _modules, ...rest } =
      spec;
    return { seeds: seed, ...rest };
  }));
}

/** Every hyperparameter of each of `methods`, in their order, with its distinct values. */
export function collectHyper(
  records: readonly RunRecord[],
  methods: readonly string[],
): Record<string, Record<string, string[]>> {
  return Object.fromEntries(methods.map((method) => {
    const own = records.filter(({ spec }) => spec.method === method);
    return [method, collectValues(own.map(({ spec }) => spec.hyper))];
  }));
}

function collectValues(
  facts: readonly Readonly<Record<string, unknown>>[],
): Record<string, string[]> {
  const values: Record<string, Set<string>> = {};
  for (const fact of facts) {
    for (const [key, value] of Object.entries(fact)) {
      (values[key] ??= new Set()).add(formatSetting(value));
    }
  }
  return Object.fromEntries(Object.entries(values).map(([key, set]) => [key, [...set]]));
}

/** Every fact of provenance with its distinct values. */
export function collectProvenance(records: readonly RunRecord[]): Record<string, string[]> {
  return collectValues(records.flatMap((record) => {
    const { spec, provenance } = record;
    if (provenance === null) return [];
    return machinesOf(record).map((machine) => factsOf(spec, { ...provenance, ...machine }));
  }));
}

/** The user's modules behind a run. */
function modulesOf({ method, dataset, modules = {} }: RunSpec): Record<string, string> {
  const show = ({ path, sha256 }: UserModule) => `${path}, SHA-256 ${sha256}`;
  return {
    ...modules.method && { [`module of ${method}`]: show(modules.method) },
    ...modules.dataset && { [`module of ${dataset}`]: show(modules.dataset) },
  };
}

function factsOf(spec: RunSpec, provenance: Provenance): Record<string, string> {
  const { code, commit, dirty, versions, lockSha256, datasetSha256, metricSha256 } = provenance;
  const settings = Object.entries(provenance.metricSettings ?? {}).map(([metric, settings]) => [
    `settings of ${metric}`,
    describeSettings(settings),
  ]);
  const bySha256 = Map.groupBy(Object.entries(metricSha256), ([, sha256]) => sha256);
  const weights = [...bySha256].map(([sha256, scores]) => [
    `weights of ${scores.map(([metric]) => metric).join(", ")}, SHA-256`,
    sha256,
  ]);
  return {
    commit: `${commit ?? "unknown"}${dirty === true ? " with uncommitted changes" : ""}`,
    ...code && { [`code of ${spec.method} on ${spec.dataset}, SHA-256`]: code.sha256 },
    ...modulesOf(spec),
    machine: describeMachine(provenance),
    versions: Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(", "),
    "deno.lock, SHA-256": lockSha256,
    [`pixels of ${spec.dataset}, SHA-256`]: datasetSha256,
    ...Object.fromEntries([...weights, ...settings]),
  };
}

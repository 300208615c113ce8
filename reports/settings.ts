import type { Provenance, RunRecord, RunSpec } from "../harness/core/types.ts";

/** Settings of a run that make another row: all but what a row or a cell already names. */
function settingsOf(spec: RunSpec): Record<string, string> {
  const { method: _method, dataset: _dataset, seed: _seed, hyper, ...rest } = spec;
  const settings = { ...rest, ...hyper };
  return Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [key, formatSetting(value)]),
  );
}

function formatSetting(value: unknown): string {
  if (value === null) return "all";
  return Array.isArray(value) ? value.join(", ") : String(value);
}

/**
 * Records of one method in groups that each hold one set of settings a data set: numbers of different
 * settings are never averaged. The first group that has no other settings for the data set takes a record.
 */
export function separateVariants(records: readonly RunRecord[]): RunRecord[][] {
  const groups: { readonly records: RunRecord[]; readonly settings: Map<string, string> }[] = [];
  for (const record of records) {
    const { dataset } = record.spec;
    const settings = JSON.stringify(settingsOf(record.spec));
    const fits = groups.find((group) => (group.settings.get(dataset) ?? settings) === settings);
    const group = fits ?? { records: [] as RunRecord[], settings: new Map<string, string>() };
    if (fits === undefined) groups.push(group);
    group.records.push(record);
    group.settings.set(dataset, settings);
  }
  return groups.map((group) => group.records);
}

/** What `spec` has other than `from`: `epochs = 5`. */
export function describeDifference(spec: RunSpec, from: RunSpec): string {
  const base = settingsOf(from);
  return Object.entries(settingsOf(spec))
    .filter(([key, value]) => base[key] !== value)
    .map(([key, value]) => `${key} = ${value}`)
    .join(", ");
}

/** The machine of a run: times compare only where this is equal. */
export function describeMachine(spec: RunSpec, provenance: Provenance | null): string {
  if (provenance === null) return `unknown, ${spec.device}`;
  const { cpu, cores, jobs, device } = provenance;
  const runs = jobs === 1 ? "1 run at a time" : `${jobs} runs at a time`;
  return `${device}, ${cpu}, ${cores} cores, ${runs}`;
}

/** Every setting with its distinct values. */
export function collectSettings(records: readonly RunRecord[]): Record<string, string[]> {
  return collectValues(records.map(({ spec }) => {
    const { method: _method, dataset: _dataset, seed, hyper: _hyper, ...rest } = spec;
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
  return collectValues(
    records.flatMap(({ spec, provenance }) =>
      provenance === null ? [] : [factsOf(spec, provenance)]
    ),
  );
}

function factsOf(spec: RunSpec, provenance: Provenance): Record<string, string> {
  const { commit, dirty, versions, lockSha256, datasetSha256, metricSha256, os } = provenance;
  const modes = Object.entries(provenance.metricSettings ?? {}).map(([metric, settings]) => [
    `settings of ${metric}`,
    Object.entries(settings).map(([key, value]) => `${key} ${value}`).join(", "),
  ]);
  const weights = Object.entries(metricSha256).map(([metric, sha256]) => [
    `weights of ${metric}, SHA-256`,
    sha256,
  ]);
  return {
    commit: `${commit ?? "unknown"}${dirty === true ? " with uncommitted changes" : ""}`,
    machine: `${describeMachine(spec, provenance)}, ${os}`,
    versions: Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(", "),
    "deno.lock, SHA-256": lockSha256,
    [`pixels of ${spec.dataset}, SHA-256`]: datasetSha256,
    ...Object.fromEntries([...weights, ...modes]),
  };
}

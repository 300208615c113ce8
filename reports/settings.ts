import type { Provenance, RunRecord, RunSpec } from "../harness/types.ts";

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

/** The machine of a record: times compare only where this is equal. */
export function machineOf({ spec, provenance }: RunRecord): string {
  if (provenance === null) return `unknown, ${spec.device}`;
  const { cpu, cores, jobs, device } = provenance;
  const runs = jobs === 1 ? "1 run at a time" : `${jobs} runs at a time`;
  return `${device}, ${cpu}, ${cores} cores, ${runs}`;
}

/** Every setting with its distinct values; a hyperparameter under its method's name. */
export function collectSettings(records: readonly RunRecord[]): Record<string, string[]> {
  const settings: Record<string, Set<string>> = {};
  const add = (key: string, value: unknown) =>
    (settings[key] ??= new Set()).add(formatSetting(value));
  for (const { spec } of records) {
    const { method, dataset: _dataset, seed, hyper, ...rest } = spec;
    add("seeds", seed);
    for (const [key, value] of Object.entries(rest)) add(key, value);
    for (const [key, value] of Object.entries(hyper)) add(`${method}.${key}`, value);
  }
  return Object.fromEntries(Object.entries(settings).map(([key, values]) => [key, [...values]]));
}

/** Every fact of provenance with its distinct values. */
export function collectProvenance(records: readonly RunRecord[]): Record<string, string[]> {
  const facts: Record<string, Set<string>> = {};
  const add = (key: string, value: string) => (facts[key] ??= new Set()).add(value);
  for (const record of records) {
    if (record.provenance === null) continue;
    const p: Provenance = record.provenance;
    const dirty = p.dirty === true ? " with uncommitted changes" : "";
    add("commit", p.commit === null ? "unknown" : `${p.commit}${dirty}`);
    add("machine", `${machineOf(record)}, ${p.os}`);
    const versions = Object.entries(p.versions).map(([name, version]) => `${name} ${version}`);
    add("versions", versions.join(", "));
    add("deno.lock", p.lockSha256);
    add(`data ${record.spec.dataset}`, p.datasetSha256);
    for (const [metric, sha256] of Object.entries(p.metricSha256)) add(`metric ${metric}`, sha256);
  }
  return Object.fromEntries(Object.entries(facts).map(([key, values]) => [key, [...values]]));
}

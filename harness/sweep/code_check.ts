/**
 * Whether the results and checkpoints of an output folder come from the code that would run now. A record with the same spec
 * and other code is another experiment: it is neither skipped as done nor averaged with new seeds, and no run resumes from
 * its weights, unless the user accepts that.
 *
 * @module
 */
import { UsageError } from "../core/arguments.ts";
import type { RunCode, RunRecord, RunSpec } from "../core/records.ts";
import {
  changedParts,
  type CodeReader,
  listParts,
  type PixelHashes,
  runCode,
} from "../experiment/run_code.ts";
import { identityOf, runId, type Tables } from "../experiment/spec.ts";
import { readSavedCode } from "../run/checkpoint_files.ts";
import { latestRecords } from "./store.ts";

/** Inputs of the check besides the runs that are asked for. */
export interface CodeCheckOptions {
  /** The output folder. */
  readonly out: string;
  readonly records: readonly RunRecord[];
  readonly tables: Pick<Tables, "metrics">;
  /** SHA-256 of the pixels of every data set that is asked for. */
  readonly pixels: Readonly<Record<string, PixelHashes>>;
  readonly readCode: CodeReader;
  /** Whether all runs that are asked for start again. */
  readonly force: boolean;
}

/** Findings of the check. */
export interface CodeFindings {
  /** Runs by what has changed since, one sentence each: `lae on svhn, seeds 0, 1: methods/lae.ts`. */
  readonly changed: readonly string[];
  /** Methods among those. */
  readonly methods: readonly string[];
  /** Records that would be used and carry no hash of their code. */
  readonly unknown: number;
}

/** Compares what `specs` would execute now with what made the records beside which their numbers will stand. */
export async function compareCode(
  specs: readonly RunSpec[],
  { out, records, tables, pixels, readCode, force }: CodeCheckOptions,
): Promise<CodeFindings> {
  const asked = new Set(specs.map(runId));
  const current = new Map(
    await Promise.all(specs.map(async (spec) => [cellOf(spec), await currentCode(spec)] as const)),
  );
  const changed = new Map<string, { spec: RunSpec; seeds: Set<number>; parts: string }>();
  let unknown = 0;
  const compare = (spec: RunSpec, parts: readonly string[]) => {
    if (parts.length === 0) return;
    const named = listParts(parts);
    const key = `${spec.method} ${spec.dataset} ${named}`;
    const entry = changed.get(key) ?? { spec, seeds: new Set(), parts: named };
    changed.set(key, entry);
    entry.seeds.add(spec.seed);
  };
  for (const { id, spec, status, provenance } of latestRecords(records)) {
    const now = current.get(cellOf(spec));
    const isKept = status === "completed" || status === "diverged";
    if (now === undefined || !isKept || (force && asked.has(id))) continue;
    if (provenance?.code === undefined) unknown++;
    compare(spec, [
      ...changedParts(provenance?.code, now),
      ...changedWeights(provenance?.metricSha256 ?? {}, tables),
    ]);
  }
  for (const spec of force ? [] : specs) {
    const saved = await readSavedCode(`${out}/${runId(spec)}`);
    compare(spec, changedParts(saved, current.get(cellOf(spec))));
  }
  return {
    changed: [...changed.values()].map(({ spec, seeds, parts }) => {
      const list = [...seeds].toSorted((a, b) => a - b).join(", ");
      return `${spec.method} on ${spec.dataset}, seed${
        seeds.size > 1 ? "s" : ""
      } ${list}: ${parts}`;
    }),
    methods: [...new Set([...changed.values()].map(({ spec }) => spec.method))],
    unknown,
  };

  async function currentCode(spec: RunSpec): Promise<RunCode> {
    return runCode(await readCode(spec), pixels[spec.dataset]);
  }
}

/** Names one cell of the tables: everything but the seed. */
function cellOf(spec: RunSpec): string {
  return identityOf({ ...spec, seed: 0 });
}

/** Weights of scores that are not those of `recorded`; unknown ones count as equal. */
function changedWeights(
  recorded: Readonly<Record<string, string>>,
  { metrics }: CodeCheckOptions["tables"],
): string[] {
  return Object.entries(recorded).flatMap(([name, sha256]) => {
    const now = metrics[name]?.sha256;
    return now === undefined || now === sha256 ? [] : [`the weights of ${name}`];
  });
}

/**
 * Refuses results and checkpoints of code that has changed since, or says that they are accepted; says how many results carry
 * no hash of their code. Throws UsageError that names what changed and the ways out.
 */
export async function checkCode(
  specs: readonly RunSpec[],
  options: CodeCheckOptions & { readonly acceptCode: boolean },
): Promise<void> {
  const { changed, methods, unknown } = await compareCode(specs, options);
  const { out, acceptCode } = options;
  if (unknown > 0) {
    console.error(
      `${unknown} results in ${out} carry no hash of their code: whether it has changed since is unknown`,
    );
  }
  if (changed.length === 0) return;
  const list = changed.join("; ");
  if (acceptCode) {
    console.error(`Accepted results of code that has changed since: ${list}`);
    return;
  }
  throw new UsageError(
    `Results in ${out} are of code that has changed since: ${list}. Choose another --out, repeat them with ` +
      `--methods ${
        methods.join(",")
      } --force, or use them with --accept-code, which marks averages over different code`,
  );
}

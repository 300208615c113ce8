import { countThreads, dependsOnThreads } from "../core/threads.ts";
import type { Experiment } from "../core/records.ts";
import { resolveRuns, runId, type Tables } from "../experiment/spec.ts";
import { readRunList } from "./run_list.ts";
import { readResults } from "./store.ts";

/**
 * Numbers of threads with which the output folder `out` already has runs of `experiment` that are alike in everything else, the
 * number with the most of them first. Empty on devices whose numbers do not depend on threads.
 */
export async function earlierThreads(
  experiment: Experiment,
  { out, tables }: { readonly out: string; readonly tables: Tables },
): Promise<number[]> {
  if (!dependsOnThreads(experiment.device)) return [];
  const listed = await readRunList(out) ?? [];
  const { records } = await readResults(out);
  const known = new Map([...listed, ...records].map(({ id, spec }) => [id, spec.threads]));
  const counts = [...new Set(known.values())].map((threads) => {
    const runs = resolveRuns({ ...experiment, threads }, tables);
    return { threads, count: runs.filter((spec) => known.has(runId(spec))).length };
  });
  return counts.filter(({ count }) => count > 0).toSorted((a, b) => b.count - a.count)
    .map(({ threads }) => threads);
}

/**
 * `experiment` with the threads of the runs that `out` already has, unless others are `asked` for; `notice` is one sentence on
 * runs that differ in nothing but their threads, undefined without any.
 */
export async function withEarlierThreads(
  experiment: Experiment,
  { asked, ...where }: { readonly out: string; readonly tables: Tables; readonly asked: boolean },
): Promise<{ readonly experiment: Experiment; readonly notice?: string }> {
  const others = (await earlierThreads(experiment, where))
    .filter((threads) => threads !== experiment.threads);
  const [threads] = others;
  if (threads === undefined) return { experiment };
  if (asked) {
    const list = others.map(countThreads).join(" and ");
    const notice =
      `${where.out} has the same runs with ${list}: their last bits differ, so they are ` +
      `other runs and other rows; --threads ${threads} continues them`;
    return { experiment, notice };
  }
  const notice = `Using ${
    countThreads(threads)
  } per run, as the earlier runs in ${where.out}; --threads N asks for others`;
  return { experiment: { ...experiment, threads }, notice };
}

/**
 * Which runs share a row: runs of one method that are alike in all but the seed on each data set. Numbers of runs that
 * differ in anything else are never averaged; they stand in rows apart, labelled with what differs.
 *
 * @module
 */
import {
  type Conditions,
  differences,
  type Run,
  scoringConditions,
  showCondition,
  trainingConditions,
  UNRECORDED,
} from "./conditions.ts";

/** Conditions that rows and cells name themselves, and the one that cells average over. */
const NAMED = ["method", "dataset", "seed"];

/** Runs of one row. */
export interface RowRuns {
  readonly method: string;
  readonly runs: readonly Run[];
  /** Conditions that distinguish the row from the others of its method: `epochs = 5`; empty for the only one. */
  readonly variant: string;
}

interface Group {
  readonly runs: Run[];
  /** All that is known of the conditions on each data set. */
  readonly conditions: Map<string, Conditions>;
}

/**
 * The runs of `method` among `runs`, row by row. A run joins the first row that it does not differ from in any known
 * condition; the weights behind a score are unknown for a run without that score.
 */
export function rowsOf(method: string, runs: readonly Run[]): RowRuns[] {
  const groups: Group[] = [];
  const ofMethod = runs.filter(({ spec }) => spec.method === method);
  // A hyperparameter that only some of the runs have was added to the method, or left it, between them.
  const hyper = new Set(ofMethod.flatMap(({ spec }) => Object.keys(spec.hyper)));
  for (const run of ofMethod) {
    const { dataset } = run.spec;
    const recorded = { ...trainingConditions(run), ...scoringConditions(run) };
    const absent = [...hyper].filter((name) => !(name in recorded));
    const own = {
      ...recorded,
      ...Object.fromEntries(absent.map((name) => [name, UNRECORDED])),
    };
    const fits = (group: Group) =>
      differences(own, group.conditions.get(dataset) ?? {}, { but: NAMED }).length === 0;
    let group = groups.find(fits);
    if (group === undefined) groups.push(group = { runs: [], conditions: new Map() });
    group.runs.push(run);
    group.conditions.set(dataset, { ...group.conditions.get(dataset), ...own });
  }
  return groups.map((group) => ({ method, runs: group.runs, variant: variantOf(group, groups) }));
}

/** The conditions in which `group` differs from another one of `groups` on the same data set. */
function variantOf(group: Group, groups: readonly Group[]): string {
  const values = new Map<string, Map<string, string>>(); // name -> data set -> value
  for (const [dataset, own] of group.conditions) {
    const unlike = new Set(
      groups.flatMap((other) =>
        differences(own, other.conditions.get(dataset) ?? {}, { but: NAMED }).map(({ name }) =>
          name
        )
      ),
    );
    for (const name of Object.keys(own).filter((name) => unlike.has(name))) {
      values.set(name, (values.get(name) ?? new Map()).set(dataset, own[name]));
    }
  }
  return [...values].map(([name, byDataset]) => {
    const distinct = new Set(byDataset.values());
    if (distinct.size === 1) return `${name} = ${showCondition([...distinct][0])}`;
    const each = [...byDataset].map(([dataset, value]) => `${showCondition(value)} on ${dataset}`);
    return `${name} = ${each.join(", ")}`;
  }).join("; ");
}

import { type Block, nameOf } from "../document/block.ts";
import type { ResultTable, Row } from "../document/result_table.ts";

/** Seeds without a score and why, runs that are missing, and whether that is known at all. */
export function seedBlocks({ rows, datasets, runList }: ResultTable): Block[] {
  const labelOf = (dataset: string) =>
    datasets.find(({ name }) => name === dataset)?.label ?? dataset;
  const lost = rows.flatMap((row) =>
    row.reconstructions.flatMap(({ dataset }) =>
      lostSeeds(row, dataset).map(({ what, seed, why }) =>
        [nameOf(row), labelOf(dataset), ...what, `seed ${seed}: ${why}`].join(", ")
      )
    )
  );
  // Every run of a row counts towards its cell of reconstructions, whatever it is scored by.
  const cells = rows.flatMap((row) =>
    row.reconstructions.map(({ dataset, missing }) => ({
      name: `${nameOf(row)}, ${labelOf(dataset)}`,
      missing,
    }))
  );
  const missing = cells.flatMap(({ name, missing }) => {
    if (missing === null || missing.length === 0) return [];
    return [
      `${name}: no record of ${missing.length === 1 ? "seed" : "seeds"} ${missing.join(", ")}`,
    ];
  });
  const unlisted = cells.filter(({ missing }) => missing === null).map(({ name }) => name);
  const unknown = runList === null
    ? ["It is unknown whether runs are missing: there is no run list."]
    : unlisted.length === 0
    ? []
    : [
      `It is unknown whether runs are missing: the run list does not name ${unlisted.join("; ")}.`,
    ];
  const items = [...lost, ...missing, ...unknown];
  if (items.length === 0 || rows.length === 0) return [];
  return [{ kind: "heading", text: "Lost and missing seeds" }, { kind: "list", items }];
}

const RECONSTRUCTIONS = "reconstructions";

/** The lost seeds of one row on one data set, each with the scores that it lost: one entry a seed and reason. */
function lostSeeds(
  { scores, reconstructions }: Row,
  dataset: string,
): { readonly what: readonly string[]; readonly seed: number; readonly why: string }[] {
  const ofScores = scores.filter((cell) => cell.dataset === dataset)
    .flatMap(({ metric, lost }) => lost.map((seed) => ({ ...seed, what: metric })));
  const ofReconstructions = reconstructions.filter((cell) => cell.dataset === dataset)
    .flatMap(({ lost }) => lost.map((seed) => ({ ...seed, what: RECONSTRUCTIONS })));
  const groups = Map.groupBy(
    [...ofScores, ...ofReconstructions],
    ({ seed, why }) => JSON.stringify([seed, why]),
  );
  return [...groups.values()].map((group) => {
    const scores = group.map(({ what }) => what).filter((what) => what !== RECONSTRUCTIONS);
    return { ...group[0], what: scores.length > 0 ? scores : [RECONSTRUCTIONS] };
  });
}

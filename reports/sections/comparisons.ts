import type { Block } from "../document/block.ts";
import type { Comparison } from "../document/result_table.ts";

/** A comparison and where it stands: the row, and the column of the table. */
export interface PlacedComparison {
  readonly name: string;
  readonly place: string;
  readonly comparison: Comparison;
}

/** The cell of a published number: `95.85 ± 1.06 (within)`, or that there is nothing to compare. */
export function formatComparison({ printed, verdict }: Comparison): string {
  return verdict === "not comparable" ? verdict : `${printed} (${verdict})`;
}

/** Why numbers are not comparable with published ones; and where they are, how far that goes. */
export function comparisonNotes(compared: readonly PlacedComparison[]): Block[] {
  const isComparable = ({ comparison }: PlacedComparison) =>
    comparison.verdict !== "not comparable";
  const alike = Map.groupBy(
    compared.filter((placed) => !isComparable(placed)),
    ({ comparison: { source, reasons } }) => JSON.stringify([source, reasons]),
  );
  const reasons = [...alike.values()].map((placed) => {
    const [{ comparison: { source, reasons } }] = placed;
    const places = [...Map.groupBy(placed, ({ place }) => place)]
      .map(([place, own]) => `${place}: ${own.map(({ name }) => name).join(", ")}`);
    return `Not comparable with ${source} (${places.join("; ")}): ${reasons.join(", ")}.`;
  });
  const limits = [
    ...Map.groupBy(
      compared.filter(isComparable),
      ({ comparison: { source, unknown } }) => JSON.stringify([source, unknown]),
    ).values(),
  ].map(([{ comparison: { source, unknown } }]) =>
    `The settings agree with those of ${source} as far as they are known; the rest of its protocol is unknown, and ` +
    `a difference may come from it: ${unknown.join(", ")}.`
  );
  const items = [...reasons, ...limits];
  return items.length === 0 ? [] : [{ kind: "list", items }];
}

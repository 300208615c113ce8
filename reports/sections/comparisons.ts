import type { Block, RichCell } from "../document/block.ts";
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

/**
 * The lines of HTML below `formatComparison`: the difference in combined standard deviations, or the published number and the
 * first reason why it is not comparable; all reasons are in the notes.
 */
export function describeComparison(
  { printed, verdict, distance, reasons }: Comparison,
): Omit<RichCell, "text"> {
  if (verdict !== "not comparable") {
    return { verdict, more: distance === null ? [] : [formatDistance(distance)] };
  }
  const others = reasons.length > 1 ? [`and ${reasons.length - 1} more, see the notes`] : [];
  return { verdict, more: [printed, ...reasons.slice(0, 1), ...others] };
}

/** `+0.52 combined std`. */
function formatDistance(distance: number): string {
  return `${distance < 0 ? "−" : "+"}${Math.abs(distance).toFixed(2)} combined std`;
}

/** Why numbers are not comparable with published ones; and where they are, what the source leaves open. */
export function comparisonNotes(compared: readonly PlacedComparison[]): Block[] {
  const [comparable, others] = [true, false].map((isComparable) =>
    compared.filter(({ comparison: { verdict } }) =>
      (verdict !== "not comparable") === isComparable
    )
  );
  const reasons = [...groupAlike(others, ({ source, reasons }) => [source, ...reasons])]
    .map(([places, { source, reasons }]) =>
      `Not comparable with ${source} (${places}): ${reasons.join(", ")}.`
    );
  const limits = [...groupAlike(comparable, ({ source, unknown }) => [source, ...unknown])]
    .map(([places, { source, unknown }]) =>
      `Comparable settings, unknown protocol (${places}): ${source} does not state ${
        unknown.join(", ")
      }; a difference may come from any of these.`
    );
  const items = [...reasons, ...limits];
  return items.length === 0 ? [] : [{ kind: "list", items }];
}

/** The comparisons with equal keys together: their places, `CIFAR-10, FID: VAE, LAE`, and the first of them. */
function groupAlike(
  compared: readonly PlacedComparison[],
  keyOf: (comparison: Comparison) => readonly string[],
): [string, Comparison][] {
  const groups = Map.groupBy(compared, ({ comparison }) => JSON.stringify(keyOf(comparison)));
  return [...groups.values()].map((group) => {
    const places = [...Map.groupBy(group, ({ place }) => place)]
      .map(([place, own]) => `${place}: ${own.map(({ name }) => name).join(", ")}`);
    return [places.join("; "), group[0].comparison];
  });
}

/**
 * The pieces of a report, and how its numbers are written.
 *
 * @module
 */
import type { Interval } from "../../harness/statistics/student.ts";
import type { Comparison, Row, SeedCell } from "./result_table.ts";

/** A piece of a report: its content, not its form. */
export type Block =
  | { readonly kind: "title" | "heading" | "text"; readonly text: string }
  | { readonly kind: "list"; readonly items: readonly string[] }
  | {
    readonly kind: "table";
    /** Names the table where it has no heading right above it: in HTML. */
    readonly caption: string;
    readonly head: readonly string[];
    readonly rows: readonly (readonly Cell[])[];
  };

/** A cell of a table: its text, and what HTML alone shows. */
export type Cell = string | RichCell;

export interface RichCell {
  readonly text: string;
  /** A share in [0, 1]: how dark the cell is. */
  readonly shade?: number;
  /** Lines below the text. */
  readonly more?: readonly string[];
  /** The word of a comparison, which the cell or its lines contain: it is set off. */
  readonly verdict?: Comparison["verdict"];
}

/** The text of a cell. */
export function textOf(cell: Cell): string {
  return typeof cell === "string" ? cell : cell.text;
}

/** Placeholder for a missing value. */
export const NONE = "–";

/** `x` with four significant digits, trailing zeros included; integers above that in full. */
export function formatNumber(x: number): string {
  if (x === 0 || !Number.isFinite(x)) return String(x);
  return x.toFixed(Math.min(MAX_DECIMALS, Math.max(0, 3 - magnitude(Number(x.toPrecision(4))))));
}

/**
 * `45.2 ± 1.3`: the deviation with its two leading digits, the mean with as many decimals, trailing zeros included.
 * Without a deviation, or with 0, the mean as a number by itself.
 */
export function formatMeanStd(mean: number, std: number | null): string {
  if (std === null) return formatNumber(mean);
  if (std === 0) return `${formatNumber(mean)} ± 0`;
  const decimals = decimalsFor(std);
  if (decimals > MAX_DECIMALS) return `${formatNumber(mean)} ± ${std.toExponential(1)}`;
  return `${mean.toFixed(decimals)} ± ${std.toFixed(decimals)}`;
}

/** `43.1 to 49.9`, with the decimals of a mean of standard deviation `std`. */
export function formatInterval([low, high]: Interval, std: number): string {
  const decimals = std === 0 ? 0 : decimalsFor(std);
  const format = (x: number) =>
    std === 0 || decimals > MAX_DECIMALS ? formatNumber(x) : x.toFixed(decimals);
  return `${format(low)} to ${format(high)}`;
}

/** Decimals that show the two leading digits of `std`. */
function decimalsFor(std: number): number {
  return Math.max(0, 1 - magnitude(Number(std.toPrecision(2))));
}

/** More decimals than a table has room for. */
const MAX_DECIMALS = 8;

/** The exponent of the leading digit of `x`: 0 for 1 to 10. */
function magnitude(x: number): number {
  return Math.floor(Math.log10(Math.abs(x)));
}

/** Marks a mean over runs of different code. */
export const MIXED_CODE = "different code";

/** Whether the values of a cell come from different code; unknown code counts as equal. */
export function isOfMixedCode({ values }: Pick<SeedCell, "values">): boolean {
  return new Set(values.flatMap(({ code = [] }) => code)).size > 1;
}

/**
 * `45.2 ± 1.3 (n = 3)`, or `(n = 2 of 3)` when seeds are lost or missing; a dash where nothing was asked for. Marked if the
 * seeds ran different code.
 */
export function formatSeeds(cell: SeedCell): string {
  const { mean, std, n, lost, missing } = cell;
  const asked = n + lost.length + (missing?.length ?? 0);
  if (asked === 0) return NONE;
  const seeds = asked === n ? `n = ${n}` : `n = ${n} of ${asked}`;
  const count = isOfMixedCode(cell) ? `${seeds}, ${MIXED_CODE}` : seeds;
  return `${mean === null ? NONE : formatMeanStd(mean, std)} (${count})`;
}

/** `LAE`, or `LAE (epochs = 5)` where the method has several rows. */
export function nameOf({ label, variant }: Row): string {
  return variant === "" ? label : `${label} (${variant})`;
}

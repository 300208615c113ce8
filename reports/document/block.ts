/**
 * The pieces of a report, and how its numbers are written.
 *
 * @module
 */
import type { Row } from "./result_table.ts";

/** A piece of a report: what is shown, not how. */
export type Block =
  | { readonly kind: "title" | "heading" | "text"; readonly text: string }
  | { readonly kind: "list"; readonly items: readonly string[] }
  | {
    readonly kind: "table";
    readonly head: readonly string[];
    readonly rows: readonly (readonly string[])[];
  };

/** Stands for a number that there is not. */
export const NONE = "–";

/** `x` with four significant digits at most, without an exponent where it can be. */
export function formatNumber(x: number): string {
  return String(Number(x.toPrecision(4)));
}

/** `45.2 ± 1.3`: the mean with as many decimals as the two leading digits of the deviation; without one, the mean alone. */
export function formatMeanStd(mean: number, std: number | null): string {
  if (std === null || std === 0) return `${formatNumber(mean)}${std === 0 ? " ± 0" : ""}`;
  const decimals = Math.min(6, Math.max(0, 1 - Math.floor(Math.log10(std))));
  return `${mean.toFixed(decimals)} ± ${std.toFixed(decimals)}`;
}

/** `LAE`, or `LAE (epochs = 5)` for settings other than the first. */
export function nameOf({ label, variant }: Row): string {
  return variant === "" ? label : `${label} (${variant})`;
}

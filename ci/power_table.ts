import { markdownTable } from "../reports/markdown.ts";
import type { Failure } from "../harness/toy/baseline.ts";
import type { Mutation } from "./mutations.ts";

/** The failures of the check under a mutation. */
export interface Outcome {
  readonly mutation: Mutation;
  readonly failures: readonly Failure[];
}

/**
 * The table of power: a row for each mutation of a rule and a column for each target, with the metric that is furthest off and by how
 * many standard errors, or SURVIVED.
 */
export function powerTable(outcomes: readonly Outcome[], targets: readonly string[]): string {
  const rows = outcomes.map((outcome) => [
    outcome.mutation.of,
    outcome.mutation.name,
    ...targets.map((target) => {
      const worst = worstOn(outcome, target);
      if (!worst?.names) return "SURVIVED";
      const { sampler, metric } = worst.names;
      const { deviation } = worst;
      const size = deviation === undefined ? "" : ` ${number(deviation)} σ`;
      return `${sampler} ${metric}${size}`;
    }),
  ]);
  return markdownTable(["Rule", "Mutation", ...targets], rows);
}

/** Mutations of rules with the targets on which nothing noticed. */
export function survivals(
  outcomes: readonly Outcome[],
  targets: readonly string[],
): { readonly mutation: Mutation; readonly target: string }[] {
  return outcomes.flatMap((outcome) =>
    targets.filter((target) => !worstOn(outcome, target))
      .map((target) => ({ mutation: outcome.mutation, target }))
  );
}

/** The failure on `target` that is furthest off. */
function worstOn({ failures }: Outcome, target: string): Failure | undefined {
  return failures.filter(({ names }) => names?.experiment === target)
    .toSorted((a, b) => (b.deviation ?? 0) - (a.deviation ?? 0))[0];
}

function number(value: number): string {
  return value >= 1000 ? value.toExponential(0) : value.toFixed(0);
}

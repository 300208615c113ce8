import { markdownTable } from "../reports/markdown.ts";
import { NONE } from "../reports/document/block.ts";
import type { Failure } from "../harness/toy/baseline.ts";
import type { Mutation } from "./mutations.ts";

/** The failures of the check under a mutation. */
export interface Outcome {
  readonly mutation: Mutation;
  /** Targets on which the check runs something that the mutation may change. */
  readonly runsOn: readonly string[];
  readonly failures: readonly Failure[];
}

/**
 * The table of power: a row for each mutation of a rule and a column for each target, with what is furthest off among the samples
 * and by how many standard errors, and what is among the single moves; SURVIVED where nothing is, and a dash where the check
 * runs nothing by the rule.
 */
export function powerTable(outcomes: readonly Outcome[], targets: readonly string[]): string {
  const rows = outcomes.map((outcome) => [
    outcome.mutation.of,
    outcome.mutation.name,
    ...targets.map((target) => {
      if (!outcome.runsOn.includes(target)) return NONE;
      const failures = failuresOn(outcome, target);
      const [moves, samples] = [true, false]
        .map((isMove) => furthest(failures.filter((failure) => isOfMove(failure) === isMove)));
      const found = [samples, moves].flatMap((failure) => failure ? [describe(failure)] : []);
      return found.join("; ") || "SURVIVED";
    }),
  ]);
  return markdownTable(["Rule", "Mutation", ...targets], rows);
}

/**
 * The table of retuned defaults and changed fits: what is furthest off anywhere, and "setting" where the check refuses the
 * changed hyperparameter itself.
 */
export function changeTable(outcomes: readonly Outcome[]): string {
  const rows = outcomes.map(({ mutation: { of, name }, failures }) => {
    const measured = furthest(failures.filter(({ names }) => names !== undefined));
    const found = [
      ...measured ? [describe(measured)] : [],
      ...failures.some(({ names }) => names === undefined) ? ["setting"] : [],
    ];
    return [of, name, found.join("; ") || "SURVIVED"];
  });
  return markdownTable(["Of", "Change", "Noticed by"], rows);
}

/** Mutations of rules with the targets on which nothing noticed. */
export function survivals(
  outcomes: readonly Outcome[],
  targets: readonly string[],
): { readonly mutation: Mutation; readonly target: string }[] {
  return outcomes.flatMap((outcome) =>
    targets.filter((target) => outcome.runsOn.includes(target))
      .filter((target) => failuresOn(outcome, target).length === 0)
      .map((target) => ({ mutation: outcome.mutation, target }))
  );
}

function failuresOn({ failures }: Outcome, target: string): Failure[] {
  return failures.filter(({ names }) => names?.experiment === target);
}

function isOfMove({ names }: Failure): boolean {
  return names?.sampler.endsWith("_moves") ?? false;
}

function furthest(failures: readonly Failure[]): Failure | undefined {
  return failures.toSorted((a, b) => (b.deviation ?? 0) - (a.deviation ?? 0))[0];
}

function describe({ names, deviation }: Failure): string {
  const size = deviation === undefined ? "" : ` ${number(deviation)} σ`;
  return `${names?.sampler} ${names?.metric}${size}`;
}

function number(value: number): string {
  return value >= 1000 ? value.toExponential(0) : value.toFixed(0);
}

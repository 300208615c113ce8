/** The kinds of scores that a family of one classifier has. */
export const SCORE_KINDS = [
  "fd",
  "coverage",
  "recall",
  "precision",
  "density",
  "entropy",
  "kid",
  "accuracy",
] as const;

/** One of `SCORE_KINDS`. */
export type ScoreKind = typeof SCORE_KINDS[number];

/** The name of the score of `kind` in `family`: `coverage_fashion`. */
export function familyScore(kind: ScoreKind, family: string): string {
  return `${kind}_${family}`;
}

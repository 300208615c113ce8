import type { Estimate, Spread } from "../metrics/fid/kid.ts";
import type { Scores } from "../metrics/fid/score_pair.ts";

const NAMES: Readonly<Record<keyof Scores, string>> = {
  fid: "FID",
  fidInfinity: "FID-infinity",
  kidOfAll: "KID x 1000",
  kid: "KID, subsets",
  inceptionScore: "Inception Score",
  precision: "Precision",
  recall: "Recall",
  density: "Density",
  coverage: "Coverage",
};

/** One line for each of `scores`, in a fixed order. */
export function scoreLines(scores: Partial<Scores>): string[] {
  return (Object.keys(NAMES) as (keyof Scores)[]).flatMap((key) => {
    const value = scores[key];
    if (value === undefined) return [];
    return [`${NAMES[key].padEnd(16)} ${formatScore(value, key.startsWith("kid") ? 1000 : 1)}`];
  });
}

/** A score times `scale`. Only an estimate has an error; the spread over parts or subsets is none. */
function formatScore(value: number | Spread | Estimate, scale: number): string {
  const text = (x: number) => (scale * x).toFixed(4);
  if (typeof value === "number") return text(value);
  if ("std" in value && value.std === null) {
    return `${text(value.mean)} (no standard deviation: every subset is the whole set)`;
  }
  return "std" in value
    ? `${text(value.mean)} (standard deviation of the parts ${text(value.std ?? NaN)})`
    : `${text(value.value)} ± ${text(value.standardError)} (standard error over images)`;
}

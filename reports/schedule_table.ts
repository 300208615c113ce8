/**
 * The report of `bench toy --schedule` as Markdown.
 *
 * @module
 */
import type { ScheduleReport } from "../harness/core/schedule_types.ts";
import { markdownTable } from "./markdown.ts";

/** Distances of last iterates, and the gates. */
export function scheduleMarkdown({ runs, floors, gates, chains, seed }: ScheduleReport): string {
  const three = (value: number) => value.toPrecision(3);
  const distances = runs.map(({ target, label, setting, points }) => [
    target,
    label,
    setting.power === 0 ? "constant" : `p = ${setting.power}`,
    String(setting.gradientNoise),
    ...[0, Math.floor(points.length / 2), points.length - 1].map((i) => three(points[i].distance)),
    String(points[points.length - 1].gradients),
    three(floors[target]),
  ]);
  const [first] = runs;
  const stepsOf = (i: number) => `W2 at k = ${first.points[i].steps}`;
  const last = first.points.length - 1;
  const head = ["Target", "Rule", "Schedule", "Gradient noise"];
  const columns = [...head, ...[0, Math.floor(first.points.length / 2), last].map(stepsOf)];
  return [
    "# Last iterates under decreasing step sizes",
    `${chains} chains from N(0, I), seed ${seed}. Step sizes are gamma_0 (1 + k / k_0)^-p; gradients have noise of the standard ` +
    "deviation shown, and a bias proportional to the step size. W2 is between the chains' last iterates and as many independent " +
    "draws of the target, sliced in two dimensions; the floor is that between two sets of such draws.",
    markdownTable([...columns, "Gradients", "Floor"], distances),
    "## Gates",
    markdownTable(
      ["Gate", "Value", "At most", "Verdict"],
      gates.map(({ name, value, high, passed }) => [
        name,
        three(value),
        String(high),
        passed ? "pass" : "FAIL",
      ]),
    ),
  ].join("\n\n") + "\n";
}

import { formatMeanStd } from "../../reports/document/block.ts";
import { markdownTable } from "../../reports/markdown.ts";
import type { Tuned } from "../tuning/tune.ts";

/** Settings as words of the command line: `--set lae.stepSize=0.001`. */
export function toSetArguments(
  method: string,
  changed: Tuned["trials"][number]["changed"],
): string {
  const words = Object.entries(changed).map(([key, value]) => `--set ${method}.${key}=${value}`);
  return words.length === 0 ? "the preset's settings" : words.join(" ");
}

/** The outcome as Markdown: a row a method, and the chosen settings below. */
export function tuningMarkdown(
  tuned: readonly Tuned[],
  { metric, trials, seeds }: {
    readonly metric: string;
    readonly trials: number;
    readonly seeds: number;
  },
): string {
  const half = Math.max(1, trials >> 1);
  const header = [
    "method",
    "untuned",
    "tuned",
    "unstable seeds: untuned, tuned",
    "E[best of 1]",
    `E[best of ${half}]`,
    `best of ${trials}`,
    "lost trials",
    "unstable trials",
    "s/trial",
  ];
  const rows = tuned.map(({ method, trials, expectedBest, untuned, finalists, seconds }) => {
    const [chosen] = finalists;
    return [
      method,
      format(untuned.mean, untuned.std),
      format(chosen.mean, chosen.std),
      `${untuned.unstable}, ${chosen.unstable}`,
      format(expectedBest[0]),
      format(expectedBest[half - 1]),
      format(expectedBest.at(-1) ?? Infinity),
      String(trials.filter(({ score }) => !Number.isFinite(score)).length),
      String(trials.filter(({ unstable }) => unstable).length),
      seconds.toFixed(1),
    ];
  });
  const chosen = tuned.map(({ method, finalists }) =>
    `- ${method}: \`${toSetArguments(method, finalists[0].changed)}\``
  );
  return [
    markdownTable(header, rows),
    "",
    `Scores are ${metric} on held-out training images; untuned and tuned: mean ± standard deviation over ${seeds} seeds that ` +
    `the search did not use. Each method had ${trials} trials of a random search, the first of them untuned, with one seed; ` +
    "the untuned and the best ones were run again with the new seeds, and the best mean was chosen. A run with an unstable " +
    "chain ranks behind all without. E[best of n] is the expected best of n of the trials: methods whose values cross over n " +
    "have a ranking that depends on the budget.",
    "",
    "Chosen:",
    "",
    ...chosen,
    "",
  ].join("\n");
}

function format(value: number, std: number | null = null): string {
  return Number.isFinite(value) ? formatMeanStd(value, std) : "diverged";
}

import type { Tuned } from "./tune.ts";

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
    "chosen, mean ± std",
    "E[best of 1]",
    `E[best of ${half}]`,
    `best of ${trials}`,
    "lost trials",
    "s/trial",
  ];
  const rows = tuned.map(({ method, trials, expectedBest, finalists, seconds }) => {
    const [chosen] = finalists;
    return [
      method,
      format(trials[0].score),
      chosen === undefined ? "–" : `${format(chosen.mean)}${spread(chosen.std)}`,
      format(expectedBest[0]),
      format(expectedBest[half - 1]),
      format(expectedBest.at(-1) ?? Infinity),
      String(trials.filter(({ score }) => !Number.isFinite(score)).length),
      seconds.toFixed(1),
    ];
  });
  const table = [header, header.map(() => "---"), ...rows].map((cells) =>
    `| ${cells.join(" | ")} |`
  );
  const chosen = tuned.map(({ method, finalists }) =>
    `- ${method}: ${
      finalists.length === 0
        ? "no trial completed"
        : `\`${toSetArguments(method, finalists[0].changed)}\``
    }`
  );
  return [
    ...table,
    "",
    `Scores are ${metric} on held-out training images. Each method had ${trials} trials of a random search, the first of them ` +
    `untuned, with one seed; the best were run again with ${seeds} new seeds, and the best mean was chosen. E[best of n] is ` +
    "the expected best of n of the trials: methods whose values cross over n have a ranking that depends on the budget.",
    "",
    "Chosen:",
    "",
    ...chosen,
    "",
  ].join("\n");
}

function format(value: number): string {
  return Number.isFinite(value) ? value.toPrecision(4) : "diverged";
}

function spread(std: number | null): string {
  return std === null ? "" : ` ± ${std.toPrecision(2)}`;
}

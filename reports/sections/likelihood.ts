import { type Block, NONE } from "../document/block.ts";
import { POSTER_DATASETS, POSTER_SCORES } from "../published/poster.ts";
import type { ResultTable } from "../document/result_table.ts";
import { scoreBlocks } from "./scores.ts";

/** The bounds on the likelihood, and the table of the NeurIPS version's poster. */
export function likelihoodBlocks(table: ResultTable): Block[] {
  const bounds = table.metrics.filter(({ importanceSamples }) => importanceSamples !== undefined);
  if (bounds.length === 0) return [];
  const facts = table.datasets.flatMap(({ name, label }) => {
    const bases = table.rows.flatMap(({ scores }) =>
      scores.flatMap(({ dataset, basis }) => dataset === name && basis !== null ? [basis] : [])
    );
    if (bases.length === 0) return [];
    const [{ draws, images }] = bases;
    const error = Math.max(...bases.map(({ standardError }) => standardError)).toPrecision(2);
    return [
      `${label}: ${images} test images, ${draws} draws of z each; standard error over images, of all ` +
      `rows alike, up to ${error}.`,
    ];
  });
  const text =
    "Upper bounds on the mean of -log p(x) per dimension of the test images, in nats: the ELBO is the bound " +
    "of k = 1, the mean of the importance-weighted bounds falls with k to -log p(x) itself. Methods whose q " +
    "differ in kind compare at the largest k.";
  const poster = POSTER_SCORES.map(({ method }) => method).filter((m, i, all) =>
    all.indexOf(m) === i
  );
  const posterRows = poster.map((method) => [
    table.rows.find((row) => row.method === method)?.label ?? method.toUpperCase(),
    ...POSTER_DATASETS.map(({ name }) => {
      const score = POSTER_SCORES.find((s) => s.method === method && s.dataset === name);
      return score === undefined ? NONE : `${score.mean.toFixed(3)} ± ${score.std.toFixed(3)}`;
    }),
  ]);
  const posterText =
    "For comparison, the poster of the NeurIPS 2022 version: -ELBO per dimension (nats, as the numbers imply), " +
    "3 seeds. Its epochs, its latent dimensions and the size of its MNIST are not stated.";
  return [
    { kind: "heading", text: "Likelihood" },
    ...scoreBlocks(table, bounds),
    { kind: "text", text: [text, ...facts].join(" ") },
    { kind: "text", text: posterText },
    {
      kind: "table",
      head: ["Method", ...POSTER_DATASETS.map(({ label }) => label)],
      rows: posterRows,
    },
  ];
}

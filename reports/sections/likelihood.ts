import { type Block, nameOf, NONE } from "../document/block.ts";
import type { ResultTable } from "../document/result_table.ts";
import { POSTER_DATASETS, POSTER_SCORES } from "../published/poster.ts";
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
    const images = rangeOf(bases.map(({ images }) => images));
    const draws = rangeOf(bases.map(({ draws }) => draws));
    const error = Math.max(...bases.map(({ standardError }) => standardError)).toPrecision(2);
    return [
      `${label}: ${images} test images, ${draws} draws of z each; standard error over images up to ${error}, ` +
      "the same images for all rows.",
    ];
  });
  const text =
    "Upper bounds on the mean of -log p(x) per dimension of the test images, in nats. The ELBO is the bound of " +
    "k = 1; the mean of the importance-weighted bounds falls with k towards -log p(x). Methods whose q differ in kind " +
    "are compared at the largest k. Methods whose q or prior has no known normalizer have no bound.";
  const posterText =
    "The poster of the NeurIPS 2022 version, for reference: -ELBO per dimension (nats, as the numbers imply), 3 seeds. " +
    "A number here is comparable with one above only where that table says within or outside.";
  return [
    { kind: "heading", text: "Likelihood" },
    ...scoreBlocks(table, bounds),
    { kind: "text", text: [text, ...facts].join(" ") },
    ...costBlocks(table),
    { kind: "text", text: posterText },
    {
      kind: "table",
      caption: "The poster's table",
      head: ["Method", ...POSTER_DATASETS.map(({ label }) => label)],
      rows: posterRows(table),
    },
  ];
}

/** Passes through the decoder behind each bound, where draws of some method cost gradients. */
function costBlocks({ rows }: ResultTable): Block[] {
  const costs = rows.flatMap((row) => {
    const bases = row.scores.flatMap(({ basis }) => basis ?? []);
    return bases.length === 0 ? [] : [{ row, bases }];
  });
  if (!costs.some(({ bases }) => bases.some(({ gradientsPerDraw }) => gradientsPerDraw))) return [];
  const ks = [...new Set(costs.flatMap(({ bases }) => bases.map((b) => b.importanceSamples)))]
    .toSorted((a, b) => a - b);
  return [
    {
      kind: "table",
      caption: "Cost of the bounds",
      head: ["Method", "Gradients a draw", ...ks.map((k) => `Passes, k = ${k}`)],
      rows: costs.map(({ row, bases: [{ gradientsPerDraw = 0 }] }) => [
        nameOf(row),
        `${gradientsPerDraw}`,
        ...ks.map((k) => `${k * (1 + 2 * gradientsPerDraw)}`),
      ]),
    },
    {
      kind: "text",
      text:
        "Passes through the decoder for one image: one for the density of a draw, and two for each gradient of " +
        "log p(x, z) on the way to it. A bound through dynamics is fairly compared with an importance-weighted bound " +
        "of as many passes.",
    },
  ];
}

function posterRows({ rows }: ResultTable): string[][] {
  const methods = [...new Set(POSTER_SCORES.map(({ method }) => method))];
  return methods.map((method) => [
    rows.find((row) => row.method === method)?.label ?? method.toUpperCase(),
    ...POSTER_DATASETS.map(({ name }) =>
      POSTER_SCORES.find((score) => score.method === method && score.dataset === name)?.printed ??
        NONE
    ),
  ]);
}

/** `50`, or `50 to 100`. */
function rangeOf(values: readonly number[]): string {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return least === most ? `${least}` : `${least} to ${most}`;
}

import { type Block, formatMeanStd, nameOf, NONE } from "../document/block.ts";
import type { PriorCheckCell, ResultTable, Spread } from "../document/result_table.ts";

/** The three sets of latents, as columns name them. */
const SETS = [
  ["posterior", "posterior"],
  ["negatives", "negatives"],
  ["longChains", "long chains"],
] as const;

/** Latents by which a learned prior is checked. */
export function priorCheckBlocks({ rows, datasets }: ResultTable): Block[] {
  const body = rows.flatMap((row) =>
    row.priorCheck.map((cell) => [
      nameOf(row),
      datasets.find(({ name }) => name === cell.dataset)?.label ?? cell.dataset,
      `${cell.n}`,
      ...columnsOf(cell, "energy"),
      ...columnsOf(cell, "trace"),
    ])
  );
  if (body.length === 0) return [];
  const counts = new Set(rows.flatMap(({ priorCheck }) => priorCheck.map(({ count }) => count)));
  const head = [
    "Method",
    "Data set",
    "n",
    ...SETS.map(([, label]) => `energy: ${label}`),
    ...SETS.map(([, label]) => `trace: ${label}`),
  ];
  const text =
    `Mean energy f(z) = -log p(z) + constant, in nats, and trace of the covariance of ${
      [...counts].join(" or ")
    } latents each, ` +
    "mean ± sample standard deviation over n seeds. Posterior: one draw for each of some training images. Negatives: the " +
    "latents that training takes for samples of the prior, the ends of LEBM's short chains and the outputs of LAE's latent " +
    "sampler network. Long chains: the ends of Langevin chains for exp(-f) from N(0, I), over a time of ten. In each row " +
    "the three are alike if the prior is right; energies of different rows have different constants. Negatives below the " +
    "long chains in energy and trace lie at the mode: neither energy nor decoder is then trained where the chains go.";
  return [
    { kind: "heading", text: "Learned priors" },
    { kind: "table", caption: "Latents of learned priors", head, rows: body },
    { kind: "text", text },
  ];
}

function columnsOf(cell: PriorCheckCell, moment: "energy" | "trace"): string[] {
  return SETS.map(([name]) => formatSpread(cell[name][moment], cell.n));
}

/** Mean and deviation, with the number of seeds where it is not `n`. */
function formatSpread(spread: Spread | null, n: number): string {
  if (spread === null) return NONE;
  const text = formatMeanStd(spread.mean, spread.std);
  return spread.n === n ? text : `${text} (n = ${spread.n})`;
}

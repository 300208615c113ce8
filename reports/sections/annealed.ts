import { type Block, formatMeanStd, formatNumber, nameOf, NONE } from "../document/block.ts";
import type { ResultTable } from "../document/result_table.ts";

/** A standard error of one image above this is no guide to its error. */
const GUIDE = 0.5;
/** Below this rate of acceptance chains hardly move. */
const LEAST_ACCEPTANCE = 0.4;

/** log p(x) by annealed importance sampling, where `deno task likelihood` has estimated it. */
export function annealedBlocks({ rows, datasets }: ResultTable): Block[] {
  const cells = rows.flatMap((row) => row.annealed.map((cell) => ({ row, cell })));
  if (cells.length === 0) return [];
  const body = cells.map(({ row, cell }) => {
    const { settings, bound, normaliser } = cell;
    return [
      nameOf(row),
      datasets.find(({ name }) => name === cell.dataset)?.label ?? cell.dataset,
      `${formatMeanStd(bound.mean, bound.std)} (n = ${bound.n})`,
      formatNumber(-bound.mean / cell.dimensions),
      formatNumber(cell.chainsError),
      formatNumber(cell.imagesError),
      `${formatNumber(cell.gap.mean)} ± ${formatNumber(cell.gap.standardError)}`,
      normaliser === null
        ? NONE
        : `${formatNumber(normaliser.lower)} to ${formatNumber(normaliser.upper)}`,
      cell.acceptance.toFixed(2),
      `${settings.images}, ${settings.chains}, ${settings.temperatures}`,
    ];
  });
  const head = [
    "Method",
    "Data set",
    "log p(x), nats an image ↑",
    "-log p(x), nats/dim ↓",
    "error of chains",
    "error over images",
    "gap, simulated images",
    "log Z",
    "acceptance",
    "images, chains, temperatures",
  ];
  const text =
    "log p(x) of test images by annealed importance sampling (MALA), mean ± sample standard deviation over n seeds: a stochastic " +
    "lower bound. The error of the chains is the standard error of a seed's mean over its images, for the same images; the error over " +
    "images is that of choosing them, and rows share them. On images that the model made, the latent is an exact posterior draw, so that chains from " +
    "it give an upper bound: the gap, upper minus lower, bounds the sum of both errors there. It does not bound the " +
    "error on test images, which may be larger where they are unlike the model's own.";
  const items = [
    ...cells.some(({ cell }) => cell.normaliser !== null)
      ? [
        "Learned priors: log p(x) is a lower bound on log Z p(x) minus the upper estimate of log Z, which is a bound only if the " +
        "long prior chains behind it have mixed; so are the simulated images' latents. The log Z column has the estimates from below and from above. The error of log Z is common to all images.",
      ]
      : [],
    ...cells.filter(({ cell }) => cell.largestError > GUIDE).map(({ row, cell }) =>
      `${nameOf(row)}: one image has a standard error of ${
        formatNumber(cell.largestError)
      }, above ${GUIDE}: it is no guide to the error; use more temperatures.`
    ),
    ...cells.filter(({ cell }) => cell.acceptance < LEAST_ACCEPTANCE).map(({ row, cell }) =>
      `${nameOf(row)}: transitions were accepted at a rate of ${
        cell.acceptance.toFixed(2)
      }: the bound is loose; use more temperatures.`
    ),
  ];
  return [
    { kind: "heading", text: "Likelihood by annealing" },
    { kind: "table", caption: "log p(x) by annealed importance sampling", head, rows: body },
    { kind: "text", text },
    ...items.length === 0 ? [] : [{ kind: "list", items } as const],
  ];
}

import {
  BIAS_LIMIT,
  ERRORS,
  LEAST_ACCEPTANCE,
  STABILITY_LIMIT,
  TOLERANCE,
} from "../../harness/statistics/chain_health.ts";
import type { Estimate } from "../../harness/core/records.ts";
import { type Block, formatMeanStd, formatNumber, nameOf, NONE } from "../document/block.ts";
import type { ChainHealthCell, ResultTable, Row } from "../document/result_table.ts";

/** The mark of an unstable chain, and that of one that is biased or not at rest. */
const MARKS = { unstable: "‡", doubtful: "†" } as const;

/** The mark after the name of a row; empty if all of its chains are healthy. */
export function chainMark({ chainHealth }: Row): string {
  const verdicts = chainHealth.map(({ verdict }) => verdict);
  if (verdicts.includes("unstable")) return ` ${MARKS.unstable}`;
  return verdicts.some((verdict) => verdict !== "healthy") ? ` ${MARKS.doubtful}` : "";
}

/** The notes to the marks of `rows`: a line a row, with its chains that are not healthy. */
export function chainNotes({ rows, datasets }: ResultTable): Block[] {
  const items = rows.flatMap((row) => {
    const ill = row.chainHealth.filter(({ verdict }) => verdict !== "healthy");
    if (ill.length === 0) return [];
    const chains = ill.map((cell) => {
      const place = datasets.length === 1 ? "" : ` on ${labelOf(datasets, cell.dataset)}`;
      return `${cell.chain} chain${place} ${formatVerdict(cell)} (${cell.reasons.join(", ")})`;
    });
    return [`${chainMark(row).trim()} ${nameOf(row)}: ${chains.join("; ")}`];
  });
  return items.length === 0 ? [] : [{ kind: "list", items }];
}

/** The table of all Langevin chains. */
export function chainHealthBlocks({ rows, datasets }: ResultTable): Block[] {
  const body = rows.flatMap((row) =>
    row.chainHealth.map((cell) => [
      nameOf(row),
      labelOf(datasets, cell.dataset),
      cell.chain,
      `${cell.n}`,
      `${cell.steps} × ${formatStepSize(cell.stepSize)}`,
      cell.stability === null
        ? "not finite"
        : `${formatNumber(cell.stability.quantile90)} (${formatNumber(cell.stability.largest)})`,
      formatEstimate(cell.acceptance),
      formatEstimate(cell.drift),
      formatEstimate(cell.virial),
      formatVerdict(cell),
    ])
  );
  if (body.length === 0) return [];
  const head = [
    "Method",
    "Data set",
    "chain",
    "n",
    "steps",
    "η L (largest)",
    "acceptance",
    "drift, nats",
    "virial",
    "verdict",
  ];
  const text =
    "Langevin chains after training, run once more on 50 training images, means over n seeds; the last " +
    "three numbers are of the last half of each chain, ± standard error. η L: step size times the largest curvature " +
    `of the energy, 90 % quantile over images; from ${STABILITY_LIMIT} on the chain has no stationary distribution, ` +
    `from ${BIAS_LIMIT} on variances in the stiffest direction are at least doubled. Acceptance: what a Metropolis ` +
    `test would accept; at rest it is at least ${LEAST_ACCEPTANCE}, even where η L is close to its limit. Drift: ` +
    "change of the energy, 0 at rest. Virial: (z·g − (η/2)|g|²)/d with the gradient g in d dimensions, 1 at rest " +
    `whatever the energy and the step size. A chain is not at rest if either is off by more than ${ERRORS} standard ` +
    `errors and by more than ${TOLERANCE} (the drift: ${TOLERANCE} d). Chains on weights (Phi, Psi, Theta) take ` +
    "these images as their minibatch; they are single chains, judged by η L alone. The verdict is that of the worst " +
    "seed. Chains that are clipped or have no noise are not Langevin's, and are judged by η L alone.";
  return [
    { kind: "heading", text: "Chains" },
    { kind: "table", caption: "Langevin chains after training", head, rows: body },
    { kind: "text", text },
    ...imageChainBlocks({ rows, datasets }),
  ];
}

/** The table of the chains on images; empty where there is none. */
function imageChainBlocks({ rows, datasets }: Pick<ResultTable, "rows" | "datasets">): Block[] {
  const body = rows.flatMap((row) =>
    row.chainHealth.flatMap(({ dataset, chain, images }) =>
      images === null ? [] : [[
        nameOf(row),
        labelOf(datasets, dataset),
        chain,
        formatEstimate(images.energy.data),
        formatEstimate(images.energy.start),
        formatEstimate(images.energy.end),
        ...[
          images.gradientNorm.start,
          images.gradientNorm.end,
          images.saturated.data,
          images.saturated.end,
          images.distance,
        ].map((value) => value === null ? NONE : formatNumber(value)),
      ]]
    )
  );
  if (body.length === 0) return [];
  const head = [
    "Method",
    "Data set",
    "chain",
    "U of data",
    "at start",
    "at end",
    "‖∇U‖ at start",
    "at end",
    "saturated, data",
    "at end",
    "distance",
  ];
  const text =
    "The chains on images. U: energy in nats, up to a constant, of the training images and of the chains " +
    "before their first and after their last step; a model at its maximum of likelihood gives data and samples the same " +
    "mean energy. Saturated: share of pixels at an end of their range, or beyond. Distance: root mean square change of a " +
    "pixel along the chain, as a share of its range.";
  return [
    { kind: "table", caption: "Chains on images", head, rows: body },
    { kind: "text", text },
  ];
}

function formatEstimate(estimate: Estimate | null): string {
  if (estimate === null) return NONE;
  const { mean, standardError } = estimate;
  return standardError === null
    ? String(Number(mean.toFixed(3)))
    : formatMeanStd(mean, standardError);
}

/** `0.05`, or `1e-6` where there would be many zeros. */
function formatStepSize(stepSize: number): string {
  const rounded = Number(stepSize.toPrecision(3));
  return rounded < 1e-3 ? rounded.toExponential() : String(rounded);
}

/** `unstable`, or `unstable in 2 of 3` where other seeds are better. */
function formatVerdict({ verdict, affected, n }: ChainHealthCell): string {
  return affected === n ? verdict : `${verdict} in ${affected} of ${n}`;
}

function labelOf(datasets: ResultTable["datasets"], name: string): string {
  return datasets.find((dataset) => dataset.name === name)?.label ?? name;
}

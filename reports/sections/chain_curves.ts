import type { ChainHealth, RunRecord } from "../../harness/core/records.ts";
import { BIAS_LIMIT, STABILITY_LIMIT } from "../../harness/statistics/chain_health.ts";
import { nameOf } from "../document/block.ts";
import { type Chart, chartsHtml } from "../page/chart.ts";
import { datasetLabel, type FigureData } from "../page/content.ts";
import { type Curve, curveChart } from "../page/curves.ts";
import { escapeHtml } from "../page/html.ts";

/** A number of a chain that is drawn by epoch. */
interface Quantity {
  readonly name: string;
  readonly valueOf: (health: ChainHealth) => number | undefined;
  readonly limits: readonly number[];
  readonly domain?: readonly [number, number];
}

const QUANTITIES: readonly Quantity[] = [
  {
    name: "η L, step size times the largest curvature",
    valueOf: ({ stability }) => stability?.quantile90,
    limits: [BIAS_LIMIT, STABILITY_LIMIT],
  },
  {
    name: "acceptance of a Metropolis test",
    valueOf: ({ acceptance }) => acceptance?.mean,
    limits: [],
    domain: [0, 1],
  },
];

const NOTE =
  `Chains by epoch, on 8 training images until the last epoch and on 50 after it. Dashed: η L = ${BIAS_LIMIT}, from where on ` +
  `variances are at least doubled, and ${STABILITY_LIMIT}, from where on there is no stationary distribution. A thin line is a ` +
  "seed, the thick line the mean over seeds.";

/** The health of chains over the epochs, as HTML; empty where no run recorded it between epochs. */
export function chainCurves({ table, rows }: FigureData): string[] {
  const parts = table.datasets.flatMap(({ name: dataset }) =>
    QUANTITIES.flatMap((quantity) => {
      const charts = rows.flatMap(({ row, records }) =>
        chartsOf(records.filter(({ spec }) => spec.dataset === dataset), {
          name: nameOf(row),
          quantity,
        })
      );
      if (charts.length === 0) return [];
      const heading = `${datasetLabel(table, dataset)}: ${quantity.name}`;
      return [`<h3>${escapeHtml(heading)}</h3>`, chartsHtml(charts)];
    })
  );
  return parts.length === 0 ? [] : [`<p class="note">${NOTE}</p>`, ...parts];
}

function chartsOf(
  runs: readonly RunRecord[],
  { name, quantity }: { readonly name: string; readonly quantity: Quantity },
): Chart[] {
  const between = runs.flatMap(({ epochs }) =>
    epochs.flatMap(({ chainHealth }) => chainHealth ?? [])
  );
  return [...new Set(between.map(({ chain }) => chain))].map((chain) =>
    curveChart(`${name}: ${chain} chain`, {
      curves: runs.map((run) => curveOf(run, { chain, quantity })),
      label: quantity.name,
      limits: quantity.limits,
      domain: quantity.domain,
    })
  );
}

function curveOf(
  run: RunRecord,
  { chain, quantity }: { readonly chain: string; readonly quantity: Quantity },
): Curve {
  const last = run.status === "completed" ? run.chainHealth : undefined;
  const measured = [
    ...run.epochs.map(({ epoch, chainHealth }) => ({ epoch: epoch + 1, chainHealth })),
    { epoch: run.epochs.length, chainHealth: last },
  ];
  const points = measured.flatMap(({ epoch, chainHealth = [] }) =>
    chainHealth.filter((one) => one.chain === chain).flatMap((one) => {
      const value = quantity.valueOf(one);
      return value === undefined ? [] : [{ epoch, value }];
    })
  );
  return { seed: run.spec.seed, points };
}

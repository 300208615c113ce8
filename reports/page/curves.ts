import * as Plot from "@observablehq/plot";
import { mean } from "../../harness/statistics/summary.ts";
import { type Chart, INK } from "./chart.ts";

/** A number by epoch in one run. */
export interface Curve {
  readonly seed: number;
  /** Epochs from 1. */
  readonly points: readonly { readonly epoch: number; readonly value: number }[];
  /** Why the run has no later points, if it ended early. */
  readonly ended?: string;
}

/** A chart of the curves of one method: a thin line for each seed, a thick one for the mean of the epochs that all seeds have. */
export function curveChart(
  title: string,
  { curves, label, domain, limits = [] }: {
    readonly curves: readonly Curve[];
    /** Of the axis. */
    readonly label: string;
    /** Of the axis; that of the values if absent. */
    readonly domain?: readonly [number, number];
    /** Horizontal lines, each named in the description. */
    readonly limits?: readonly number[];
  },
): Chart {
  const points = curves.flatMap(({ seed, points }) =>
    points.map(({ epoch, value }) => ({
      seed,
      epoch,
      value,
      title: `seed ${seed}, epoch ${epoch}: ${value.toPrecision(4)}`,
    }))
  );
  const shown = domain ?? aroundConstant(points.map(({ value }) => value));
  const byEpoch = Map.groupBy(points, ({ epoch }) => epoch);
  const means = [...byEpoch].filter(([, own]) => own.length === curves.length)
    .map(([epoch, own]) => ({ epoch, value: mean(own.map(({ value }) => value)) }))
    .toSorted((a, b) => a.epoch - b.epoch);
  const ends = curves.flatMap(({ seed, points, ended }) => {
    const last = points.at(-1);
    return ended === undefined || last === undefined
      ? []
      : [{ ...last, title: `seed ${seed} ${ended}` }];
  });
  return {
    title,
    description: describe(label, { curves, limits, means }),
    plot: {
      width: 280,
      height: 165,
      marginLeft: 48,
      marginRight: 10,
      marginTop: 12,
      marginBottom: 30,
      x: { label: "epoch", ticks: epochTicks(points.map(({ epoch }) => epoch)), tickFormat: ".0f" },
      y: { label: null, grid: true, ticks: 4, nice: true, ...shown && { domain: shown } },
      marks: [
        Plot.ruleY(limits, { stroke: INK.published, strokeDasharray: "4 3" }),
        Plot.line(points, {
          x: "epoch",
          y: "value",
          z: "seed",
          stroke: INK.own,
          strokeWidth: 1,
          strokeOpacity: 0.6,
        }),
        Plot.line(curves.length > 1 ? means : [], {
          x: "epoch",
          y: "value",
          stroke: INK.own,
          strokeWidth: 2.5,
        }),
        Plot.dot(points, { x: "epoch", y: "value", r: 1.8, fill: INK.own, title: "title" }),
        Plot.dot(ends, {
          x: "epoch",
          y: "value",
          r: 5,
          symbol: "times",
          stroke: INK.published,
          strokeWidth: 2,
          title: "title",
        }),
      ],
    },
  };
}

/** A domain about values that are all equal, between which an axis has no ticks; undefined for others. */
function aroundConstant(values: readonly number[]): readonly [number, number] | undefined {
  const [first] = values;
  if (first === undefined || values.some((value) => value !== first)) return undefined;
  const room = Math.abs(first) / 10 || 1;
  return [first - room, first + room];
}

/** Up to five whole epochs, evenly spaced, from the first to the last or nearly so. */
function epochTicks(epochs: readonly number[]): number[] {
  const [first, last] = [Math.min(...epochs), Math.max(...epochs)];
  const step = Math.max(1, Math.ceil((last - first) / 4));
  return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, i) => first + i * step);
}

function describe(
  label: string,
  { curves, limits, means }: {
    readonly curves: readonly Curve[];
    readonly limits: readonly number[];
    readonly means: Curve["points"];
  },
): string {
  const [first, last] = [means.at(0), means.at(-1)];
  const course = first === undefined || last === undefined ? [] : [
    `mean ${first.value.toPrecision(3)} after epoch ${first.epoch}, ${
      last.value.toPrecision(3)
    } after epoch ${last.epoch}`,
  ];
  const ended = curves.flatMap(({ seed, ended }) =>
    ended === undefined ? [] : [`seed ${seed} ${ended}`]
  );
  const lines = limits.length === 0 ? [] : [`dashed lines at ${limits.join(" and ")}`];
  return [`${label} by epoch, ${curves.length} seeds`, ...course, ...ended, ...lines].join("; ");
}

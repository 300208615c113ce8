/**
 * Panels of one posterior of two coordinates, or of a scalar one: its density, and a sampler's draws with it.
 *
 * @module
 */
import * as Plot from "@observablehq/plot";
import type {
  ShownDensity,
  ShownNormal,
  ToyReport,
  ToyRun,
} from "../../harness/core/toy_report.ts";
import { COLOURS } from "../document/plot.ts";
import { type Panel, panel, square } from "./panel.ts";

/** Draws shown at most. */
const DOTS = 600;
/** Levels of the lines under draws, of the greatest density. */
const LEVELS = [0.05, 0.25, 0.6, 0.9];
const LINES = { value: Plot.identity, stroke: "#234", strokeWidth: 0.7 };
/** Half of the axis of histograms of scalar posteriors, standard deviations, and its bins. */
const NORMAL_REACH = 4;
const NORMAL_BINS = 32;

/** The density as filled levels. */
export function densityPanel(density: ShownDensity, title: string): Panel {
  return panel(title, {
    ...square(reachOf(density)),
    color: { type: "linear", scheme: "blues", domain: [0, 1] },
    marks: [
      contours(density, { thresholds: 12, style: { fill: Plot.identity } }),
      Plot.frame({ stroke: "#999" }),
    ],
  });
}

/** Draws of `run` over the contours of `posterior`, where its density is known. */
export function samplePanel(
  { densities }: ToyReport,
  run: ToyRun,
  { posterior }: { readonly posterior: number },
): Panel {
  const density = densities.find((d) =>
    d.experiment === run.experiment && d.posterior === posterior
  );
  const extent = density ? reachOf(density) : 4;
  const dots = (run.shown[posterior] ?? []).slice(0, DOTS)
    .filter((z) => z.every((v) => Math.abs(v) < extent));
  return panel(titleOf(run), {
    ...square(extent),
    marks: [
      Plot.dot(dots, { x: "0", y: "1", r: 1.1, fill: COLOURS[1], fillOpacity: 0.55 }),
      ...(density ? [contours(density, { thresholds: LEVELS, style: LINES })] : []),
      Plot.frame({ stroke: "#999" }),
    ],
  });
}

/** Draws of the first posterior, in posterior standard deviations about its mean, under its density. */
export function histogramPanel(run: ToyRun, { mean, std, posterior }: ShownNormal): Panel {
  const draws = (run.shown[posterior] ?? []).map(([z]) => (z - mean) / std);
  const count = Math.max(1, draws.length);
  const width = 2 * NORMAL_REACH / NORMAL_BINS;
  const bins = Array.from({ length: NORMAL_BINS }, (_, i) => {
    const from = -NORMAL_REACH + i * width;
    const inside = draws.filter((z) => z >= from && z < from + width).length;
    return { x1: from, x2: from + width, density: inside / count / width };
  });
  const curve = Array.from({ length: 81 }, (_, i) => {
    const z = (2 * i / 80 - 1) * NORMAL_REACH;
    return [z, Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI)];
  });
  return panel(titleOf(run), {
    ...square(NORMAL_REACH),
    y: { domain: [0, 0.6], label: null, ticks: 4, tickSize: 3 },
    marks: [
      Plot.rectY(bins, { x1: "x1", x2: "x2", y: "density", fill: COLOURS[1], fillOpacity: 0.6 }),
      Plot.line(curve, { stroke: "#234", strokeWidth: 1 }),
      Plot.frame({ stroke: "#999" }),
    ],
  });
}

function titleOf({ label, shown }: ToyRun): string {
  return shown.length === 0 ? `${label}: diverged` : label;
}

/** The level lines, or filled levels, of a density. */
function contours(
  { values, cells, extent }: ShownDensity,
  { thresholds, style }: {
    readonly thresholds: number | readonly number[];
    readonly style: Plot.ContourOptions;
  },
): Plot.Markish {
  // Rows of the picture run along x, those of the table along y.
  const picture = values.map((_, i) => values[(i % cells) * cells + Math.floor(i / cells)]);
  return Plot.contour(picture, {
    width: cells,
    height: cells,
    x1: -extent,
    y1: -extent,
    x2: extent,
    y2: extent,
    ...style,
    thresholds: thresholds as number, // Plot takes a list too, which its types do not know
  });
}

/** Half the side of the square about the origin where the density is seen, and some more. */
function reachOf({ values, cells, extent }: ShownDensity): number {
  let reach = 0;
  values.forEach((v, i) => {
    if (v < 0.01) return;
    for (const k of [Math.floor(i / cells), i % cells]) {
      reach = Math.max(reach, Math.abs((k + 0.5) / cells * 2 - 1) * extent);
    }
  });
  return Math.min(extent, Math.ceil(2 * reach + 0.5) / 2);
}

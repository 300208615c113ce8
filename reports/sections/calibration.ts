import { type Block, formatNumber, nameOf, NONE } from "../document/block.ts";
import type { CalibrationCell, ResultTable } from "../document/result_table.ts";

/** Statistics T(z, x) as reports name them, in the order of columns. */
export const STATISTIC_LABELS: Readonly<Record<string, string>> = {
  logJoint: "log p(x, z)",
  logLikelihood: "log p(x | z)",
  gradient: "b(x)·z",
  squaredNorm: "|z|²",
  projection: "u·z",
};

/** Where z' comes from. */
export const START_LABELS: Readonly<Record<CalibrationCell["start"], string>> = {
  infer: "inference",
  fromTruth: "chain from the true z",
};

/** The fraction of equal values that is worth a note: float32 gives a few by rounding. */
const MANY_TIES = 0.05;

/** Calibration of inference: effects and signed-rank z of every statistic. */
export function calibrationBlocks({ rows, datasets }: ResultTable): Block[] {
  const cells = rows.flatMap((row) => row.calibration.map((cell) => ({ row, cell })));
  if (cells.length === 0) return [];
  const body = cells.map(({ row, cell }) => [
    nameOf(row),
    datasets.find(({ name }) => name === cell.dataset)?.label ?? cell.dataset,
    START_LABELS[cell.start],
    ...Object.keys(STATISTIC_LABELS).map((name) => {
      const found = cell.statistics.find(({ statistic }) => statistic === name);
      return found === undefined
        ? NONE
        : `${found.effect.toFixed(2)} (${found.z.toFixed(1)}, ${formatP(found.p)})`;
    }),
    `${cell.rejected} of ${cell.n}`,
  ]);
  const head = [
    "Method",
    "Data set",
    "z\u2032 from",
    ...Object.values(STATISTIC_LABELS),
    "rejected",
  ];
  const sizes = [...new Set(cells.map(({ cell }) => cell.images))].map((images) => {
    const { band, smallestEffect } = cells.find(({ cell }) => cell.images === images)?.cell ?? {};
    if (band === undefined || smallestEffect === undefined) return "";
    return `N = ${images}: 95 % null band of an effect ±${
      formatNumber(band)
    }, of the KS distance ` +
      `${formatNumber(band / 2)}; smallest effect found with power 0.99: ${
        formatNumber(smallestEffect)
      }.`;
  });
  const text =
    "Simulation-based calibration: draw z from the model's prior, x from p(x | z) and z\u2032 by inference, N times a " +
    "run. If z\u2032 is a draw of p(z | x), then T(z\u2032, x) - T(z, x) is symmetric about 0 for every T. Each cell has the effect " +
    "2 P(T(z\u2032) > T(z)) - 1, which is 0 if inference is right and ±1 if T is always above or below, with the " +
    "z of the signed-rank test, means over seeds, and the smallest p-value of a seed. The Kolmogorov-Smirnov " +
    "distance of one-draw ranks is half of the effect's size. b(x) is the direction of the gradient of log p(x | z) at z = 0, u one fixed direction. Rejected: " +
    "seeds in which a statistic has p below 0.0002, 0.001 shared by five, or a draw is not finite. " +
    "Simulated images carry the pixel noise of p(x | z), which the images that an encoder was trained on do not.";
  const chains = cells.some(({ cell }) => cell.start === "fromTruth")
    ? " A chain from the true z starts at a draw of the posterior. A kernel that leaves the posterior invariant passes " +
      "from there at any length, so its rejection is due to its step size; a rejection of inference alone is due to " +
      "its start or its length."
    : "";
  const inexact = [
    ...new Set(cells.filter(({ cell }) => !cell.priorIsExact).map(({ row }) => nameOf(row))),
  ];
  const caveat = inexact.length === 0 ? [] : [
    `${
      inexact.join(", ")
    }: z is drawn by the method's own prior chain, whose distribution is not exactly p(z). ` +
    "An effect of up to twice their total variation distance, which is unknown, may be the prior chain's; only larger effects are inference's.",
  ];
  const notFinite = cells.filter(({ cell }) => cell.notFinite > 0).map(({ row, cell }) =>
    `${nameOf(row)}, ${START_LABELS[cell.start]}: ${cell.notFinite} of ${
      cell.n * cell.images
    } simulated images left out because a draw or a density is not finite.`
  );
  const tied = cells.flatMap(({ row, cell }) =>
    cell.statistics.filter(({ ties }) => ties > MANY_TIES * cell.n * cell.images).map((
      { statistic, ties },
    ) =>
      `${nameOf(row)}, ${START_LABELS[cell.start]}: ${ties} of ${cell.n * cell.images} values of ${
        STATISTIC_LABELS[statistic] ?? statistic
      } are equal for z and z\u2032, so z\u2032 repeats z or the statistic ignores it.`
    )
  );
  return [
    { kind: "heading", text: "Calibration of inference" },
    { kind: "table", caption: "Calibration of inference", head, rows: body },
    { kind: "text", text: [`${text}${chains}`, ...sizes].join(" ") },
    ...caveat.length + notFinite.length + tied.length === 0
      ? []
      : [{ kind: "list", items: [...caveat, ...notFinite, ...tied] } as const],
  ];
}

/** `p = 0.03`, or `p < 1e-12`. */
function formatP(p: number): string {
  if (p < 1e-12) return "p < 1e-12";
  return `p = ${p < 1e-3 ? p.toExponential(0) : p.toPrecision(2)}`;
}

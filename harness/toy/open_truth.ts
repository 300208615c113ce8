import type { Device } from "../core/types.ts";
import type { Target } from "../core/toy_types.ts";
import { gaussianTruth } from "./gaussian_truth.ts";
import { tabulate, tabulateGradients } from "./grid.ts";
import { gridTruth } from "./grid_truth.ts";
import { transportTruth } from "./transport_truth.ts";
import type { Truth } from "./truth.ts";

/** Side of the square on which the KL of Gaussians is worked out, relative to the answer's. */
const WIDER = 2;

/** The truth about `target`; grids are tabulated on `device`. */
export async function openTruth(target: Target, device: Device): Promise<Truth> {
  const { answer } = target;
  if (answer.kind === "gaussian") return gaussianTruth(answer);
  if (answer.kind === "transport") return transportTruth(answer, target.dim);
  const grids = await tabulate({ ...target, answer }, device);
  const gradients = await tabulateGradients({ ...target, answer }, device);
  const wide = { ...answer, extent: WIDER * answer.extent };
  return gridTruth(grids, {
    answer,
    gradients,
    wide: await tabulate({ ...target, answer: wide }, device),
  });
}

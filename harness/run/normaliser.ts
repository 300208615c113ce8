import type { MeanEstimate, Normaliser } from "../core/annealed.ts";
import { foldIn, type Key } from "../core/noise.ts";
import type { Device, DeviceState, HostArray, JointDensity } from "../core/types.ts";
import { type Estimate, logMeanExp, reverseBound } from "../statistics/annealing.ts";
import { compileAnnealer, type LogRatio, type Transition } from "./annealing.ts";
import { pathOf, tuneSteps, upperDecile } from "./annealing_path.ts";
import { normalRows } from "./host_rows.ts";
import { curvaturesOf } from "./ratio_curvatures.ts";

/** Chains and temperatures for log Z, which is one number for all images. */
const PRIOR_CHAINS = 64;
const PRIOR_TEMPERATURES = 3000;

/**
 * log Z up from N(0, I), and down from the ends of long chains at beta = 1 that go on from there; those ends are also the
 * prior draws that images are simulated from.
 */
export async function estimateNormaliser(
  state: DeviceState,
  { device, joint, transition, key, images }: {
    readonly device: Device;
    readonly joint: JointDensity;
    readonly transition: Transition;
    readonly key: Key;
    /** Prior draws wanted, at least. */
    readonly images: number;
  },
): Promise<{
  readonly state: DeviceState;
  readonly normaliser: Normaliser;
  readonly draws: HostArray;
}> {
  const logRatio: LogRatio = (state, z) => {
    if (joint.tilt === undefined) throw new TypeError("A prior without a tilt has log Z = 0");
    return joint.tilt(state, z);
  };
  const own = foldIn(key, "normaliser");
  const rows = Math.max(PRIOR_CHAINS, images);
  const start = normalRows(foldIn(own, "start"), rows, joint.dim);
  const measured = await curvaturesOf(state, { device, logRatio, key: own, z: start });
  const curvature = upperDecile(measured.curvatures);
  await using annealer = await compileAnnealer(device, {
    state: measured.state,
    logRatio,
    transition,
    key: foldIn(own, "chains"),
    chains: { start },
  });
  const { dim } = joint;
  const tuned = await tuneSteps(measured.state, { annealer, chains: { start }, curvature, dim });
  const { scale } = tuned;
  const path = pathOf({ temperatures: PRIOR_TEMPERATURES, curvature, dim, scale });
  const up = await annealer.run(tuned.state, { direction: "up", start }, path);
  const long = await annealer.run(up.state, { direction: "stay", start: up.end }, path);
  const down = await annealer.run(long.state, { direction: "down", start: long.end }, path);
  const estimate = ({ value, standardError }: Estimate): MeanEstimate => ({
    mean: value,
    standardError,
  });
  return {
    state: down.state,
    normaliser: {
      lower: estimate(logMeanExp(up.logWeights)),
      upper: estimate(reverseBound(down.logWeights)),
      chains: rows,
      temperatures: PRIOR_TEMPERATURES,
      acceptance: up.acceptance,
    },
    draws: long.end,
  };
}

import { NotFiniteError } from "../core/not_finite.ts";
import type { DeviceState } from "../core/types.ts";
import { geometricTemperatures } from "../statistics/annealing.ts";
import { type Annealer, BLOCK, type Chains, type Path } from "./annealing.ts";

/**
 * The path for a largest curvature: geometric, with MALA steps eta = c^2 / (2 (1 + beta curvature)), whose acceptance on
 * Gaussians is 0.7 to 0.8 for c = 1.1 at 8 dimensions; c falls with the sixth root of the dimension (Roberts and Rosenthal
 * 1998). `scale` multiplies c.
 */
export function pathOf(
  { temperatures, curvature, dim, scale = 1 }: {
    readonly temperatures: number;
    readonly curvature: number;
    readonly dim: number;
    readonly scale?: number;
  },
): Path {
  const c = scale * 1.1 * (8 / dim) ** (1 / 6);
  return {
    betas: geometricTemperatures(temperatures, curvature),
    stepSize: (beta) => c * c / 2 / (1 + beta * curvature),
  };
}

/** The 0.9 quantile, at least 0. Throws NotFiniteError where a curvature is not finite. */
export function upperDecile(curvatures: readonly number[]): number {
  const sorted = curvatures.toSorted((a, b) => a - b);
  const value = sorted[Math.floor(0.9 * (sorted.length - 1))];
  if (!curvatures.every(Number.isFinite)) throw new NotFiniteError("curvature", NaN);
  return Math.max(0, value);
}

/** Acceptance at which the table of c was made, 0.71 to 0.80, with room below; MALA's optimum in many dimensions is 0.574. */
const LEAST = 0.6;
const MOST = 0.8;
/** A pilot's transitions, the factor between two of them, and how many there are at most. */
const PILOT = 2 * BLOCK;
const FACTOR = 1.2;
const PILOTS = 5;

/**
 * The factor of the step sizes at which pilot chains along a short path, from `chains.start` up, are accepted at a rate between
 * LEAST and MOST, or the last one tried. The largest curvature alone makes steps too short where few directions have it.
 * Pilots share no noise with later chains, so that these stay exact. Consumes `state`.
 */
export async function tuneSteps(
  state: DeviceState,
  { annealer, chains, curvature, dim }: {
    readonly annealer: Annealer;
    readonly chains: Pick<Chains, "start" | "images">;
    readonly curvature: number;
    readonly dim: number;
  },
): Promise<{ readonly state: DeviceState; readonly scale: number }> {
  let scale = 1;
  for (let pilot = 0; pilot < PILOTS; pilot++) {
    const path = pathOf({ temperatures: PILOT, curvature, dim, scale });
    const end = await annealer.run(state, { ...chains, direction: "up" }, path);
    state = end.state;
    if (end.acceptance >= LEAST && end.acceptance <= MOST) break;
    scale *= end.acceptance > MOST ? FACTOR : 1 / FACTOR;
  }
  return { state, scale };
}

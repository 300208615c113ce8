import { symmetricEigen } from "../linalg/symmetric_eigen.ts";
import type { Device, HostArray } from "../core/types.ts";
import type { Sampler, Target } from "../core/toy_types.ts";
import { expectedAcceptance } from "./acceptance.ts";
import { type Estimate, estimate, independent, knownRow, type Row } from "./known_values.ts";
import type { ChainRun } from "./run_chains.ts";
import type { Truth } from "./truth.ts";

/** Independent draws from which proposals are made. */
const PROPOSALS = 60_000;

/** What the rows are worked out from. */
interface Context {
  readonly target: Target;
  readonly sampler: Sampler;
  readonly truth: Truth;
  readonly device: Device;
}

/** The mean energy of a run against the one that theory gives its step, and its acceptance rate against the expected one. */
export async function knownRows(run: ChainRun, context: Context): Promise<Row[]> {
  return [energyRow(run, context), ...await acceptanceRows(run, context)];
}

/** Mean energy above that of the posterior, over all points. Every error of the temperature moves it. */
function energyRow(run: ChainRun, { target, sampler, truth }: Context): Row {
  const gated = !sampler.ungated?.(target);
  const { value, error } = estimate(energiesOf(run));
  const bias = biasOf(run, { target, sampler });
  return knownRow("energy", {
    value: value - truth.energy,
    error,
    expected: gated ? bias : null,
    exact: 0,
  });
}

/** Energies of each chain over time, averaged over the points. */
function energiesOf({ energies, draws: { count, chains, points } }: ChainRun): Float64Array[] {
  return Array.from(
    { length: chains },
    (_, chain) =>
      Float64Array.from({ length: count }, (_, t) => {
        const at = (t * chains + chain) * points;
        let sum = 0;
        for (let i = 0; i < points; i++) sum += energies[at + i];
        return sum / points;
      }),
  );
}

/** The energy that the bias of the step adds; null where theory does not say. */
function biasOf(
  { settings }: ChainRun,
  { target, sampler: { varianceRatio } }: Pick<Context, "target" | "sampler">,
): number | null {
  const { answer } = target;
  if (answer.kind !== "gaussian" || !varianceRatio) return null;
  const ratios = symmetricEigen(answer.covariance).values
    .map((variance) => varianceRatio(1 / variance, { target, settings }));
  return ratios.reduce((sum, ratio) => sum + (ratio - 1) / 2, 0);
}

async function acceptanceRows(
  { acceptance, settings }: ChainRun,
  { target, sampler, truth, device }: Context,
): Promise<Row[]> {
  if (!acceptance) return [];
  const own = independent(acceptance);
  const expected = await expectedAcceptance(target, {
    starts: exactStarts(target, truth),
    stepSize: settings.stepSize,
    joint: sampler.decidesJointly ?? false,
    device,
  });
  return [knownRow("acceptance", {
    value: own.value,
    error: combined(own, expected),
    expected: sampler.ungated?.(target) ? null : expected.value,
    exact: expected.value,
  })];
}

function combined(a: Estimate, b: Estimate): number {
  return Math.hypot(a.error, b.error);
}

/** Independent draws of all posteriors, [count, points, dim]. */
function exactStarts({ points, dim }: Target, truth: Truth): HostArray {
  const count = Math.ceil(PROPOSALS / points);
  const data = new Float32Array(count * points * dim);
  for (let point = 0; point < points; point++) {
    const posterior = point % truth.count;
    const sample = truth.draw(posterior, { count, seed: `acceptance/${point}` });
    for (let n = 0; n < count; n++) {
      data.set(sample.data.subarray(n * dim, (n + 1) * dim), (n * points + point) * dim);
    }
  }
  return { shape: [count, points, dim], dtype: "float32", data };
}

import { NotFiniteError } from "../core/not_finite.ts";
import type { Key } from "../core/noise.ts";
import type {
  AlternativeSampling,
  Device,
  DeviceState,
  HostArrays,
  ImageShape,
  Model,
} from "../core/types.ts";
import type { AlternativeScores, Estimate } from "../core/records.ts";
import type { Chains } from "./batches.ts";
import { compileGenerator } from "./generator.ts";
import { writeSampleGrid } from "./sample_grid.ts";
import type { Scorer, Scores } from "./scorer.ts";

/** Options of `scoreAlternatives`. */
export interface AlternativesSetting {
  readonly model: Model;
  readonly device: Device;
  /** The key of the method's own samples: its alternatives draw the same noise. */
  readonly key: Key;
  readonly count: number;
  readonly image: ImageShape;
  readonly chains: Chains;
  readonly score: Scorer;
  /** Scores of the initial state, by name. */
  readonly untrained?: Readonly<Record<string, Scores>>;
  /** The mean of -log p(x) of test images in nats per dimension under a density; densities are not measured if absent. */
  readonly bound?: (
    logDensity: NonNullable<AlternativeSampling["logDensity"]>,
    state: DeviceState,
  ) => Promise<Estimate>;
  /** The run's folder, for the grids samples_NAME.png; none are written if absent. */
  readonly dir?: string;
}

/** Scores of samples drawn from `state` in each alternative way of the model, by name; undefined if it has none. */
export async function scoreAlternatives(
  state: HostArrays,
  { model, device, key, count, image, chains, score, untrained, bound, dir }: AlternativesSetting,
): Promise<Record<string, AlternativeScores> | undefined> {
  if (model.alternatives === undefined) return undefined;
  const results: Record<string, AlternativeScores> = {};
  for (const { name, label, sample, logDensity } of model.alternatives) {
    const base = { label, untrained: untrained?.[name] ?? {} };
    const uploaded = await device.upload(state);
    await using generator = await compileGenerator(device, {
      model: { ...model, sample },
      key,
      state: uploaded,
      count,
      image,
    });
    try {
      const { scores, families, images } = await score({ generator, state: uploaded, chains });
      const nats = logDensity && await bound?.(logDensity, await device.upload(state));
      results[name] = {
        ...base,
        scores,
        ...families && { families },
        ...nats && { bitsPerDim: inBits(nats) },
      };
      if (dir !== undefined) await writeSampleGrid(`${dir}/samples_${name}.png`, images);
    } catch (error) {
      // The method's own samples are finite: the run is complete, and says what this row lacks.
      if (!(error instanceof NotFiniteError)) throw error;
      results[name] = { ...base, scores: {}, error: error.message };
    }
  }
  return results;
}

function inBits({ mean, standardError }: Estimate): Estimate {
  return {
    mean: mean / Math.LN2,
    standardError: standardError === null ? null : standardError / Math.LN2,
  };
}

/** The scores alone, by name. */
export function scoresByName(
  results: Readonly<Record<string, AlternativeScores>>,
): Record<string, Scores> {
  return Object.fromEntries(Object.entries(results).map(([name, { scores }]) => [name, scores]));
}

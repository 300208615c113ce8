import * as tf from "@tensorflow/tfjs";
import { repeat } from "../core/repeat.ts";
import { createNoise, foldIn, keyOf } from "../core/noise.ts";
import type { ArraySpec, Device, HostArray, HostArrays, Program, State } from "../core/types.ts";
import type { Draws, Sampler, SamplerSettings, Target } from "../core/toy_types.ts";

/** Steps in one graph: loops are written out on the CPU, and longer ones compile for seconds. */
const STEPS_PER_CALL = 100;

/** A run of all chains. */
export interface ChainRun {
  readonly settings: SamplerSettings;
  /** Draws after the burn-in. */
  readonly draws: Draws;
  /** U = -log density at the draws, up to the target's constant, [draws, chains, points]. */
  readonly energies: Float32Array;
  /** Rate of accepted proposals after the burn-in of whatever decides by itself; null without a Metropolis test. */
  readonly acceptance: readonly number[] | null;
  readonly state: HostArrays;
  /** Seconds that the steps took, compilation apart. */
  readonly seconds: number;
  /** Chain-steps a second, a chain being all points of the target. */
  readonly chainStepsPerSecond: number;
  /** Gradients of the energy of all points that a chain took, burn-in included. */
  readonly gradients: number;
}

/** Options of `runChains`. */
export interface ChainOptions {
  readonly device: Device;
  readonly seed: number;
  /** Over what target and sampler say. */
  readonly overrides?: Partial<SamplerSettings>;
}

/** The settings of `sampler` on `target`. Throws RangeError when no draw is left. */
export function resolveSettings(
  sampler: Sampler,
  { target, overrides }: { readonly target: Target; readonly overrides?: Partial<SamplerSettings> },
): SamplerSettings {
  const settings = {
    ...target.length,
    stepSize: target.stepSize,
    batchSize: target.batchSize,
    featureDim: target.encoder.width,
    ...sampler.settings?.(target),
    ...overrides,
  };
  const { steps, burnIn, thin } = settings;
  if (!(steps > burnIn && burnIn % thin === 0 && (steps - burnIn) % thin === 0)) {
    throw new RangeError(
      `${sampler.name} on ${target.name}: ${steps} steps with ${burnIn} of burn-in are no multiples of thin ${thin}`,
    );
  }
  return settings;
}

/** Runs all chains of `sampler` on `target`, compiled in one graph. The same seed gives the same draws. */
export async function runChains(
  sampler: Sampler,
  { target, device, seed, overrides }: ChainOptions & { readonly target: Target },
): Promise<ChainRun> {
  const settings = resolveSettings(sampler, { target, overrides });
  const key = foldIn(foldIn(foldIn(keyOf(seed), "toy"), target.name), sampler.name);
  const start = await initialState(sampler, { target, settings, key });
  const { thin, steps, burnIn, chains } = settings;
  const perCall = stepsPerCall(thin);
  const records = Math.max(1, perCall / thin); // draws of one call
  await using program = await compile(sampler, { target, settings, key, device, start, perCall });
  let state = await device.upload(start);
  const { points, dim } = target;
  const size = chains * points * dim;
  const count = (steps - burnIn) / thin;
  const data = new Float32Array(count * size);
  const energies = new Float32Array(count * chains * points);
  const accepted: Float32Array[] = []; // before the first draw, and at the last
  let filled = 0;
  const began = performance.now();
  for (let step = 0; step < steps; step += perCall) {
    const result = await program.run(state, { step: int32(step), clock: float32(step) });
    state = result.state;
    for (let r = 0; r < records; r++) {
      const at = step + (r + 1) * perCall / records; // steps made at this draw
      const rowOf = ({ data }: HostArray) =>
        data.subarray(r * data.length / records, (r + 1) * data.length / records) as Float32Array;
      if (at > burnIn && at <= steps && at % thin === 0) {
        data.set(rowOf(result.outputs.z), filled * size);
        energies.set(rowOf(result.outputs.energy), filled * chains * points);
        filled++;
      }
      if (sampler.accepted && (at === burnIn || at === steps)) {
        accepted.push(rowOf(result.outputs.accepted).slice());
      }
    }
  }
  const seconds = (performance.now() - began) / 1000;
  return {
    settings,
    draws: { count, chains, points, dim, data },
    energies,
    acceptance: sampler.accepted ? ratesOf(accepted, steps - burnIn) : null,
    state: await device.download(state),
    seconds,
    chainStepsPerSecond: steps * chains / seconds,
    gradients: steps * sampler.gradientsPerStep(target, settings),
  };
}

/** Rates from the numbers of accepted proposals at the end of the burn-in, if there was any, and at the end. */
function ratesOf(accepted: readonly Float32Array[], steps: number): number[] {
  const [last, before] = accepted.toReversed();
  return Array.from(last, (count, i) => (count - (before?.[i] ?? 0)) / steps);
}

/** Steps of a call: a multiple of `thin` where that is small, else its largest divisor that is small enough. */
function stepsPerCall(thin: number): number {
  if (thin <= STEPS_PER_CALL) return Math.floor(STEPS_PER_CALL / thin) * thin;
  for (let steps = STEPS_PER_CALL; steps > 1; steps--) if (thin % steps === 0) return steps;
  return 1;
}

type Key = ReturnType<typeof keyOf>;

/** The state before the first step and the target's parameters, as host arrays. */
export async function initialState(
  sampler: Sampler,
  { target, settings, key }: {
    readonly target: Target;
    readonly settings: SamplerSettings;
    readonly key: Key;
  },
): Promise<HostArrays> {
  await tf.setBackend("cpu");
  const tensors = tf.tidy(() =>
    sampler.init(target, {
      settings,
      noise: createNoise(foldIn(key, "init"), tf.scalar(0, "int32")),
    }) as unknown as tf.TensorContainerObject
  ) as unknown as State;
  const arrays = Object.entries(tensors).map(([name, t]): [string, HostArray] => {
    const data = t.dataSync() as Float32Array;
    const array = { shape: t.shape, dtype: "float32" as const, data: data.slice() };
    t.dispose();
    return [name, array];
  });
  const parameters = Object.entries(target.parameters).map(([name, array]) =>
    [`target/${name}`, array] as const
  );
  return Object.fromEntries([...arrays, ...parameters]);
}

/** A program of `perCall` steps that returns the latents every `thin` steps, z [records, chains, points, dim]. */
function compile(
  sampler: Sampler,
  { target, settings, key, device, start, perCall }: {
    readonly target: Target;
    readonly settings: SamplerSettings;
    readonly key: Key;
    readonly device: Device;
    readonly start: HostArrays;
    readonly perCall: number;
  },
): Promise<Program> {
  const stride = Math.min(settings.thin, perCall);
  const specs: Record<string, ArraySpec> = {};
  for (const [name, { shape, dtype }] of Object.entries(start)) specs[name] = { shape, dtype };
  return device.compile(({ state: all, inputs }) => {
    const noise = createNoise(foldIn(key, "steps"), inputs.step as tf.Scalar);
    const parameters = Object.fromEntries(
      Object.keys(target.parameters).map((name) => [name, all[`target/${name}`]]),
    );
    let state: State = Object.fromEntries(
      Object.entries(all).filter(([name]) => !name.startsWith("target/")),
    );
    const records: Record<string, tf.Tensor>[] = [];
    for (let done = 0; done < perCall; done += stride) {
      const own = noise.split("from", done);
      const each = Object.fromEntries(
        Object.entries(sampler.draws(target, settings)).map(([name, { shape, kind }]) =>
          [name, own.split(name)[kind]([stride, ...shape])] as const
        ),
      );
      const clock = tf.add(inputs.clock, tf.range(done, done + stride));
      state = repeat(stride, state, (state, { clock, ...draws }) =>
        sampler.step(state, {
          target,
          parameters,
          settings,
          draws,
          step: clock as tf.Scalar,
        }), { ...each, clock });
      const z = sampler.latents(state, target);
      records.push({
        z,
        energy: tf.neg(target.logDensity(z, parameters)),
        ...(sampler.accepted && { accepted: sampler.accepted(state) }),
      });
    }
    const outputs = Object.fromEntries(
      Object.keys(records[0]).map((name) => [name, tf.stack(records.map((r) => r[name]))]),
    );
    return { state, outputs };
  }, {
    state: specs,
    inputs: { step: { shape: [], dtype: "int32" }, clock: { shape: [], dtype: "float32" } },
  });
}

function int32(value: number): HostArray {
  return { shape: [], dtype: "int32", data: Int32Array.of(value) };
}

function float32(value: number): HostArray {
  return { shape: [], dtype: "float32", data: Float32Array.of(value) };
}

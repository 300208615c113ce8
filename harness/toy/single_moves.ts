/**
 * Single moves of a sampler against their distribution. Each move is made twice, with its normal draws and with their negatives: half
 * the sum of both moves is the drift, almost without noise, and half the difference is the noise.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { createNoise, foldIn, keyOf } from "../core/noise.ts";
import type { ToyRow } from "../core/toy_report.ts";
import type { Sampler, SamplerSettings, Target } from "../core/toy_types.ts";
import type { Device, HostArrays, State } from "../core/types.ts";
import { knownRow, type Row } from "./known_values.ts";
import { initialState, resolveSettings } from "./run_chains.ts";
import type { SuiteOptions } from "./suite_options.ts";

/** Consecutive moves of each chain. */
const MOVES = 4;
/** Coordinates of all chains and points: with four moves of each they know a variance to 1 %. */
const COORDINATES = 5_000;
/** Of the target's step size: so short that terms of a higher order are below a percent. */
const SHORT = 1 / 50;
/** Step size times the mean square of a gradient's coordinate: so long that these terms show. */
const LONG = 0.8;
/** Step sizes that are tried for long moves, and the largest ratio to Euler's moves that is no explosion. */
const HALVINGS = 8;
const LARGEST = 10;
/** Bound on the effect of such terms on a ratio of 1, and on that of float32's rounding of a move. */
const ROOM = 0.02;
const ROUNDING = 1e-3;
/** Relative accuracy to which float32 repeats the moves of the same draws, on any machine. */
const REPEATED = 1e-4;

/**
 * `drift` and `noise` are the sizes of both parts of short moves over those that the rule should have, 1 each. `drift_long` and
 * `noise_long` are the same of long moves, where every constant of a rule with several stages shows: compared with the baseline
 * alone. So is `noise_change` of rules with several stages, the root mean square over coordinates of how the first move's noise,
 * in its standard deviations, differs between the two step sizes: the effect of the other stages by itself, however small.
 */
export async function runSingleMoves(
  sampler: Sampler,
  { target, device, seed }: SuiteOptions & { readonly target: Target },
): Promise<ToyRow[]> {
  const room = sampler.hasExactMove ? ROUNDING : ROOM;
  const short = await measure(sampler, {
    target,
    device,
    seed,
    stepSize: SHORT * target.stepSize,
  });
  const long = await measureLong(sampler, { target, device, seed });
  const change = rmsDifference(short, long);
  const known = { expected: 1, exact: null, room };
  const rows: Row[] = [
    knownRow("drift", { ...short.drift, ...known }),
    knownRow("noise", { ...short.noise, ...known }),
    shownRow("drift_long", long.drift.value),
    shownRow("noise_long", long.noise.value),
    // Rounding is all that changes an exact move.
    ...sampler.hasExactMove ? [] : [shownRow("noise_change", change, change)],
  ];
  return rows.map((row) => ({ experiment: target.name, sampler: movesOf(sampler), ...row }));
}

/**
 * Long moves, with half the step size as often as four of them explode: a gradient that grows faster than its coordinate, as
 * that of a quartic well, lets them leave the range of float32, or magnifies rounding.
 */
async function measureLong(
  sampler: Sampler,
  { target, ...options }: SuiteOptions & { readonly target: Target },
) {
  const longest = LONG / target.gradientScale ** 2;
  for (let halvings = 0; halvings < HALVINGS; halvings++) {
    const long = await measure(sampler, { ...options, target, stepSize: longest / 2 ** halvings });
    if (Math.abs(long.drift.value) < LARGEST && long.noise.value < LARGEST) return long;
  }
  throw new RangeError(
    `${sampler.name} on ${target.name}: moves explode at a step size of ${longest / 2 ** HALVINGS}`,
  );
}

/** Noise of the first move of each coordinate over its standard deviation: at any step size the same draws. */
interface FirstMove {
  readonly firstNoise: readonly number[];
}

function rmsDifference({ firstNoise: a }: FirstMove, { firstNoise: b }: FirstMove): number {
  return Math.sqrt(a.reduce((sum, x, i) => sum + (x - b[i]) ** 2, 0) / a.length);
}

/** The name of a sampler's moves in rows. */
export function movesOf({ name }: Sampler): string {
  return `${name}_moves`;
}

/** The same draws give the same moves: what is not rounding, relative to `size`, is another rule. */
function shownRow(metric: string, value: number, size = 1): Row {
  return knownRow(metric, { value, error: REPEATED * size, expected: null, exact: null });
}

/** Positions before moves, after them and after their mirror images, and gradients before: [moves, chains, points, dim] each. */
interface Moves {
  readonly before: ArrayLike<number>;
  readonly after: ArrayLike<number>;
  readonly mirrored: ArrayLike<number>;
  readonly gradient: ArrayLike<number>;
}

async function measure(
  sampler: Sampler,
  { target, device, seed, stepSize }: SuiteOptions & {
    readonly target: Target;
    readonly stepSize: number;
  },
) {
  const { points, dim } = target;
  const chains = Math.ceil(COORDINATES / (points * dim));
  const settings = resolveSettings(sampler, {
    target,
    overrides: { stepSize, chains, steps: MOVES, burnIn: 0, thin: 1 },
  });
  const moves = await makeMoves(sampler, { target, device, seed, settings });
  const count = moves.before.length / MOVES;
  let [information, projection, squares] = [0, 0, 0];
  const firstNoise: number[] = [];
  const parts: { readonly drift: number; readonly mean: number; readonly variance: number }[] = [];
  for (let i = 0; i < count; i++) {
    const gradients: number[] = [];
    for (let t = 0; t < MOVES; t++) {
      const at = t * count + i;
      gradients.push(moves.gradient[at]);
      const { mean, variance } = moveOf(sampler)(moves.before[at], gradients, stepSize);
      const [up, down] = [moves.after[at], moves.mirrored[at]].map((z) => z - moves.before[at]);
      const drift = (up + down) / 2;
      const noise = (up - down) / 2;
      if (t === 0) firstNoise.push(noise / Math.sqrt(variance));
      squares += noise ** 2 / variance;
      information += mean ** 2 / variance;
      projection += mean * drift / variance;
      parts.push({ drift, mean, variance });
    }
  }
  const slope = projection / information;
  const scatter = parts.reduce(
    (sum, { drift, mean, variance }) => sum + ((drift - slope * mean) * mean / variance) ** 2,
    0,
  );
  return {
    drift: { value: slope, error: Math.hypot(Math.sqrt(scatter) / information, REPEATED) },
    noise: { value: squares / parts.length, error: Math.sqrt(2 / parts.length) },
    firstNoise,
  };
}

function moveOf({ name, move }: Sampler): NonNullable<Sampler["move"]> {
  if (!move) throw new RangeError(`Sampler ${name} does not say how it moves`);
  return move;
}

async function makeMoves(
  sampler: Sampler,
  { target, device, seed, settings }: SuiteOptions & {
    readonly target: Target;
    readonly device: Device;
    readonly settings: SamplerSettings;
  },
): Promise<Moves> {
  const key = foldIn(foldIn(foldIn(keyOf(seed), "moves"), target.name), sampler.name);
  const start = await initialState(sampler, { target, settings, key });
  await using program = await device.compile(({ state: all, inputs }) => {
    const noise = createNoise(foldIn(key, "draws"), inputs.step as tf.Scalar);
    const parameters = parametersOf(all, target);
    const gradientAt = tf.grad((z: tf.Tensor) =>
      tf.neg(tf.sum(target.logDensity(z as tf.Tensor3D, parameters)))
    );
    let state: State = Object.fromEntries(
      Object.entries(all).filter(([name]) => !name.startsWith("target/")),
    );
    const before: tf.Tensor[] = [];
    const after: tf.Tensor[] = [];
    const mirrored: tf.Tensor[] = [];
    const gradient: tf.Tensor[] = [];
    for (let t = 0; t < MOVES; t++) {
      const specs = Object.entries(sampler.draws(target, settings));
      const drawn = specs.map(([name, { shape, kind }]) =>
        [name, noise.split(name, t)[kind](shape), kind] as const
      );
      const step = tf.scalar(t);
      const move = (sign: number) =>
        sampler.step(state, {
          target,
          parameters,
          settings,
          step,
          draws: Object.fromEntries(
            drawn.map((
              [name, draw, kind],
            ) => [name, kind === "normal" ? tf.mul(draw, sign) : draw]),
          ),
        });
      const z = sampler.latents(state, target);
      before.push(z);
      gradient.push(gradientAt(z));
      mirrored.push(sampler.latents(move(-1), target));
      state = move(1);
      after.push(sampler.latents(state, target));
    }
    return {
      outputs: {
        before: tf.stack(before),
        after: tf.stack(after),
        mirrored: tf.stack(mirrored),
        gradient: tf.stack(gradient),
      },
    };
  }, {
    state: Object.fromEntries(
      Object.entries(start).map(([name, { shape, dtype }]) => [name, { shape, dtype }]),
    ),
    inputs: { step: { shape: [], dtype: "int32" } },
  });
  const { outputs } = await program.run(await device.upload(start), {
    step: { shape: [], dtype: "int32", data: Int32Array.of(0) },
  });
  const { before, after, mirrored, gradient } = outputs as HostArrays;
  return {
    before: before.data,
    after: after.data,
    mirrored: mirrored.data,
    gradient: gradient.data,
  };
}

/** The target's parameters among the state's entries. */
function parametersOf(all: State, { parameters }: Target): State {
  return Object.fromEntries(
    Object.keys(parameters).map((name) => [name, all[`target/${name}`]]),
  );
}

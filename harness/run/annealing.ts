/**
 * Annealed importance sampling in latent space (Neal 2001) along log f_beta(z) = log N(z; 0, I) + beta h(z), up from
 * N(0, I) or down from a draw at beta = 1 (Grosse et al. 2015). Going up, E exp(w) is the integral of N(z; 0, I) exp(h(z));
 * going down from an exact draw, E exp(-w) is one over it.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { createNoise, type Key } from "../core/noise.ts";
import { repeat } from "../core/repeat.ts";
import { unflatten } from "../core/tree.ts";
import type { ArraySpec, Device, DeviceState, HostArray, State, Tree } from "../core/types.ts";

/** Transitions that one call of the compiled program makes: fixed, since the numbers depend on it. */
export const BLOCK = 50;

/** Where chains are: `w` [chains, dim], U(w) [chains] and grad U(w) [chains, dim]. */
interface Position {
  readonly w: tf.Tensor2D;
  readonly energy: tf.Tensor1D;
  readonly gradient: tf.Tensor2D;
}

/**
 * One move of each chain that leaves exp(-U) invariant and is reversible: the identities hold for no other kind. The
 * composition root passes `metropolisStep` of `methods/samplers/metropolis.ts`, the rule that the toy suite certifies.
 */
export type Transition = (
  current: Position,
  evaluate: (w: tf.Tensor2D) => Position,
  move: { readonly stepSize: tf.Scalar; readonly xi: tf.Tensor2D; readonly uniform: tf.Tensor1D },
) => { readonly position: Position; readonly accepted: tf.Tensor1D };

/** h(z) for each chain, [chains], from the model's state and the chains' images, if there are any. */
export type LogRatio = (
  state: Tree,
  z: tf.Tensor2D,
  images: tf.Tensor4D | undefined,
) => tf.Tensor1D;

/** Inverse temperatures and the step sizes there. */
export interface Path {
  /** 0 = beta_0 < ... < beta_T = 1, T a multiple of BLOCK. */
  readonly betas: Float64Array;
  stepSize(beta: number): number;
}

/** A batch of chains. */
export interface Chains {
  readonly direction: "up" | "down" | "stay";
  /** [chains, dim]. */
  readonly start: HostArray;
  /** The image of each chain, [chains, height, width, channels]; absent if h has none. */
  readonly images?: HostArray;
}

/** The end of a batch of chains. */
export interface Annealed {
  readonly state: DeviceState;
  /** w of each chain, summed in float64. */
  readonly logWeights: Float64Array;
  readonly end: HostArray;
  /** Mean over chains and transitions. */
  readonly acceptance: number;
}

/** Runs chains along a path. */
export interface Annealer extends AsyncDisposable {
  /**
   * Going up: w += (beta_t - beta_{t-1}) h(z), then a transition at beta_t, for t = 1 to T; going down, the same in
   * reverse. `stay` makes T transitions at beta = 1. `onBlock` is called after every BLOCK transitions.
   */
  run(state: DeviceState, chains: Chains, path: Path, onBlock?: () => void): Promise<Annealed>;
}

/** Compiles BLOCK transitions for chains shaped as `chains`. Every call of the program has noise of its own. */
export async function compileAnnealer(
  device: Device,
  { state, logRatio, transition, key, chains: { start, images } }: {
    /** Any state of the model: only its shapes are used. */
    readonly state: DeviceState;
    readonly logRatio: LogRatio;
    readonly transition: Transition;
    readonly key: Key;
    readonly chains: Readonly<Record<"start", ArraySpec>> & { readonly images?: ArraySpec };
  },
): Promise<Annealer> {
  const [rows] = start.shape;
  const each: ArraySpec = { shape: [BLOCK], dtype: "float32" };
  const program = await device.compile(
    ({ state, inputs }) => {
      const tree = unflatten(state);
      const images = inputs.images as tf.Tensor4D | undefined;
      const noise = createNoise(key, inputs.block as tf.Scalar);
      return {
        outputs: moveBlock((z) => logRatio(tree, z, images), { transition, inputs, noise, rows }),
      };
    },
    {
      state: state.specs,
      inputs: {
        start: { shape: start.shape, dtype: start.dtype },
        ...images && { images: { shape: images.shape, dtype: images.dtype } },
        beta: each,
        before: each,
        after: each,
        stepSize: each,
        block: { shape: [], dtype: "int32" },
      },
    },
  );
  let block = 0;
  return {
    async run(state, { direction, start, images }, path, onBlock) {
      const logWeights = new Float64Array(rows);
      const schedule = scheduleOf(direction, path);
      const count = schedule.beta.length;
      let [end, accepted] = [start, 0];
      for (let from = 0; from < count; from += BLOCK) {
        const part = (name: keyof typeof schedule): HostArray => ({
          shape: [BLOCK],
          dtype: "float32",
          data: Float32Array.from(schedule[name].slice(from, from + BLOCK)),
        });
        const result = await program.run(state, {
          start: end,
          ...images && { images },
          beta: part("beta"),
          before: part("before"),
          after: part("after"),
          stepSize: part("stepSize"),
          block: { shape: [], dtype: "int32", data: Int32Array.of(block++) },
        });
        state = result.state;
        end = result.outputs.z;
        result.outputs.weight.data.forEach((w, i) => logWeights[i] += w);
        result.outputs.accepted.data.forEach((count) => accepted += count);
        onBlock?.();
      }
      return { state, logWeights, end, acceptance: accepted / (count * rows) };
    },
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

/** What each transition runs at, and the factors of h before and after it. Throws RangeError for a broken block. */
function scheduleOf(direction: Chains["direction"], { betas, stepSize }: Path) {
  const count = betas.length - 1;
  if (count % BLOCK !== 0) {
    throw new RangeError(`Temperatures must be a multiple of ${BLOCK}, got ${count}`);
  }
  const steps = Array.from({ length: count }, (_, t) => ({
    beta: betas[t + 1],
    rise: betas[t + 1] - betas[t],
  }));
  if (direction === "down") steps.reverse();
  const at = direction === "stay" ? steps.map(() => ({ beta: 1, rise: 0 })) : steps;
  return {
    beta: at.map(({ beta }) => beta),
    before: at.map(({ rise }) => direction === "up" ? rise : 0),
    after: at.map(({ rise }) => direction === "down" ? rise : 0),
    stepSize: at.map(({ beta }) => stepSize(beta)),
  };
}

/** BLOCK transitions, and the sum of the weights' increments. */
function moveBlock(
  h: (z: tf.Tensor2D) => tf.Tensor1D,
  { transition, inputs, noise, rows }: {
    readonly transition: Transition;
    readonly inputs: State;
    readonly noise: ReturnType<typeof createNoise>;
    readonly rows: number;
  },
): State {
  const start = inputs.start as tf.Tensor2D;
  /** z with h(z) and its gradient, both without the temperature. */
  const evaluate = (z: tf.Tensor2D) => {
    const { value, grad } = tf.valueAndGrad((z) => h(z as tf.Tensor2D))(z);
    return { z, h: value as tf.Tensor1D, slope: grad as tf.Tensor2D };
  };
  type Place = ReturnType<typeof evaluate>;
  /** U = |z|^2 / 2 - beta h. */
  const positionAt = (beta: tf.Tensor, { z, h, slope }: Place): Position => ({
    w: z,
    energy: tf.sub(tf.mul(tf.sum<tf.Tensor1D>(tf.square(z), 1), 0.5), tf.mul(h, beta)),
    gradient: tf.sub(z, tf.mul(slope, beta)),
  });
  const first = { ...evaluate(start), weight: tf.zeros([rows]), accepted: tf.zeros([rows]) };
  const { z, weight, accepted } = repeat<State, State>(BLOCK, first, (carried, each) => {
    const place = carried as unknown as Place;
    const { beta, before, after } = each;
    let proposed = place;
    const { position, accepted } = transition(positionAt(beta, place), (w) => {
      proposed = evaluate(w);
      return positionAt(beta, proposed);
    }, {
      stepSize: each.stepSize as tf.Scalar,
      xi: each.xi as tf.Tensor2D,
      uniform: each.uniform as tf.Tensor1D,
    });
    const isMoved = tf.greater(accepted, 0.5);
    const moved = {
      z: position.w,
      h: tf.where(isMoved, proposed.h, place.h),
      slope: tf.where(
        tf.broadcastTo(tf.expandDims(isMoved, 1), place.slope.shape),
        proposed.slope,
        place.slope,
      ),
    };
    const rise = tf.add(tf.mul(place.h, before), tf.mul(moved.h, after));
    return {
      ...moved,
      weight: tf.add(carried.weight, rise),
      accepted: tf.add(carried.accepted, accepted),
    };
  }, {
    beta: inputs.beta,
    before: inputs.before,
    after: inputs.after,
    stepSize: inputs.stepSize,
    xi: noise.split("xi").normal([BLOCK, ...start.shape]),
    uniform: noise.split("uniform").uniform([BLOCK, rows]),
  });
  return { z, weight, accepted };
}

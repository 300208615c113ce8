/**
 * Measures the Langevin chains of a model: runs each once more from a state, and looks at its ends. The numbers and their
 * thresholds are explained in `statistics/chain_health.ts`.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { type Chains, gatherChains, imagesOfRows, labelsOfRows, seenOfRows } from "./batches.ts";
import { lanczosCoefficients } from "./curvature.ts";
import { chainsOf, withPrefix } from "./train.ts";
import { createNoise, type Key } from "../core/noise.ts";
import { repeat } from "../core/repeat.ts";
import { unflatten } from "../core/tree.ts";
import { largestRitzValue } from "../linalg/lanczos.ts";
import { type ChainMeasurements, summarizeChain } from "../statistics/chain_health.ts";
import type {
  Device,
  DeviceState,
  HostArray,
  HostArrays,
  ImageSet,
  LangevinChain,
  Noise,
  PreparedChain,
  Program,
} from "../core/types.ts";
import type { ChainHealth } from "../core/records.ts";

/**
 * Distance over which curvature is measured, in standard deviations sqrt(2 eta) of a step's noise: 0.01 for eta = 0.005. For
 * tanh nets and |z| of about 6 float32 then errs by 5e-5, at a third and at three times the distance by 1e-4. At eta L = 1 it
 * is 0.14 standard deviations of the posterior in the stiffest direction, whatever the scale of the coordinates. The kinks of
 * ReLU nets are smoothed over it.
 */
const DIFFERENCE = 0.1;

/** The state, images and noise that chains are measured on. */
export interface ChainProbe {
  readonly device: Device;
  readonly langevinChains: readonly LangevinChain[];
  /** Whether batches have labels, which `images` then has; false if absent. */
  readonly isConditional?: boolean;
  /** The training part, of which the first `trainCount` images were trained on. */
  readonly images: ImageSet;
  readonly trainCount: number;
  /** Images measured, evenly spaced; all, if there are fewer. */
  readonly imageCount: number;
  readonly key: Key;
  /** A state of the shapes to compile for. */
  readonly state: DeviceState;
  /** Persistent chains of all rows. */
  readonly chains: Chains;
}

/** A compiled measurement. */
export interface ChainMeter extends AsyncDisposable {
  /** The health of each chain in `state` after `step` training steps. Consumes `state`. */
  measure(
    state: DeviceState,
    step: number,
  ): Promise<{ readonly state: DeviceState; readonly health: readonly ChainHealth[] }>;
}

/** Compiles the measurement of all chains as one program. */
export async function compileChainMeter(probe: ChainProbe): Promise<ChainMeter> {
  const { device, langevinChains, isConditional, images, trainCount, key, state } = probe;
  const count = Math.min(probe.imageCount, trainCount);
  const rows = Int32Array.from({ length: count }, (_, i) => Math.floor(i * trainCount / count));
  const inputsAt = (step: number): HostArrays => ({
    images: imagesOfRows(images, rows),
    rows: { shape: [count], dtype: "int32", data: rows },
    step: { shape: [], dtype: "int32", data: Int32Array.of(step) },
    ...isConditional && { labels: labelsOfRows(images, rows) },
    ...images.seen && { seen: seenOfRows(images, rows) },
    ...withPrefix(gatherChains(probe.chains, rows)),
  });
  const program: Program = await device.compile(({ state, inputs }) => {
    const batch = {
      images: inputs.images as tf.Tensor4D,
      rows: inputs.rows as tf.Tensor1D,
      step: inputs.step as tf.Scalar,
      chains: chainsOf(inputs),
      ...isConditional && { labels: inputs.labels as tf.Tensor1D },
      ...inputs.seen && { seen: inputs.seen as tf.Tensor4D },
    };
    const measured = langevinChains.map(({ name, steps, prepare }) => {
      const noise = createNoise(key, batch.step).split(name);
      const chain = prepare(unflatten(state), batch, noise.split("prepare"));
      const run = chain.move === undefined ? runChain : followRule;
      return withName(name, run(chain, { steps, noise }));
    });
    return { outputs: Object.assign({}, ...measured) };
  }, { state: state.specs, inputs: inputsAt(0) });
  return {
    async measure(state, step) {
      const result = await program.run(state, inputsAt(step));
      const health = langevinChains.map(({ name, steps }) =>
        readHealth(name, { steps, outputs: result.outputs })
      );
      return { state: result.state, health };
    },
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

function withName<T>(name: string, values: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(values).map(([key, v]) => [`${name}/${key}`, v]));
}

/**
 * One run of `steps` steps: `acceptance`, `drift`, `virial` [count]; the Lanczos coefficients [count, k] at the end or at the
 * start, whichever has the lower energy; `stepSize` and `dimension`.
 */
function runChain(
  { start, stepSize, energy, images }: PreparedChain,
  { steps, noise }: { readonly steps: number; readonly noise: Noise },
): Record<string, tf.Tensor> {
  const evaluate = evaluator(energy);
  const eta: tf.Scalar = tf.mul(tf.scalar(1), stepSize);
  const half = Math.floor(steps / 2);
  const index = tf.range(0, steps);
  const at = evaluate(start);
  const zeros = tf.zeros([start.shape[0]]) as tf.Tensor;
  const { z, terms, gradient, acceptance, drift, virial } = repeat(
    steps,
    { z: start as tf.Tensor, ...at, acceptance: zeros, drift: zeros, virial: zeros },
    (now, { xi, isLate }) => {
      const noise = tf.mul(xi, tf.sqrt(tf.mul(eta, 2)));
      const z = tf.add(tf.sub(now.z, tf.mul(now.gradient, eta)), noise);
      const { terms, gradient } = evaluate(z as tf.Tensor2D);
      const fall = tf.sum(tf.sub(now.terms, terms), 1); // U(z) - U(z')
      const [before, after] = [now.gradient, gradient].map((g) => tf.sum(tf.square(g), 1));
      const work = tf.sum(tf.mul(tf.add(now.gradient, gradient), tf.sub(z, now.z)), 1);
      const logRatio = tf.sub(
        tf.add(fall, tf.div(work, 2)),
        tf.mul(tf.sub(after, before), tf.div(eta, 4)),
      );
      const dot = tf.sum(tf.mul(z, gradient), 1);
      return {
        z,
        terms,
        gradient,
        acceptance: tf.add(now.acceptance, tf.mul(isLate, tf.exp(tf.minimum(logRatio, 0)))),
        drift: tf.sub(now.drift, tf.mul(isLate, fall)),
        virial: tf.add(
          now.virial,
          tf.mul(isLate, tf.sub(dot, tf.mul(after, tf.div(eta, 2)))),
        ),
      };
    },
    {
      xi: noise.split("xi").normal([steps, ...start.shape]),
      isLate: tf.cast(tf.greaterEqual(index, half), "float32"),
    },
  );
  const ends = { start: { z: start, ...at }, end: { z, terms, gradient } };
  return {
    ...curvatureOf(ends, { evaluate, eta, noise }),
    ...imageMeasurements(images, { ...ends, evaluate }),
    acceptance: tf.div(acceptance, steps - half),
    drift,
    virial: tf.div(virial, steps - half),
    stepSize: eta,
    dimension: tf.scalar(start.shape[1]),
  };
}

/** One run of `steps` steps of a rule other than Langevin's: the curvatures, `stepSize` and `dimension` of `runChain`. */
function followRule(
  { start, stepSize, energy, move, images }: PreparedChain,
  { steps, noise }: { readonly steps: number; readonly noise: Noise },
): Record<string, tf.Tensor> {
  const evaluate = evaluator(energy);
  const eta: tf.Scalar = tf.mul(tf.scalar(1), stepSize);
  const at = evaluate(start);
  const end = repeat(
    steps,
    { z: start as tf.Tensor, ...at },
    (now, { xi }) => {
      const draws = { gradient: now.gradient as tf.Tensor2D, xi: xi as tf.Tensor2D };
      const z = move?.(now.z as tf.Tensor2D, draws) ?? now.z as tf.Tensor2D;
      return { z: z as tf.Tensor, ...evaluate(z) };
    },
    { xi: noise.split("xi").normal([steps, ...start.shape]) },
  );
  const ends = { start: { z: start, ...at }, end };
  return {
    ...curvatureOf(ends, { evaluate, eta, noise }),
    ...imageMeasurements(images, { ...ends, evaluate }),
    stepSize: eta,
    dimension: tf.scalar(start.shape[1]),
  };
}

/** Where a chain is, with the terms of U [count, terms] and grad U [count, d]. */
interface Place {
  readonly z: tf.Tensor;
  readonly terms: tf.Tensor;
  readonly gradient: tf.Tensor;
}

/** Both ends of a chain. */
interface Ends {
  readonly start: Place;
  readonly end: Place;
}

/** The Lanczos coefficients [count, k] at the end or at the start, whichever has the lower energy. */
function curvatureOf(
  { start, end }: Ends,
  { evaluate, eta, noise }: {
    readonly evaluate: Evaluator;
    readonly eta: tf.Scalar;
    readonly noise: Noise;
  },
): Record<string, tf.Tensor> {
  // The energy of a chain that runs away grows, and its curvature may vanish where it ends: it is looked at where it began.
  const hasFallen = tf.less(tf.sum(tf.sub(end.terms, start.terms), 1, true), 0);
  const typical = tf.where(tf.broadcastTo(hasFallen, end.z.shape), end.z, start.z) as tf.Tensor2D;
  return lanczosCoefficients((z) => evaluate(z).gradient, typical, {
    epsilon: tf.mul(tf.sqrt(tf.mul(eta, 2)), DIFFERENCE),
    noise: noise.split("direction"),
  });
}

/**
 * The parts of `ImageChainHealth`, one number for each image or chain: `images/energy/PLACE`, `images/gradientNorm/PLACE`,
 * `images/saturated/PLACE` and `images/squaredDistance`; nothing of a chain on other things.
 */
function imageMeasurements(
  images: PreparedChain["images"],
  { start, end, evaluate }: Ends & { readonly evaluate: Evaluator },
): Record<string, tf.Tensor> {
  if (images === undefined) return {};
  const { data, range: [low, high] } = images;
  const energy = ({ terms }: Pick<Place, "terms">) => tf.sum(terms, 1);
  const norm = ({ gradient }: Place) => tf.sqrt(tf.sum(tf.square(gradient), 1));
  const saturated = (z: tf.Tensor) =>
    tf.mean(tf.cast(tf.logicalOr(tf.lessEqual(z, low), tf.greaterEqual(z, high)), "float32"), 1);
  const way = tf.div(tf.sub(end.z, start.z), high - low);
  return withName("images", {
    "energy/data": energy(evaluate(data)),
    "energy/start": energy(start),
    "energy/end": energy(end),
    "gradientNorm/start": norm(start),
    "gradientNorm/end": norm(end),
    "saturated/data": saturated(data),
    "saturated/start": saturated(start.z),
    "saturated/end": saturated(end.z),
    squaredDistance: tf.mean(tf.square(way), 1),
  });
}

type Evaluator = (
  z: tf.Tensor2D,
) => { readonly terms: tf.Tensor; readonly gradient: tf.Tensor2D };

/** Terms of U [count, terms] and grad U [count, d]. */
function evaluator(energy: PreparedChain["energy"]): Evaluator {
  return (z) => {
    const kept: tf.Tensor[] = []; // tfjs returns the sum alone, and disposes of the rest
    const { grad } = tf.valueAndGrad((z) => {
      const u = energy(z as tf.Tensor2D);
      const terms = u.rank === 1 ? tf.expandDims(u, 1) : u;
      kept.push(tf.keep(tf.clone(terms)));
      return tf.sum(terms);
    })(z);
    const terms = tf.clone(kept[0]);
    kept[0].dispose();
    return { terms, gradient: grad as tf.Tensor2D };
  };
}

/** The health of the chain `name` among the outputs. */
function readHealth(
  name: string,
  { steps, outputs }: { readonly steps: number; readonly outputs: HostArrays },
): ChainHealth {
  const read = (key: string): HostArray => outputs[`${name}/${key}`];
  const numbers = (key: string) => Array.from(read(key).data);
  const ifRead = (key: string) => `${name}/${key}` in outputs ? numbers(key) : undefined;
  const { shape: [count, k] } = read("diagonal");
  const rows = (key: string) =>
    Array.from({ length: count }, (_, i) => read(key).data.subarray(i * k, (i + 1) * k));
  const offDiagonals = rows("offDiagonal");
  const [stepSize] = numbers("stepSize");
  const [dimension] = numbers("dimension");
  return summarizeChain({
    chain: name,
    dimension,
    steps,
    stepSize,
    curvature: rows("diagonal").map((diagonal, i) =>
      largestRitzValue({ diagonal, offDiagonal: offDiagonals[i] })
    ),
    acceptance: ifRead("acceptance"),
    drift: ifRead("drift"),
    virial: ifRead("virial"),
    ...`${name}/images/squaredDistance` in outputs && { images: readImages(numbers) },
  });
}

/** The measurements of a chain on images, by their keys. */
function readImages(numbers: (key: string) => number[]): NonNullable<ChainMeasurements["images"]> {
  const ends = (what: string) => ({
    start: numbers(`images/${what}/start`),
    end: numbers(`images/${what}/end`),
  });
  const places = (what: string) => ({ data: numbers(`images/${what}/data`), ...ends(what) });
  return {
    energy: places("energy"),
    gradientNorm: ends("gradientNorm"),
    saturated: places("saturated"),
    squaredDistance: numbers("images/squaredDistance"),
  };
}

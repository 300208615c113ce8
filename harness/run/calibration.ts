/**
 * Simulation-based calibration of a model's inference: draw z ~ p(z), x ~ p(x | z) and z' by `infer`. If inference draws
 * from p(z | x), then (z, x) and (z', x) are exchangeable, and T(z', x) - T(z, x) is symmetric about 0 for every T.
 * Talts et al. 2018; Modrak et al. 2023.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { createNoise, draws, foldIn, type Key } from "../core/noise.ts";
import { unflatten } from "../core/tree.ts";
import type {
  Calibration,
  CalibrationTests,
  Device,
  DeviceState,
  HostArray,
  JointDensity,
  Latents,
  State,
  Tree,
} from "../core/types.ts";
import { symmetryTest } from "../statistics/symmetry_tests.ts";

/** N, images that a run simulates: it sees every effect of 0.22, and costs a run of quick about two seconds of one core. */
const COUNT = 512;
/** Images that one call of the compiled program simulates: fixed, since the numbers depend on it. */
const CHUNK = 128;

/**
 * The statistics T(z, x). `logJoint`, log p(x, z), sees wrong variances, and `logLikelihood`, log p(x | z), short chains;
 * both are blind to small shifts. `projection`, u . z for a fixed u, sees a constant shift alone. `gradient`, b(x) . z with b
 * the direction of grad_z log p(x | z) at z = 0, and `squaredNorm`, |z|^2, see means that shrink towards the prior's.
 */
export const CALIBRATION_STATISTICS = [
  "logJoint",
  "logLikelihood",
  "gradient",
  "squaredNorm",
  "projection",
] as const;

type Statistics<T> = Readonly<Record<typeof CALIBRATION_STATISTICS[number], T>>;

/** What `calibrate` needs besides a state. */
export interface CalibrationSetting {
  readonly device: Device;
  readonly latents: Latents;
  readonly joint: JointDensity;
  readonly key: Key;
  /** N; a multiple of CHUNK wastes nothing. */
  readonly count?: number;
}

/**
 * Tests inference on `count` simulated images, one draw each: `infer`, and where there is a chain, the same chain from the
 * true z. That start is already a draw of the posterior, so a kernel that leaves it invariant passes at any length: its
 * failure is the step size's, and a failure of `infer` alone is that of its start or length. Consumes `state`.
 */
export async function calibrate(
  state: DeviceState,
  { device, latents, joint, key, count = COUNT }: CalibrationSetting,
): Promise<{ readonly state: DeviceState; readonly calibration: Calibration }> {
  const chunk = Math.min(CHUNK, count);
  const inputsAt = (index: number) => ({
    chunk: { shape: [], dtype: "int32", data: Int32Array.of(index) },
    direction: unitVector(foldIn(key, "direction"), joint.dim),
  } as const);
  await using program = await device.compile(
    ({ state, inputs }) => ({
      outputs: simulate(unflatten(state), { latents, joint }, {
        rows: chunk,
        direction: inputs.direction as tf.Tensor2D,
        noise: createNoise(key, inputs.chunk as tf.Scalar),
      }),
    }),
    { state: state.specs, inputs: inputsAt(0) },
  );
  const collected = new Map<string, number[]>();
  for (let from = 0; from < count; from += chunk) {
    const result = await program.run(state, inputsAt(from / chunk));
    state = result.state;
    for (const [name, { data }] of Object.entries(result.outputs)) {
      const wanted = data.subarray(0, Math.min(chunk, count - from));
      collected.set(name, [...collected.get(name) ?? [], ...wanted]);
    }
  }
  const differencesOf = (start: Start) =>
    mapStatistics((name) => collected.get(`${start}/${name}`) ?? []);
  return {
    state,
    calibration: {
      images: count,
      priorIsExact: joint.tilt === undefined,
      infer: testsOf(differencesOf("infer"), count),
      ...joint.chainFrom && { fromTruth: testsOf(differencesOf("fromTruth"), count) },
    },
  };
}

/** Where z' comes from. */
type Start = "infer" | "fromTruth";

/** T(z', x) - T(z, x) of each statistic for `rows` simulated images, [rows]. */
function simulate(
  state: Tree,
  { latents, joint }: { readonly latents: Latents; readonly joint: JointDensity },
  { rows, direction, noise }: {
    readonly rows: number;
    readonly direction: tf.Tensor2D;
    readonly noise: ReturnType<typeof createNoise>;
  },
): State {
  const z = joint.drawLatents(state, rows, noise.split("prior"));
  const images = joint.drawImages(state, z, noise.split("pixels"));
  const logLikelihood = (z: tf.Tensor) => joint.logLikelihood(state, images, z as tf.Tensor2D);
  const slope = tf.grad((z) => tf.sum(logLikelihood(z)))(tf.zerosLike(z));
  // The smallest number keeps a slope of 0, whose differences are ties, from giving NaN.
  const length = tf.sqrt(tf.add(tf.sum(tf.square(slope), 1, true), 1e-30));
  const steepest = tf.div(slope, length);
  const statistics = (z: tf.Tensor2D): Statistics<tf.Tensor> => {
    const explained = logLikelihood(z);
    const squaredNorm = tf.sum(tf.square(z), 1);
    const gaussian = tf.mul(squaredNorm, -0.5);
    const logPrior = joint.tilt ? tf.add(gaussian, joint.tilt(state, z)) : gaussian;
    return {
      logJoint: tf.add(explained, logPrior),
      logLikelihood: explained,
      gradient: tf.sum(tf.mul(z, steepest), 1),
      squaredNorm,
      projection: tf.sum(tf.mul(z, direction), 1),
    };
  };
  const truth = statistics(z);
  const differences = (start: Start, drawn: tf.Tensor2D) => {
    const found = statistics(drawn);
    return CALIBRATION_STATISTICS.map((name) =>
      [`${start}/${name}`, tf.sub(found[name], truth[name])] as const
    );
  };
  const inferred = latents.infer(state, images, noise.split("infer"));
  const moved = joint.chainFrom?.(state, { images, start: z }, noise.split("chain"));
  return Object.fromEntries([
    ...differences("infer", inferred),
    ...moved ? differences("fromTruth", moved) : [],
  ]);
}

/** The tests of one way to draw z', over the images whose statistics are all finite; null if there is none. */
function testsOf(differences: Statistics<readonly number[]>, count: number): CalibrationTests {
  const finite = Array.from({ length: count }, (_, i) => i).filter((i) =>
    CALIBRATION_STATISTICS.every((name) => Number.isFinite(differences[name][i]))
  );
  return {
    notFinite: count - finite.length,
    tests: finite.length === 0
      ? null
      : mapStatistics((name) => symmetryTest(finite.map((i) => differences[name][i]))),
  };
}

function mapStatistics<T>(f: (name: typeof CALIBRATION_STATISTICS[number]) => T): Statistics<T> {
  return Object.fromEntries(
    CALIBRATION_STATISTICS.map((name) => [name, f(name)]),
  ) as unknown as Statistics<T>;
}

/** A random direction [1, dim]. */
function unitVector(key: Key, dim: number): HostArray {
  const data = draws(key, { counter: 0, count: dim, kind: "normal" });
  const length = Math.hypot(...data);
  return { shape: [1, dim], dtype: "float32", data: data.map((v) => v / length) };
}

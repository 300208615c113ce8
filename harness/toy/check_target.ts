import "../core/nested_gradients.ts";
import * as tf from "@tensorflow/tfjs";
import { createNoise, foldIn, keyOf } from "../core/noise.ts";
import { checkFacts } from "./check_target_facts.ts";
import type { Target } from "../core/toy_types.ts";

const STARTS = 4;
/** Half the distance of the differences: float32 knows them to about eps |U| / STEP, the quotient errs by STEP^2. */
const STEP = 1e-2;
const TOLERANCE = 0.02;

/**
 * Checks at standard normal starts that the log density of `target` is finite and that its gradient is that of its
 * differences. A kink may lie between two points of a difference, so that half of the starts have to agree. Throws an Error
 * that names the target.
 */
export async function checkTarget(target: Target): Promise<void> {
  checkFacts(target);
  await tf.setBackend("cpu");
  try {
    checkDensity(target);
  } catch (error) {
    throw namedError(target, error);
  }
}

/** `error`, with the name of the target before its message unless it is there. */
export function namedError({ name }: Target, error: unknown): unknown {
  if (!(error instanceof Error) || error.message.startsWith(`Target ${name}:`)) return error;
  return new Error(`Target ${name}: ${error.message.split("\n")[0]}`, { cause: error });
}

function checkDensity(target: Target): void {
  tf.tidy(() => {
    const { name, points, dim } = target;
    const noise = createNoise(foldIn(keyOf(0), "check"), tf.scalar(0, "int32"));
    const parameters = Object.fromEntries(
      Object.entries(target.parameters).map(([key, { data, shape, dtype }]) => [
        key,
        tf.tensor(data, shape as number[], dtype),
      ]),
    );
    const density = (z: tf.Tensor) => target.logDensity(z as tf.Tensor3D, parameters);
    const z = noise.split("z").normal([STARTS, points, dim]) as tf.Tensor3D;
    const values = density(z);
    if (values?.shape?.join() !== `${STARTS},${points}`) {
      const got = values instanceof tf.Tensor ? `shape [${values.shape}]` : `${values}`;
      throw new Error(
        `Target ${name}: the log density has ${got}, not [chains, points] = [${STARTS},${points}]`,
      );
    }
    values.dataSync().forEach((value, i) => {
      if (Number.isFinite(value)) return;
      const start = [...z.dataSync().subarray(i * dim, (i + 1) * dim)].map((v) => v.toFixed(3));
      throw new Error(
        `Target ${name}: the log density is ${value} at the start z = [${
          start.join(", ")
        }] of point ${i % points}: it should be finite wherever a standard normal start may fall`,
      );
    });
    const gradient = tf.grad((z: tf.Tensor) => tf.sum(density(z)))(z);
    const direction = noise.split("direction").normal([STARTS, points, dim]);
    const slope = tf.sum(tf.mul(gradient, direction), 2).dataSync();
    const at = (side: number) => density(tf.add(z, tf.mul(direction, side * STEP)));
    const difference = tf.div(tf.sub(at(1), at(-1)), 2 * STEP).dataSync();
    const norms = tf.mul(tf.norm(gradient, 2, 2), tf.norm(direction, 2, 2)).dataSync();
    const wrong = [...slope.keys()].filter((i) =>
      !(Math.abs(slope[i] - difference[i]) <=
        TOLERANCE * (norms[i] + Math.abs(difference[i]) + 1e-3))
    );
    if (wrong.length > slope.length / 2) {
      const i = wrong[0];
      throw new Error(
        `Target ${name}: the gradient disagrees with differences at ${wrong.length} of ${slope.length} starts: ${
          slope[i].toPrecision(4)
        } along a direction where differences give ${
          difference[i].toPrecision(4)
        }: check logDensity for operations with a wrong gradient`,
      );
    }
  });
}

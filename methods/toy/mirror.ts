import * as tf from "@tensorflow/tfjs";
import { direct } from "./direct.ts";
import { type Integrator, normalDraws, type Positions } from "./integrator.ts";

/** Scale of the mirror map: it is flat within, logarithmic beyond. */
export const MIRROR_SCALE = 4;

/**
 * Mirror Langevin: y - eta grad U(x) + sqrt(2 eta phi''(x)) xi in the dual y = phi'(x), with the hypentropy phi'(x) = s
 * asinh(x / s), phi''(x) = 1 / sqrt(1 + x^2 / s^2), on each coordinate. Zhang et al. 2020; Ghai, Hazan and Singer 2020.
 */
export const mirror: Integrator = {
  gradients: 1,
  draws: normalDraws,
  step: ({ x }, { potential, draws, stepSize }) => {
    const u = tf.div(x, MIRROR_SCALE);
    const root = tf.sqrt(tf.add(tf.square(u), 1));
    // asinh by the size, so that nothing cancels for negative u.
    const dual = tf.mul(tf.sign(u), tf.log(tf.add(tf.abs(u), root)));
    const drift = tf.mul(potential.gradient(x as Positions), stepSize);
    const noise = tf.mul(tf.sqrt(tf.div(2 * stepSize, root)), draws.xi);
    const y = tf.add(dual, tf.div(tf.sub(noise, drift), MIRROR_SCALE));
    const sinh = tf.div(tf.sub(tf.exp(y), tf.exp(tf.neg(y))), 2);
    return { x: tf.mul(sinh, MIRROR_SCALE) };
  },
  // Where the map is flat, |x| < s: Euler and Maruyama's.
  varianceRatio: (x) => 1 / (1 - x / 2),
};

/** Mirror Langevin dynamics of each z. */
export const mirrorLd = direct(mirror, {
  name: "mirror",
  label: "Mirror LD",
  source: "Zhang et al. 2020; Karimi, Hsieh and Krause 2023, mirror Langevin",
  bias: { order: 1, closedForm: false },
  deviations: ["the mirror map is not given: hypentropy of scale 4 on each coordinate"],
});

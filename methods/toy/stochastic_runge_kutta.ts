import * as tf from "@tensorflow/tfjs";
import { direct } from "./direct.ts";
import { equalCost, type Integrator, type Positions } from "./integrator.ts";

/**
 * Stochastic Runge-Kutta of strong order 1.5, with two mid-points h1, h2 on the Brownian path:
 * h1 = x + sqrt(2 eta) [(1/2 + 1/sqrt 6) xi + xi' / sqrt 12], h2 = x - eta grad U(x) + sqrt(2 eta) [(1/2 - 1/sqrt 6) xi +
 * xi' / sqrt 12], then x - eta/2 (grad U(h1) + grad U(h2)) + sqrt(2 eta) xi. Li et al. 2019, eq. 9.
 */
export const stochasticRungeKutta: Integrator = {
  gradients: 3,
  draws: (shape) => ({ xi: { shape, kind: "normal" }, other: { shape, kind: "normal" } }),
  step: ({ x }, { potential, draws: { xi, other }, stepSize }) => {
    const scale = Math.sqrt(2 * stepSize);
    const path = (weight: number) =>
      tf.mul(tf.add(tf.mul(xi, weight), tf.mul(other, 1 / Math.sqrt(12))), scale);
    const h1 = tf.add(x, path(1 / 2 + 1 / Math.sqrt(6)));
    const drift = tf.mul(potential.gradient(x as Positions), stepSize);
    const h2 = tf.add(tf.sub(x, drift), path(1 / 2 - 1 / Math.sqrt(6)));
    const gradients = tf.add(
      potential.gradient(h1 as Positions),
      potential.gradient(h2 as Positions),
    );
    return { x: tf.add(tf.sub(x, tf.mul(gradients, stepSize / 2)), tf.mul(xi, scale)) };
  },
  varianceRatio: (x) => (1 - x + x * x / 3) / (1 - x + x * x / 2 - x ** 3 / 8),
};

/** Langevin dynamics of each z by stochastic Runge-Kutta. */
export const rungeKuttaLd = direct(stochasticRungeKutta, {
  ...equalCost(3),
  name: "runge_kutta",
  label: "Runge-Kutta LD",
  source: "Li et al. 2019; Karimi, Hsieh and Krause 2023",
  bias: { order: 2, closedForm: true },
  deviations: [],
});

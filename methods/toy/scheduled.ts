/**
 * Langevin chains with decreasing step sizes and disturbed gradients, as in the theorem of Karimi, Hsieh and Krause 2023: their
 * last iterates converge to the target in W2 if the step sizes gamma_k have an infinite sum and a finite sum of squares.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Sampler } from "../../harness/core/toy_types.ts";
import type { ScheduleSetting } from "../../harness/core/schedule_types.ts";
import type { State } from "../../harness/core/types.ts";
import { direct } from "./direct.ts";
import type { Integrator, Positions } from "./integrator.ts";
import { eulerMaruyama } from "./ld.ts";
import { randomizedMidpoint } from "./midpoint.ts";
import { proximal } from "./proximal.ts";
import { stochasticRungeKutta } from "./stochastic_runge_kutta.ts";

/** Rules without a memory of earlier gradients, which would be of another step size. */
export const SCHEDULED_RULES: Readonly<
  Record<string, { readonly label: string; readonly integrator: Integrator }>
> = {
  euler: { label: "LD", integrator: eulerMaruyama },
  midpoint: { label: "Mid-point LD", integrator: randomizedMidpoint({ noise: "coupled" }) },
  runge_kutta: { label: "Runge-Kutta LD", integrator: stochasticRungeKutta },
  proximal: { label: "Proximal LD", integrator: proximal },
};

/** gamma_k / gamma_0 = (1 + k / k_0)^-p after `moves` moves. */
export function stepScale(moves: tf.Scalar, { delay, power }: ScheduleSetting): tf.Scalar {
  return tf.exp(tf.mul(tf.log1p(tf.div(moves, delay)), -power));
}

/**
 * `integrator` with the step sizes gamma_k, and with gradients grad U + sigma_Z Z + b_k, Z a new N(0, I) draw for each gradient and
 * b_k = c gamma_k in every coordinate. A step of size gamma_k for x is one of size gamma_0 for x / sqrt(gamma_k / gamma_0): so
 * every rule runs as it stands.
 */
export function scheduled(
  { label, integrator }: { readonly label: string; readonly integrator: Integrator },
  setting: ScheduleSetting,
): Sampler {
  const { stepSize: first, gradientNoise, gradientBias } = setting;
  const { gradients } = integrator;
  const nameOf = (j: number) => `disturbance${j}`;
  const disturbed: Integrator = {
    rule: integrator.rule,
    gradients,
    draws: (shape) => ({
      ...integrator.draws(shape),
      ...Object.fromEntries(
        Array.from(
          { length: gradientNoise > 0 ? gradients : 0 },
          (_, j) => [nameOf(j), { shape, kind: "normal" as const }],
        ),
      ),
    }),
    step: ({ x }, { potential, draws, moves, ...move }): State => {
      const scale = stepScale(moves, setting);
      const unit = tf.sqrt(scale);
      let taken = 0;
      const gradient = (w: Positions): Positions => {
        const z = tf.mul(w, unit) as Positions;
        let slope: tf.Tensor = tf.add(potential.gradient(z), tf.mul(scale, first * gradientBias));
        if (gradientNoise > 0) {
          const drawn = draws[nameOf(taken++)];
          if (drawn === undefined) {
            throw new RangeError(
              `${integrator.rule} takes more than ${gradients} gradients a step`,
            );
          }
          slope = tf.add(slope, tf.mul(drawn, gradientNoise));
        }
        return tf.mul(slope, unit) as Positions;
      };
      const energy = (w: Positions) => potential.energy(tf.mul(w, unit) as Positions);
      const next = integrator.step({ x: tf.div(x, unit) }, {
        ...move,
        moves,
        draws,
        potential: { energy, gradient },
        stepSize: first,
      });
      return { x: tf.mul(next.x, unit) };
    },
  };
  return direct(disturbed, {
    name: `${integrator.rule}_${setting.power}_${gradientNoise}`,
    label,
    source: "Karimi, Hsieh and Krause 2023",
    deviations: [],
  });
}

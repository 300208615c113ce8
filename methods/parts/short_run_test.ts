import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { shortRunObjective } from "./short_run.ts";
import { addTrial, chooseStepSize, initSearch } from "./step_search.ts";

/** Mean zero and variance one in every column, exactly: an objective that is quadratic in z_0 has its expectation as mean. */
function normalQuantiles(count: number, dim: number): tf.Tensor2D {
  const raw = Array.from(
    { length: count },
    (_, i) => Math.tan(Math.PI * ((i + 0.5) / count - 0.5)) / 10,
  );
  const scale = Math.sqrt(count / raw.reduce((sum, v) => sum + v * v, 0));
  return tf.tensor2d(raw.map((v) => Array(dim).fill(v * scale)));
}

/** A Gaussian posterior with independent directions: precisions and means. */
interface Gaussian {
  readonly steps: number;
  readonly a: readonly number[];
  readonly mu: readonly number[];
}

const energyOf = ({ a, mu }: Gaussian) => (z: tf.Tensor2D): tf.Tensor1D =>
  tf.mul(tf.sum(tf.mul(tf.square(tf.sub(z, tf.tensor1d([...mu]))), tf.tensor1d([...a])), 1), 0.5);

/** KL from the law of K noise-free steps from N(0, 1) to the posterior: v = r^(2K), m = mu (1 - r^K), r = 1 - a s^2 / 2. */
function exactKl({ steps, a, mu }: Gaussian, s: number): number {
  return a.reduce((sum, precision, i) => {
    const r = 1 - s * s / 2 * precision;
    const [v, m] = [r ** (2 * steps), mu[i] * (1 - r ** steps)];
    return sum + 0.5 * (precision * (v + (m - mu[i]) ** 2) - 1 - Math.log(precision * v));
  }, 0);
}

/** J(eta) + (log Z - entropy of the start) = KL, estimated on exact quantiles. */
function estimate(gaussian: Gaussian, s: number) {
  const { a, steps } = gaussian;
  return tf.tidy(() => {
    const start = normalQuantiles(21, a.length);
    const { objective, curvature } = shortRunObjective(energyOf(gaussian), {
      start,
      steps,
      stepSizes: tf.fill([21], s * s / 2),
      probes: tf.ones(start.shape),
      moment: tf.scalar(0.5),
    });
    const logZ = a.reduce((sum, p) => sum + 0.5 * Math.log(2 * Math.PI / p), 0);
    const entropy = a.length * 0.5 * Math.log(2 * Math.PI * Math.E);
    return {
      kl: tf.mean(objective).dataSync()[0] + logZ - entropy,
      curvature: tf.max(curvature).dataSync()[0],
    };
  });
}

// The optima s* and KL* in closed form; of the third the best on the branch of s^2 lambda / 2 < 1 to which a search keeps.
const CASES: readonly (Gaussian & { readonly best: number; readonly kl: number })[] = [
  { steps: 5, a: [4], mu: [1], best: 0.306388, kl: 0.346574 },
  { steps: 5, a: [2, 12], mu: [1, 0.5], best: 0.206026, kl: 0.790438 },
  { steps: 5, a: [1.5, 5, 45], mu: [0.8, 0.8, 0.8], best: 0.129272, kl: 2.313959 },
  { steps: 25, a: [4], mu: [1], best: 0.142716, kl: 0.346574 },
  { steps: 25, a: [2, 12], mu: [1, 0.5], best: 0.098084, kl: 0.756172 },
  { steps: 25, a: [1.5, 5, 45], mu: [0.8, 0.8, 0.8], best: 0.064178, kl: 2.13918 },
];

Deno.test("shortRunObjective() is the KL of a Gaussian posterior in closed form, up to its series", async () => {
  await tf.setBackend("cpu");
  for (const { best, kl, ...gaussian } of CASES) {
    assert.ok(Math.abs(exactKl(gaussian, best) - kl) < 2e-6);
    for (const s of [best / 4, best / 2, best]) {
      // What the series of four terms leaves out, for each direction and step, at most.
      const left = gaussian.a.reduce((sum, precision) => {
        const x = s * s / 2 * precision;
        return sum + gaussian.steps * x ** 5 / (5 * (1 - x));
      }, 0);
      const error = exactKl(gaussian, s) - estimate(gaussian, s).kl;
      // What is left out has one sign; float32 rounds sums of up to 100 nats.
      assert.ok(error > -1e-4 && error < left + 1e-4, `s ${s}: ${error}, at most ${left}`);
    }
  }
});

Deno.test("a search over step sizes ends at the exact optimum from below and from above", async () => {
  await tf.setBackend("cpu");
  for (const { best, kl: _, ...gaussian } of CASES) {
    for (const from of [best / 4, 1.5 * best]) {
      let s = from;
      for (let round = 0; round < 7; round++) {
        const candidates = [-3, -2, -1, 0, 1, 2, 3].map((g) => s * 1.1 ** g);
        const trials = candidates.map((c) => estimate(gaussian, c));
        s = tf.tidy(() =>
          chooseStepSize(
            tf.tensor1d(candidates),
            addTrial(initSearch(7), {
              objective: tf.tensor1d(trials.map((t) => t.kl)),
              curvature: tf.tensor1d(trials.map((t) => t.curvature)),
            }),
          ).dataSync()[0]
        );
      }
      // The nearest of a grid of ratio 1.1 is at most 5 % off.
      assert.ok(
        Math.abs(s / best - 1) < 0.05,
        `K ${gaussian.steps}, a ${gaussian.a}: ${s}, ${best}`,
      );
    }
  }
});

Deno.test("shortRunObjective() has the log-determinant of the numeric Jacobian of the whole chain", async () => {
  await tf.setBackend("cpu");
  const [a, c, b] = [[1, 2, 3], [0.5, -1, 0.7], 0.8];
  const [steps, eta] = [4, 0.03];
  // U = sum of a z^2 / 2 + b sin(c.z): its curvature differs from place to place.
  const energy = (z: tf.Tensor2D): tf.Tensor1D =>
    tf.add(
      tf.mul(tf.sum(tf.mul(tf.square(z), tf.tensor1d(a)), 1), 0.5),
      tf.mul(tf.sin(tf.sum(tf.mul(z, tf.tensor1d(c)), 1)), b),
    );
  const start = [0.4, -1.2, 0.9];
  const run = (from: readonly number[]) => {
    let z = [...from];
    for (let k = 0; k < steps; k++) {
      const slope = b * Math.cos(z.reduce((sum, v, i) => sum + c[i] * v, 0));
      z = z.map((v, i) => v - eta * (a[i] * v + slope * c[i]));
    }
    return z;
  };
  const h = 1e-5;
  const [x, y, w] = start.map((_, i) => {
    const [up, down] = [h, -h].map((d) => run(start.map((v, j) => v + (i === j ? d : 0))));
    return up.map((v, j) => (v - down[j]) / (2 * h));
  });
  const det = x[0] * (y[1] * w[2] - y[2] * w[1]) - x[1] * (y[0] * w[2] - y[2] * w[0]) +
    x[2] * (y[0] * w[1] - y[1] * w[0]);

  // All eight probes give the trace exactly, and every moment once the sum.
  const signs = Array.from({ length: 8 }, (_, k) => [0, 1, 2].map((i) => (k >> i) & 1 ? 1 : -1));
  const logDets = tf.tidy(() =>
    Array.from({ length: steps }, (_, k) => {
      const { objective } = shortRunObjective(energy, {
        start: tf.tensor2d(signs.map(() => start)),
        steps,
        stepSizes: tf.fill([8], eta),
        probes: tf.tensor2d(signs),
        moment: tf.scalar((k + 0.5) / steps),
      });
      const end = energy(tf.tensor2d([run(start)])).dataSync()[0];
      return (end - tf.mean(objective).dataSync()[0]) / steps;
    })
  );
  const sum = logDets.reduce((total, l) => total + l, 0);
  // The series leaves out 4 steps x 3 directions x 0.13^5 / 5 = 9e-5 at most; float32 rounds an energy of 4 to 1e-6.
  assert.ok(Math.abs(sum - Math.log(det)) < 1e-4, `${sum}, ${Math.log(det)}`);
});

Deno.test("chooseStepSize() leaves out what diverged or was singular, and takes the smallest if nothing is left", async () => {
  await tf.setBackend("cpu");
  const choose = (objective: number[], curvature: number[]) =>
    tf.tidy(() => {
      const trial = { objective: tf.tensor1d(objective), curvature: tf.tensor1d(curvature) };
      const sums = addTrial(addTrial(initSearch(3), trial), trial);
      return chooseStepSize(tf.tensor1d([1, 2, 4]), sums).dataSync()[0];
    });
  assert.equal(choose([3, 2, 5], [0.1, 0.2, 0.4]), 2);
  assert.equal(choose([3, 2, 1], [0.1, 0.2, 1.1]), 2);
  assert.equal(choose([3, NaN, Infinity], [0.1, 0.2, 0.4]), 1);
  assert.equal(choose([3, 2, 1], [0.1, NaN, NaN]), 1);
  assert.equal(choose([NaN, NaN, NaN], [0.1, 0.2, 0.4]), 1);
  assert.equal(choose([-3, -4, -8], [0.1, 0.2, 0.4]), 4);
});

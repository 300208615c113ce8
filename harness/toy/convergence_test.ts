import assert from "node:assert/strict";
import { univariateGaussian } from "../../datasets/toy/univariate_gaussian.ts";
import { ld } from "../../methods/toy/ld.ts";
import { openDevice } from "../engine/device.ts";
import { firstClose, followConvergence } from "./convergence.ts";
import type { Draws } from "../core/toy_types.ts";

/** Two chains of ten points that stand at `values[t]`, the first point at `first[t]`. */
function drawsOf(values: readonly number[], first: readonly number[] = values): Draws {
  const data = Float32Array.from(
    values.flatMap((v, t) => Array.from({ length: 20 }, (_, i) => i % 10 === 0 ? first[t] : v)),
  );
  return { count: values.length, chains: 2, points: 10, dim: 1, data };
}

const truth = { means: Array<number>(10).fill(1), std: 2 };
const steps = (count: number, value: number) => Array<number>(count).fill(value);

Deno.test("firstClose() counts steps until the running mean is within half a standard deviation", () => {
  // The mean of k fives and j ones is within 1 of 1 when 4 k < k + j: 4 fives, then more than 12 ones.
  assert.equal(firstClose(drawsOf([...steps(4, 5), ...steps(40, 1)]), truth), 17);
  assert.equal(firstClose(drawsOf(steps(3, 1)), truth), 1);
  assert.equal(firstClose(drawsOf(steps(300, 5)), truth), null);
});

Deno.test("firstClose() forgets what is older than a hundred steps", () => {
  // Of 200 steps at 9: 100 remain; means over 100 steps are below 2 when less than an eighth are nines.
  assert.equal(firstClose(drawsOf([...steps(200, 9), ...steps(200, 1)]), truth), 288);
});

Deno.test("firstClose() asks for nine of ten points, and averages over chains", () => {
  assert.equal(firstClose(drawsOf(steps(5, 1), steps(5, 9)), truth), 1);
  const two = drawsOf(steps(5, 1), steps(5, 9));
  two.data.forEach((_, i) => two.data[i] = i % 10 < 2 ? 9 : 1);
  assert.equal(firstClose(two, truth), null);
  const opposed = drawsOf(steps(5, 1));
  opposed.data.forEach((_, i) => opposed.data[i] = i % 20 < 10 ? -8 : 10);
  assert.equal(firstClose(opposed, truth), 1);
});

Deno.test("followConvergence() agrees with the relaxation of an AR(1) chain", async () => {
  await using device = await openDevice("cpu", { threads: 1 });
  const options = { target: univariateGaussian, device, seed: 0, steps: 600, stepSize: 1e-4 };
  const { t90, gradients, trace, stride, mean, std } = await followConvergence(ld, options);
  assert.equal(gradients, t90);
  assert.equal(trace.length * stride, 600);
  assert.equal(mean, univariateGaussian.answer.means[0][0]);
  assert.ok(Math.abs(std - Math.sqrt(1 / 101)) < 1e-9);
  // E z_t - mean = (1 - eta P)^t (z_0 - mean): with rho = 0.9899 and |m| / std of 10 |m|, the mean over the window, which
  // is from t - 100 on, is below 0.5 std for all but a tenth of N(0, 1) means, |m| < 1.64, and starts of mean 0, when
  // 16.4 rho^t (rho^-100 - 1) / (100 (1 - rho)) < 0.5. Sixteen chains know it to 0.25 / sqrt(2) std at most.
  const ratio = (t: number) => 16.4 * 0.9899 ** t * (0.9899 ** -100 - 1) / (100 * (1 - 0.9899));
  assert.ok(t90 !== null && ratio(t90) > 0.3 && ratio(t90) < 0.8, `${t90}: ${ratio(t90 ?? 0)}`);
});

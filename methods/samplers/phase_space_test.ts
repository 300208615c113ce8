import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { leapfrog, type Phase, quasiSymplecticStep, SCHEMES } from "./phase_space.ts";

/** grad of sum of a z^2 / 2 + 0.8 sin(c.z). */
const gradient = (z: tf.Tensor): tf.Tensor => {
  const [a, c] = [tf.tensor1d([1, 2, 3]), tf.tensor1d([0.5, -1, 0.7])];
  const slope = tf.mul(tf.cos(tf.sum(tf.mul(z, c), 1, true)), 0.8);
  return tf.add(tf.mul(z, a), tf.mul(slope, c));
};
const [Z, P] = [[0.4, -1.2, 0.9], [0.3, 0.5, -0.7]];

/** log |det| of the 6x6 numeric Jacobian of `step` at (Z, P). */
function logDet(step: (phase: Phase) => Phase): number {
  const at = (h: number) =>
    tf.tidy(() => {
      const rows = tf.add(tf.tensor2d(Array(6).fill([...Z, ...P])), tf.mul(tf.eye(6), h));
      const [z, p] = tf.split(rows, 2, 1);
      const end = step({ z, p });
      return tf.concat([end.z, end.p], 1).arraySync() as number[][];
    });
  const differences = (h: number) => {
    const [up, down] = [at(h), at(-h)];
    return up.map((row, i) => row.map((v, j) => (v - down[i][j]) / (2 * h)));
  };
  // The error of central differences at 0.02 and 0.04, extrapolated, is of the fourth order.
  const [one, two] = [differences(0.02), differences(0.04)];
  const a = one.map((row, i) => row.map((v, j) => (4 * v - two[i][j]) / 3));
  let log = 0;
  for (let j = 0; j < 6; j++) {
    const pivot = a.slice(j).reduce(
      (best, row, i) => Math.abs(row[j]) > Math.abs(a[best][j]) ? i + j : best,
      j,
    );
    [a[j], a[pivot]] = [a[pivot], a[j]];
    log += Math.log(Math.abs(a[j][j]));
    for (let i = j + 1; i < 6; i++) {
      const f = a[i][j] / a[j][j];
      for (let c = j; c < 6; c++) a[i][c] -= f * a[j][c];
    }
  }
  return log;
}

Deno.test("quasiSymplecticStep() has log |det| = -nu h for each dimension, whatever U is; leapfrog() has 0", async () => {
  await tf.setBackend("cpu");
  const [stepSize, friction] = [tf.scalar(0.2), tf.scalar(0.7)];
  for (const scheme of SCHEMES) {
    const log = logDet((phase) =>
      quasiSymplecticStep(phase, { gradient, stepSize, friction, scheme })
    );
    assert.ok(Math.abs(log + 3 * 0.7 * 0.2) < 1e-4, `${scheme}: ${log}`);
  }
  const log = logDet((phase) =>
    leapfrog(phase, { gradient, stepSize: tf.tensor1d([0.1, 0.2, 0.3]) })
  );
  assert.ok(Math.abs(log) < 1e-4, `${log}`);
});

Deno.test("steps without friction go back when the momentum is turned around", async () => {
  await tf.setBackend("cpu");
  const stepSize = tf.scalar(0.2);
  const steps: readonly ((phase: Phase) => Phase)[] = [
    (phase) => leapfrog(phase, { gradient, stepSize }),
    (phase) =>
      quasiSymplecticStep(phase, { gradient, stepSize, friction: tf.scalar(0), scheme: "verlet" }),
  ];
  for (const step of steps) {
    let phase: Phase = { z: tf.tensor2d([Z]), p: tf.tensor2d([P]) };
    for (let k = 0; k < 10; k++) phase = step(phase);
    phase = { z: phase.z, p: tf.neg(phase.p) };
    for (let k = 0; k < 10; k++) phase = step(phase);
    const ends = [...phase.z.dataSync(), ...tf.neg(phase.p).dataSync()];
    [...Z, ...P].forEach((v, i) => assert.ok(Math.abs(ends[i] - v) < 1e-5, `${ends}`));
  }
});

Deno.test("quasiSymplecticStep() with noise has the stationary variances of its scheme", async () => {
  await tf.setBackend("cpu");
  // U = 2 z^2, h = 0.2, nu = 1, sigma_n^2 = 2: a Var(z) and Var(p) from the exact recursion of moments.
  const expected = { euler: [1.1541, 1.2691], verlet: [1.0037, 1.0348] } as const;
  const [stepSize, friction] = [tf.scalar(0.2), tf.scalar(1)];
  const force = (z: tf.Tensor) => tf.mul(z, 4);
  for (const scheme of SCHEMES) {
    // The step is linear: its matrix and the response to a unit kick give the covariance.
    const columns = [[1, 0], [0, 1]].map(([z, p]) => {
      const end = quasiSymplecticStep({ z: tf.tensor2d([[z]]), p: tf.tensor2d([[p]]) }, {
        gradient: force,
        stepSize,
        friction,
        scheme,
      });
      return [end.z.dataSync()[0], end.p.dataSync()[0]];
    });
    const kicked = quasiSymplecticStep({ z: tf.zeros([1, 1]), p: tf.zeros([1, 1]) }, {
      gradient: force,
      stepSize,
      friction,
      scheme,
      kick: tf.tensor2d([[Math.SQRT2]]),
    });
    const [u, w] = [kicked.z.dataSync()[0], kicked.p.dataSync()[0]];
    let [zz, zp, pp] = [0, 0, 0];
    const [[a, c], [b, d]] = columns;
    for (let k = 0; k < 400; k++) {
      [zz, zp, pp] = [
        a * a * zz + 2 * a * b * zp + b * b * pp + u * u,
        a * c * zz + (a * d + b * c) * zp + b * d * pp + u * w,
        c * c * zz + 2 * c * d * zp + d * d * pp + w * w,
      ];
    }
    const [atZ, atP] = expected[scheme];
    assert.ok(Math.abs(4 * zz - atZ) < 1e-3, `${scheme}: a Var(z) ${4 * zz}`);
    assert.ok(Math.abs(pp - atP) < 1e-3, `${scheme}: Var(p) ${pp}`);
  }
});

/** Whole steps of LAE with linear nets against plain loops in float64: eq. 14, its gradients by hand, and pSGLD. */
import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { createNoise, keyOf } from "../harness/core/noise.ts";
import { flatten } from "../harness/core/tree.ts";
import type { HostArrays, Hyperparams, Problem } from "../harness/core/types.ts";
import { recordNoise } from "./testing/replay.ts";
import { lae } from "./lae.ts";

const PROBLEM: Problem = {
  image: { height: 1, width: 5, channels: 1 },
  trainCount: 12,
  batchSize: 4,
};
const STEPS = 3;
const [M, D, DZ, DU] = [PROBLEM.batchSize, PROBLEM.image.width, 2, 3];

type Numbers = Record<string, number[]>;

const sum = (count: number, f: (i: number) => number): number => {
  let total = 0;
  for (let i = 0; i < count; i++) total += f(i);
  return total;
};
const table = (rows: number, columns: number, f: (i: number, j: number) => number): number[] =>
  Array.from({ length: rows * columns }, (_, k) => f(Math.floor(k / columns), k % columns));

/** Gradients of L / n (eq. 14) for each parameter, and of L / n + the penalty for the energy's. Features are x and u themselves. */
function gradients(
  w: Numbers,
  { x, u, penalty }: { x: readonly number[]; u: readonly number[]; penalty: number },
): Numbers {
  const [decoder, offset] = [w["decoder/0/weight"], w["decoder/0/bias"]];
  const [energy, [level]] = [w["energy/0/weight"], w["energy/0/bias"]];
  const precision = Math.exp(-2 * w.logSigma[0]);
  const z = table(M, DZ, (i, k) => sum(D, (p) => x[i * D + p] * w.phi[p * DZ + k]));
  const prior = table(M, DZ, (i, k) => sum(DU, (p) => u[i * DU + p] * w.psi[p * DZ + k]));
  const residual = table(
    M,
    D,
    (i, p) => offset[p] + sum(DZ, (k) => z[i * DZ + k] * decoder[k * D + p]) - x[i * D + p],
  );
  const towardsZ = table(
    M,
    DZ,
    (i, k) =>
      (energy[k] + z[i * DZ + k] +
        precision * sum(D, (p) => residual[i * D + p] * decoder[k * D + p])) / M,
  );
  const towardsPrior = table(M, DZ, (i, k) => -(energy[k] + prior[i * DZ + k]) / M);
  const netOf = (latents: readonly number[], i: number) =>
    level + sum(DZ, (k) => latents[i * DZ + k] * energy[k]);
  return {
    phi: table(D, DZ, (p, k) => sum(M, (i) => x[i * D + p] * towardsZ[i * DZ + k])),
    psi: table(DU, DZ, (p, k) => sum(M, (i) => u[i * DU + p] * towardsPrior[i * DZ + k])),
    "decoder/0/weight": table(
      DZ,
      D,
      (k, p) => precision / M * sum(M, (i) => z[i * DZ + k] * residual[i * D + p]),
    ),
    "decoder/0/bias": table(1, D, (_, p) => precision / M * sum(M, (i) => residual[i * D + p])),
    logSigma: [D - precision / M * sum(M * D, (j) => residual[j] ** 2)],
    "energy/0/weight": table(
      1,
      DZ,
      (_, k) =>
        sum(M, (i) => z[i * DZ + k] - prior[i * DZ + k]) / M + 2 * penalty / M *
          sum(M, (i) => netOf(z, i) * z[i * DZ + k] + netOf(prior, i) * prior[i * DZ + k]),
    ),
    "energy/0/bias": [2 * penalty / M * sum(M, (i) => netOf(z, i) + netOf(prior, i))],
  };
}

/** One pSGLD move of `name` in place, `move` moves after the first (Li et al., algorithm 1, V unbiased). */
function movePsgld(
  w: Numbers,
  name: string,
  { gradient, xi, step, count, damping, move, v }: {
    gradient: readonly number[];
    xi: ArrayLike<number> | null;
    step: number;
    count: number;
    damping: number;
    move: number;
    v: Numbers;
  },
): void {
  const slot = v[name] ??= gradient.map(() => 0);
  gradient.forEach((g, i) => {
    slot[i] = 0.99 * slot[i] + 0.01 * g * g;
    const preconditioner = 1 / (Math.sqrt(slot[i] / (1 - 0.99 ** (move + 1))) + damping);
    const eta = step / count;
    const noise = xi === null ? 0 : Math.sqrt(2 * eta * preconditioner) * xi[i];
    w[name][i] += -eta * preconditioner * count * g + noise;
  });
}

/** Step `t` of Algorithm 2, or of Algorithm 4, on parameters `w` and slots `v`, in place. */
function plainStep(
  w: Numbers,
  { v, x, draws, t, hyper }: {
    v: Numbers;
    x: readonly number[];
    draws: HostArrays;
    t: number;
    hyper: typeof lae.defaults;
  },
): void {
  const { damping, chainCount, learning } = hyper;
  const step = hyper.stepSize * (1 + t / hyper.decaySteps) ** -hyper.decayPower;
  const inner = learning === "ml" ? hyper.innerSteps : 1;
  const u = chainCount === 0 ? [...draws.inputs.data] : table(M, DU, (i, k) => {
    const chain = (t * M + i) % PROBLEM.trainCount % chainCount;
    return w.inputs[chain * DU + k];
  });
  const given = { x, u, penalty: hyper.energyPenalty };
  for (let k = 0; k < inner; k++) {
    const gradient = gradients(w, given);
    const last = k === inner - 1;
    const theta = Object.keys(gradient).filter((name) => name !== "phi" && name !== "psi");
    const xi = (name: string) => {
      const all = draws[`${last ? "xi" : "inner"}/${name}`].data;
      return last ? all : all.subarray(k * w[name].length, (k + 1) * w[name].length);
    };
    const shared = { step, damping, v };
    const move = t * inner + k;
    const count = PROBLEM.trainCount;
    movePsgld(w, "phi", { ...shared, gradient: gradient.phi, xi: xi("phi"), count, move });
    movePsgld(w, "psi", {
      ...shared,
      gradient: gradient.psi.map((g) => -g), // up L
      xi: xi("psi"),
      count: chainCount || count,
      move,
    });
    if (!last) continue;
    for (const name of theta) {
      const noise = learning === "bayes" ? xi(name) : null;
      movePsgld(w, name, { ...shared, gradient: gradient[name], xi: noise, count, move: t });
    }
  }
}

const CASES: readonly Hyperparams[] = [
  {},
  { chainCount: 5, decayPower: 0.55, decaySteps: 2 },
  { learning: "ml", innerSteps: 3 },
];

for (const overrides of CASES) {
  const words = Object.entries(overrides).map(([k, v]) => ` ${k}=${v}`).join("");
  Deno.test(`lae${words} step() is eq. 14 and pSGLD by plain loops in float64`, async () => {
    await tf.setBackend("cpu");
    const hyper = {
      ...lae.defaults,
      nets: "linear",
      latentDim: DZ,
      inputDim: DU,
      sigma: 0.5,
      stepSize: 0.02,
      damping: 0.05, // of the size of the gradients, so that the preconditioner differs from weight to weight
      energyPenalty: 0.1,
      ...overrides,
    };
    const model = lae.build(PROBLEM, hyper);
    const pixels = createNoise(keyOf(3), tf.scalar(0, "int32")).split("images")
      .uniform<tf.Tensor4D>([PROBLEM.trainCount, 1, D, 1]);
    const initial = model.init(createNoise(keyOf(1), tf.scalar(0, "int32")));
    let state = initial;
    const start = flatten(initial);
    const w: Numbers = Object.fromEntries(
      Object.entries(start).map(([name, t]) => [name, [...t.dataSync()]]),
    );
    const v: Numbers = {};
    for (let t = 0; t < STEPS; t++) {
      const rows = Array.from({ length: M }, (_, i) => (t * M + i) % PROBLEM.trainCount);
      const step = tf.scalar(t, "int32");
      const images = tf.gather(pixels, tf.tensor1d(rows, "int32"));
      const batch = { images, rows: tf.tensor1d(rows, "int32"), step, chains: {} };
      const { noise, draws } = recordNoise(createNoise(keyOf(2), step));
      state = model.step(state, batch, noise).state;
      const x = Array.from(images.dataSync(), (pixel) => 2 * pixel - 1);
      plainStep(w, { v, x, draws, t, hyper });
    }
    const end = flatten(state);
    for (const name of ["phi", "psi", "logSigma", ...Object.keys(v)]) {
      const ours = end[name].dataSync();
      // A gradient of size 1 is known to 1e-6. The preconditioner, at most 1 / damping = 20, takes that to 2e-5 of itself at
      // worst, the noise, of length sqrt(2 x 0.02 / 5 x 20) = 0.4, to 4e-6 a move; up to 9 moves.
      w[name].forEach((value, i) =>
        assert.ok(Math.abs(ours[i] - value) < 2e-5, `${name}[${i}] ${ours[i]}, by hand ${value}`)
      );
      const moved = w[name].some((value, i) => Math.abs(value - start[name].dataSync()[i]) > 1e-3);
      assert.ok(moved, `${name} has not moved`);
    }
    assert.equal(Object.keys(v).length, 7);
  });
}

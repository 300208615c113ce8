/** Gradients of every energy and loss against central differences of the same function in float64 (testing/float64.ts). */
import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { foldIn, keyOf, words } from "../../harness/core/noise.ts";
import { flatten, unflatten } from "../../harness/core/tree.ts";
import type { HostArray, HostArrays, Hyperparams, Method, Tree } from "../../harness/core/types.ts";
import { abp } from "../abp.ts";
import { lebm } from "../lebm.ts";
import {
  directionalDerivative,
  forward,
  type Params,
  softplus,
  toFloat64,
} from "../testing/float64.ts";
import { toTensors } from "../../harness/core/host_arrays.ts";
import { initialState, TINY_PROBLEM, tinyHyper, tinyImages } from "../testing/tiny_problem.ts";
import { vae } from "../vae.ts";
import { vae_flow } from "../vae_flow.ts";
import { decoderNet, encoderNet, energyNet } from "./architectures.ts";
import { energyPrior } from "./energy_prior.ts";
import { drawFrom, entropy, gaussianEncoder, klToStandardNormal } from "./gaussian_encoder.ts";
import { lossAndGradients } from "./gradients.ts";
import { toModelRange } from "./likelihood.ts";
import type { NetParams } from "./nets.ts";
import {
  type ObservationHyper,
  observationModel,
  type ObservationParams,
} from "./observation_model.ts";
import { type FlowParams, planarFlow } from "./planar_flow.ts";
import { halfSquaredNorm } from "./standard_normal.ts";

const COUNT = 3;
const { data: pixels } = tinyImages(COUNT, TINY_PROBLEM.image);
const images = tf.tensor4d(pixels, [COUNT, 8, 8, 1]);

/** Draws in [-1, 1) by name, so that both implementations see the same. */
function fixed(name: string, size: number): Float64Array {
  return Float64Array.from(
    words(foldIn(keyOf(7), name), 0, size),
    (w) => Math.fround(w * 2 ** -31 - 1),
  );
}

/** One loss in both implementations. `wrt` selects the parameters; latents `z` are a parameter too. */
interface Comparison<P extends Tree> {
  readonly state: HostArrays;
  readonly wrt: RegExp;
  readonly float32: (params: P) => tf.Tensor;
  readonly float64: (params: Params) => number;
}

/** Checks the derivative along each parameter's own gradient, the steepest direction, and along a random one. */
async function compare<P extends Tree>(
  { state, wrt, float32, float64 }: Comparison<P>,
): Promise<void> {
  await tf.setBackend("cpu");
  const tensors = toTensors(state);
  const names = Object.keys(state).filter((name) => wrt.test(name));
  const { parts, gradients: tree } = lossAndGradients((params) => {
    const all = unflatten({ ...tensors, ...flatten(params) }) as P;
    return { loss: tf.sum<tf.Scalar>(float32(all)) };
  }, unflatten(Object.fromEntries(names.map((name) => [name, tensors[name]]))));
  const gradients = flatten(tree);
  const params = toFloat64(state);
  const value = float64(params);
  assert.ok(Math.abs(parts.loss.dataSync()[0] - value) <= 1e-5 * Math.abs(value), `value ${value}`);
  for (const name of names) {
    const gradient = Float64Array.from(gradients[name].dataSync());
    const norm = Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0));
    assert.ok(norm > 0, `${name} has no gradient`);
    const random = fixed(name, gradient.length);
    for (const direction of [gradient.map((g) => g / norm), random]) {
      const ours = gradient.reduce((sum, g, i) => sum + g * direction[i], 0);
      const theirs = directionalDerivative(float64, { params, direction: { [name]: direction } });
      // Central differences err by step^2 = 1e-8, float32 by some 1e-6 of the largest terms: 1e-4 of the norm.
      const length = Math.sqrt(direction.reduce((sum, d) => sum + d * d, 0));
      assert.ok(
        Math.abs(ours - theirs) <= 1e-4 * norm * length,
        `${name}: ${ours}, differences ${theirs}`,
      );
    }
  }
}

const { image } = TINY_PROBLEM;
const x64 = Array.from(
  { length: COUNT },
  (_, i) =>
    Float64Array.from(
      pixels.subarray(i * 64, (i + 1) * 64),
      (p) => Math.fround(Math.fround(2 * p) - 1),
    ),
);
const rowOf = (z: Float64Array, i: number, latentDim: number) =>
  z.subarray(i * latentDim, (i + 1) * latentDim);

/** -log p(x | z) in float64. */
function negLog64(
  params: Params,
  { z, hyper }: { z: Float64Array; hyper: ObservationHyper },
): number {
  const sigma = Math.exp(params.logSigma[0]);
  const net = decoderNet(image, hyper);
  const logistic = (a: number) => 1 / (1 + Math.exp(-a));
  return x64.reduce((sum, x, i) => {
    const mean = forward(net, params, rowOf(z, i, hyper.latentDim));
    return sum + x.reduce((total, v, j) => {
      if (hyper.likelihood === "gaussian") {
        return total + ((v - mean[j]) / sigma) ** 2 / 2 + Math.log(2 * Math.PI * sigma ** 2) / 2;
      }
      const above = v + 1 / 255 > 1 ? 1 : logistic((v + 1 / 255 - mean[j]) / sigma);
      const below = v - 1 / 255 < -1 ? 0 : logistic((v - 1 / 255 - mean[j]) / sigma);
      return total - Math.log(above - below);
    }, 0);
  }, 0);
}

const sumOfSquares = (z: Float64Array) => z.reduce((sum, v) => sum + v * v, 0);

/** The initial state of a tiny model with a larger decoder, and latents `z` beside it. */
async function stateOf<H extends Hyperparams & ObservationHyper>(
  method: Method<H>,
  overrides: Partial<H>,
) {
  const hyper = tinyHyper(method, { width: 0.05, ...overrides });
  const state = await initialState(method.build(TINY_PROBLEM, hyper), 3);
  // Outputs of trained size: the initial decoder's are so small that its inputs hardly count.
  const last = Object.keys(state).filter((k) => /^decoder\/\d+\/weight$/.test(k)).sort().at(-1) ??
    "";
  state[last].data.forEach((w, i) => state[last].data[i] = 10 * w);
  const z: HostArray = {
    shape: [COUNT, hyper.latentDim],
    dtype: "float32",
    data: Float32Array.from(fixed("z", COUNT * hyper.latentDim)),
  };
  return { hyper, state: { ...state, z } };
}

for (const nets of ["table2", "linear"]) {
  for (const likelihood of ["gaussian", "discretized_logistic"]) {
    Deno.test(`posterior energy, ${nets}, ${likelihood}: gradient in z, decoder and sigma`, async () => {
      const { hyper, state } = await stateOf(abp, { nets, likelihood, learnSigma: true });
      const model = observationModel(image, hyper);
      const x = toModelRange(images);
      await compare<ObservationParams & { readonly z: tf.Tensor2D }>({
        state,
        wrt: /^(z|logSigma|decoder.*)$/,
        float32: (p) =>
          tf.add(model.reconstruct(p, { latents: p.z, x }).negLog, halfSquaredNorm(p.z)),
        float64: (p) => negLog64(p, { z: p.z, hyper }) + sumOfSquares(p.z) / 2,
      });
    });
  }
}

for (const nets of ["table2", "pang2020", "linear"]) {
  Deno.test(`prior energy, ${nets}: gradient in z and in the net`, async () => {
    const { hyper, state } = await stateOf(lebm, nets === "linear" ? { nets } : {});
    // The energy does not see images: LEBM's net needs no generator of LEBM's here.
    const energyHyper = { ...hyper, nets };
    const prior = energyPrior(energyHyper);
    const net = energyNet(energyHyper);
    const own = nets === "pang2020" ? await pangEnergy(energyHyper, state.z) : state;
    await compare<{ readonly energy: NetParams; readonly z: tf.Tensor2D }>({
      state: own,
      wrt: /^(z|energy.*)$/,
      float32: (p) => prior.energy(p.energy, p.z),
      float64: (p) =>
        [0, 1, 2].reduce((sum, i) => sum + forward(net, p, rowOf(p.z, i, hyper.latentDim))[0], 0) +
        sumOfSquares(p.z) / 2,
    });
  });
}

/** A state with LEBM's energy, whose generator makes images of 16x16 at least. */
async function pangEnergy(hyper: typeof lebm.defaults, z: HostArray): Promise<HostArrays> {
  const problem = { ...TINY_PROBLEM, image: { height: 16, width: 16, channels: 1 } };
  return { ...await initialState(lebm.build(problem, hyper), 3), z };
}

/** Parameters of VAE, and of VAE-flow. */
type VaeParams = ObservationParams & {
  readonly encoder: NetParams;
  readonly flow?: FlowParams;
};

for (const name of ["vae", "vae_flow"] as const) {
  Deno.test(`${name} -ELBO: gradient in encoder, flow, decoder and sigma`, async () => {
    const { hyper, state } = name === "vae" ? await stateOf(vae, {}) : await stateOf(vae_flow, {});
    const { latentDim } = hyper;
    const model = observationModel(image, hyper);
    const encoder = gaussianEncoder(image, hyper);
    const x = toModelRange(images);
    const xi = fixed("xi", COUNT * latentDim);
    const net = encoderNet(image, hyper, 2 * latentDim);
    const flowCount = name === "vae" ? 0 : 3;
    const gaussian64 = (p: Params) =>
      x64.map((row) => {
        const out = forward(net, p, row);
        return {
          mean: out.subarray(0, latentDim),
          scale: out.subarray(latentDim).map((t) => softplus(t) ** -0.5),
        };
      });
    const flow64 = (p: Params, z: Float64Array): [Float64Array, number] => {
      let logDet = 0;
      for (let k = 0; k < flowCount; k++) {
        const [u, w, b] = ["u", "w", "b"].map((part) => p[`flow/${k}/${part}`]);
        const inner = (a: Float64Array, c: Float64Array) =>
          a.reduce((sum, v, i) => sum + v * c[i], 0);
        const wu = inner(w, u);
        const moved = u.map((v, i) => v + (softplus(wu) - 1 - wu) * w[i] / inner(w, w));
        const h = Math.tanh(inner(w, z) + b[0]);
        logDet += Math.log(Math.abs(1 + (1 - h * h) * inner(w, moved)));
        z = z.map((v, i) => v + moved[i] * h);
      }
      return [z, logDet];
    };
    await compare<VaeParams>({
      state,
      wrt: /^(logSigma|(encoder|flow|decoder)\/.*)$/,
      float32: (p) => {
        const q = encoder.encode(p.encoder, x);
        const start = drawFrom(q, tf.tensor2d(Float32Array.from(xi), [COUNT, latentDim]));
        const { latents, logDet } = planarFlow(p.flow ?? {}, start);
        const { negLog } = model.reconstruct(p, { latents, x });
        if (flowCount === 0) return tf.add(negLog, klToStandardNormal(q));
        return tf.sub(tf.add(negLog, halfSquaredNorm(latents)), tf.add(entropy(q), logDet));
      },
      float64: (p) => {
        const z = new Float64Array(COUNT * latentDim);
        let total = 0;
        gaussian64(p).forEach(({ mean, scale }, i) => {
          const start = mean.map((v, j) => v + scale[j] * xi[i * latentDim + j]);
          const [end, logDet] = flow64(p, start);
          z.set(end, i * latentDim);
          const logScales = scale.reduce((sum, s) => sum + Math.log(s), 0);
          total += flowCount === 0
            ? (sumOfSquares(mean) + sumOfSquares(scale) - latentDim) / 2 - logScales
            : sumOfSquares(end) / 2 - logDet - logScales -
              latentDim / 2 * Math.log(2 * Math.PI * Math.E);
        });
        return total + negLog64(p, { z, hyper });
      },
    });
  });
}

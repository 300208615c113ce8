/**
 * Short-run inference (Nijkamp et al. 2020): ABP with short chains from the prior whose step size follows a variational
 * objective, for one layer of latents and for several.
 */
import * as tf from "@tensorflow/tfjs";
import type { Method, Model, Noise, PartialImages, Problem } from "../harness/core/types.ts";
import { adam, type AdamSlots, initAdam } from "./parts/adam.ts";
import { checkCounts, checkPositive } from "./parts/checks.ts";
import { lossAndGradients } from "./parts/gradients.ts";
import { chainFromStart, gaussianJoint } from "./parts/joint_density.ts";
import { checkPosteriorChain, posteriorChain, preparePosterior } from "./parts/latent_chains.ts";
import { toModelRange } from "./parts/likelihood.ts";
import {
  type LearnedParams,
  OBSERVATION_DEFAULTS,
  OBSERVATION_DEVIATIONS,
  observationModel,
  type ObservationParams,
  sigmaOf,
} from "./parts/observation_model.ts";
import { shortRunObjective } from "./parts/short_run.ts";
import { halfSquaredNorm, sampleStandardNormal } from "./parts/standard_normal.ts";
import { addTrial, chooseStepSize, initSearch, type SearchState } from "./parts/step_search.ts";
import { stepFlops } from "./parts/step_flops.ts";
import { topDownGenerator } from "./parts/top_down.ts";

const defaults = {
  ...OBSERVATION_DEFAULTS,
  sigma: 0.15, // short-run inference's code
  learnSigma: false, // a constant in that code
  learningRate: 8e-5, // that code's, which halves it three times in 600 epochs
  layerCount: 1, // layers of latents, 1, 3 or 5: the code that was released has 5
  posteriorSteps: 25, // K of that code
  posteriorStepSize: 0.00125, // eta = s^2 / 2 with s = 0.05: that code; where the search starts
  noise: true, // false: the chain that is run is the noise-free one that the objective is about
  searchEvery: 100, // training steps between choices of the step size; 0: never
};

/** Step sizes s that are tried: three below the current one and three above it, each 1.1 times the one before. */
const CANDIDATES = 7;
const RATIO = 1.1;

type Search = { readonly stepScale: tf.Scalar; readonly search: SearchState };
type State = ObservationParams & { readonly adam: AdamSlots<LearnedParams> } & Partial<Search>;

function build(problem: Problem, hyper: typeof defaults): Model<State> {
  const { latentDim, learningRate, posteriorSteps, posteriorStepSize, layerCount, searchEvery } =
    hyper;
  checkPositive({ learningRate });
  checkPosteriorChain(hyper);
  checkCounts({ layerCount }, 1);
  checkCounts({ searchEvery }, 0);
  checkCounts({ latentDim, featureDim: hyper.featureDim }, 1);
  checkPositive({ width: hyper.width });
  const generator = layerCount > 1 ? topDownGenerator(problem.image, hyper) : undefined;
  const model = observationModel(problem.image, hyper, generator);
  const isSearching = searchEvery > 0;
  // Factors on the current eta = s^2 / 2.
  const factors = Array.from(
    { length: CANDIDATES },
    (_, g) => RATIO ** (2 * g - CANDIDATES + 1),
  );

  const stepScaleOf = (state: State) => state.stepScale;
  const startOf = (count: number, noise: Noise): tf.Tensor2D =>
    noise.split("start").normal([count, latentDim]);
  const chainFrom = chainFromStart<State>(model, {
    energyOf: () => halfSquaredNorm,
    hyper,
    stepScaleOf,
    isNoisy: hyper.noise,
  });

  /** The end of a chain from N(0, I): with layers, their noise eps, top first. */
  const infer = (
    state: State,
    { images, seen }: PartialImages,
    noise: Noise,
  ): tf.Tensor2D =>
    chainFrom(state, { images, seen, start: startOf(images.shape[0], noise) }, noise);

  /** The entries of the search after one more trial, on the first image of `x` [m, height, width, channels]. */
  const searched = (
    state: State,
    { x, seen, step, noise }: {
      readonly x: tf.Tensor;
      readonly seen?: tf.Tensor;
      readonly step: tf.Scalar;
      readonly noise: Noise;
    },
  ): Partial<Search> => {
    const { stepScale, search } = state;
    if (stepScale === undefined || search === undefined) return {};
    const repeated = (row: tf.Tensor) =>
      tf.tile(row, [CANDIDATES, ...row.shape.slice(1).map(() => 1)]);
    const grid = tf.mul<tf.Tensor1D>(tf.tensor1d(factors), stepScale);
    const first = (rows: tf.Tensor) =>
      repeated(tf.slice(rows, [0, 0, 0, 0], [1, ...rows.shape.slice(1)]));
    const one = { x: first(x), seen: seen && first(seen) };
    // Deviation: The step size minimizes KL from the law of the noise-free chain, by a grid with a series for the log-determinants (short_run.ts): how the authors search is not published, their code has a constant
    // Deviation: The grid is tried on one image in every step and the step size chosen from the sums of searchEvery steps, since a step is a fixed program: as many images as a minibatch of that size
    const trial = shortRunObjective(
      (z) => tf.add(model.reconstruct(state, { latents: z, ...one }).negLog, halfSquaredNorm(z)),
      {
        start: repeated(noise.split("start").normal([1, latentDim])) as tf.Tensor2D,
        steps: posteriorSteps,
        stepSizes: tf.mul(grid, posteriorStepSize),
        probes: repeated(signs(noise.split("probe").uniform([1, latentDim]))) as tf.Tensor2D,
        moment: noise.split("moment").uniform([]),
      },
    );
    const sums = addTrial(search, trial);
    const done = tf.add(tf.cast(step, "float32"), 1);
    const rounds = tf.cast(tf.cast(tf.div(done, searchEvery), "int32"), "float32");
    const isLast = tf.equal(done, tf.mul(rounds, searchEvery));
    const kept = tf.sub(1, tf.cast(isLast, "float32"));
    return {
      stepScale: tf.where(isLast, chooseStepSize(grid, sums), stepScale),
      search: {
        objective: tf.mul(sums.objective, kept),
        curvature: tf.mul(sums.curvature, kept),
      },
    };
  };

  return {
    // The search is left out: its work does not grow with the batch. It is 7 (2 K + 17) passes through the decoder.
    flops: stepFlops(problem.batchSize, (2 * posteriorSteps + 3) * model.macs),

    init(noise) {
      const params = model.init(noise);
      return {
        ...params,
        adam: initAdam(model.learned(params)),
        ...(isSearching && { stepScale: tf.scalar(1), search: initSearch(CANDIDATES) }),
      };
    },

    /** K Langevin steps from N(0, I) for all layers of latents at once, one step of Adam for the generator, and a trial of the search. */
    step(state, { images, step, seen }, noise) {
      const x = toModelRange(images);
      const latents = posteriorChain(model, {
        params: state,
        energy: halfSquaredNorm,
        x,
        seen,
        start: startOf(x.shape[0], noise),
        hyper,
        noise: hyper.noise ? noise : undefined,
        stepScale: state.stepScale,
      });
      const { parts, gradients } = lossAndGradients((params) => {
        const all = { ...state, ...params };
        const { negLog, squaredError } = model.reconstruct(all, { latents, x, seen });
        return { loss: tf.mean<tf.Scalar>(negLog), squaredError };
      }, model.learned(state));
      const { params, slots } = adam(
        { params: model.learned(state), slots: state.adam },
        { gradients, learningRate, step },
      );
      const search = searched(state, { x, seen, step, noise: noise.split("search") });
      const stepSize = tf.mul<tf.Scalar>(state.stepScale ?? tf.scalar(1), posteriorStepSize);
      return {
        state: model.boundSigma({ ...state, ...params, adam: slots, ...search }),
        metrics: {
          ...parts,
          halfSquaredNorm: tf.mean(halfSquaredNorm(latents)),
          sigma: sigmaOf(state),
          ...(isSearching && { stepSize }),
        },
      };
    },

    sample: (state, { count }, noise) =>
      sampleStandardNormal(model, { params: state, count, latentDim, noise }),

    latents: {
      dim: latentDim,
      infer: (state, images, noise) => infer(state, { images }, noise),
      decode: model.decode,
    },

    langevinChains: [{
      name: "posterior",
      steps: posteriorSteps,
      prepare: (state, { images, seen }, noise) =>
        preparePosterior(model, {
          params: state,
          energy: halfSquaredNorm,
          x: toModelRange(images),
          seen,
          start: startOf(images.shape[0], noise),
          hyper,
          stepScale: state.stepScale,
        }),
    }],
    joint: { ...gaussianJoint(model, latentDim), chainFrom },
    partial: { needsPartialTraining: false, infer },
  };
}

/** +1 where `uniform` is at least 1/2, -1 elsewhere. */
function signs(uniform: tf.Tensor): tf.Tensor {
  return tf.sub(tf.mul(tf.cast(tf.greaterEqual(uniform, 0.5), "float32"), 2), 1);
}

const DEVIATIONS = [
  ...OBSERVATION_DEVIATIONS,
  "The step size minimizes KL from the law of the noise-free chain, by a grid with a series for the log-determinants (short_run.ts): how the authors search is not published, their code has a constant",
  "The grid is tried on one image in every step and the step size chosen from the sums of searchEvery steps, since a step is a fixed program: as many images as a minibatch of that size",
];

export const sri: Method<typeof defaults> = {
  name: "sri",
  label: "SRI",
  description: "short-run LD",
  source:
    "Nijkamp et al. 2020 (short-run MCMC), and their code (train_celeba_five_layers.py); networks of Langevin Autoencoders (ICLR 2022 submission), F.3",
  deviations: DEVIATIONS,
  defaults,
  ranges: {
    learningRate: { scale: "log", low: 1e-4, high: 1e-2 },
    sigma: { scale: "log", low: 0.1, high: 1.5 },
    posteriorStepSize: { scale: "log", low: 1e-3, high: 0.2 },
  },
  build,
};

export const sri_layers: Method<typeof defaults> = {
  ...sri,
  name: "sri_layers",
  label: "SRI (layers)",
  description: "short-run LD, layers of latents",
  source: "Nijkamp et al. 2020 (short-run MCMC), and their code (train_celeba_five_layers.py)",
  deviations: [
    ...DEVIATIONS,
    "GELU is the form with tanh, weights start normal with PyTorch's default variance, biases at zero, and the projections' transposed convolution is a convolution, the same for a stride of 1, with a bias (short-run inference's code: erf, uniform, no bias)",
  ],
  // The released model has layerCount=5 and latentDim=416, in layers of 64, 64, 64, 96 and 128.
  defaults: { ...defaults, layerCount: 3 },
};

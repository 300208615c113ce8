/**
 * Fixed features below the last layer of an amortized sampler, G [points, d], in float64. A step on the last layer moves
 * the latents preconditioned by K = G G' (LAE Theorem 1): with whitened features, K = I, the chains are those of Langevin dynamics.
 *
 * @module
 */
import type { Encoder } from "../../harness/core/toy_types.ts";
import type { Matrix } from "../../harness/core/types.ts";
import { orthonormalise, transpose } from "../../harness/linalg/matrix.ts";
import type { Noise } from "../../harness/core/types.ts";

/** Random networks that are tried before giving up on one of full rank. */
const ATTEMPTS = 200;

/** Inputs and network of features. */
export interface FeatureOptions {
  readonly inputs: Matrix;
  readonly encoder: Encoder;
  /** d. */
  readonly featureDim: number;
  readonly noise: Noise;
}

/** Activations of the encoder's last hidden layer, He-normal weights and no biases (or as in PyTorch): [points][d]. */
export function networkFeatures(
  { inputs, encoder, featureDim, noise }: FeatureOptions,
  init: "he" | "pytorch",
): number[][] {
  const activate = encoder.activation === "relu" ? (v: number) => Math.max(0, v) : Math.tanh;
  let h: Matrix = inputs;
  for (let layer = 0; layer < encoder.depth; layer++) {
    const fanIn = h[0].length;
    const width = layer === encoder.depth - 1 ? featureDim : encoder.width;
    const stream = noise.split("layer", layer);
    // torch.nn.Linear: weights and biases uniform in +-1 / sqrt(fan in).
    const bound = 1 / Math.sqrt(fanIn);
    const weights = init === "he"
      ? read(stream.split("weight").normal([fanIn, width]), (v) => v * Math.sqrt(2 / fanIn))
      : read(stream.split("weight").uniform([fanIn, width]), (v) => (2 * v - 1) * bound);
    const [bias] = init === "he"
      ? [Array<number>(width).fill(0)]
      : read(stream.split("bias").uniform([1, width]), (v) => (2 * v - 1) * bound);
    h = h.map((row) =>
      bias.map((b, j) => activate(row.reduce((sum, v, i) => sum + v * weights[i][j], b)))
    );
  }
  return h.map((row) => [...row]);
}

/** sqrt(2 / d) cos(Omega x + b), features of a Gaussian kernel of this length-scale. Rahimi and Recht 2007. */
export function fourierFeatures(
  { inputs, featureDim, noise }: FeatureOptions,
  lengthScale: number,
): number[][] {
  const dim = inputs[0].length;
  const omega = read(noise.split("omega").normal([dim, featureDim]), (v) => v / lengthScale);
  const [phase] = read(noise.split("phase").uniform([1, featureDim]), (v) => 2 * Math.PI * v);
  const scale = Math.sqrt(2 / featureDim);
  return inputs.map((x) =>
    phase.map((b, j) => scale * Math.cos(x.reduce((sum, v, i) => sum + v * omega[i][j], b)))
  );
}

/**
 * Whitened features: for d >= points G G' = I, for d < points G G' is the projection on the columns. Random networks are
 * drawn until one has full rank. Throws RangeError when none has.
 */
export function whitenedFeatures(options: FeatureOptions, fourierScale?: number): number[][] {
  let rank = 0;
  const points = options.inputs.length;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const own = { ...options, noise: options.noise.split("attempt", attempt) };
    const features = fourierScale === undefined
      ? networkFeatures(own, "he")
      : fourierFeatures(own, fourierScale);
    const wide = options.featureDim >= points;
    const basis = orthonormalise(wide ? features : transpose(features));
    rank = Math.max(rank, basis.length);
    if (basis.length === Math.min(points, options.featureDim)) {
      return wide ? basis : transpose(basis);
    }
  }
  throw new RangeError(
    `Features of ${points} points have rank ${rank}, not ${
      Math.min(points, options.featureDim)
    }: use a wider encoder, or random Fourier features (fourierScale)`,
  );
}

function read(
  tensor: { arraySync(): unknown; dispose(): void },
  transform: (value: number) => number,
): number[][] {
  const rows = (tensor.arraySync() as number[][]).map((row) => row.map(transform));
  tensor.dispose();
  return rows;
}

import type { Scalar, Tensor4D } from "@tensorflow/tfjs";
import { gatherImages } from "./batches.ts";
import type { RunEvent } from "./events.ts";
import { createNoise, type Key } from "../core/noise.ts";
import { NotFiniteError } from "../core/not_finite.ts";
import { mean, sampleStd } from "../statistics/summary.ts";
import { unflatten } from "../core/tree.ts";
import { importanceBound } from "../statistics/importance_bound.ts";
import type { Stopwatch } from "../core/stopwatch.ts";
import type {
  Device,
  DeviceState,
  ImageSet,
  Likelihood,
  LikelihoodBound,
  Program,
} from "../core/types.ts";
import type { BoundBasis } from "../core/records.ts";

/** Images per call of the compiled program. Fixed, because the numbers depend on it. */
const CHUNK = 100;

/** Likelihood bounds of a state, and the draws and images behind them. */
interface Bounded {
  readonly state: DeviceState;
  readonly scores: Readonly<Record<string, number>>;
  readonly bases: Readonly<Record<string, BoundBasis>>;
}

/** Bounds the likelihood of the test images under a state. */
export interface BoundScorer extends AsyncDisposable {
  score(state: DeviceState): Promise<Bounded>;
}

/**
 * Compiles `likelihood.logWeight` for the test images `images`. All bounds use the same draws, as many as the largest k. The
 * score is the negative mean over images divided by the number of dimensions. The noise depends on `key` alone, so states are
 * compared on the same random numbers.
 */
export async function compileBoundScorer(
  device: Device,
  { likelihood, key, state, bounds, images, stopwatch, report }: {
    readonly likelihood: Likelihood;
    readonly key: Key;
    /** Any state of the model: only its shapes are used. */
    readonly state: DeviceState;
    readonly bounds: readonly LikelihoodBound[];
    readonly images: ImageSet;
    readonly stopwatch: Stopwatch;
    report(event: RunEvent): void;
  },
): Promise<BoundScorer> {
  const { height, width, channels } = images.image;
  const rows = Math.min(CHUNK, images.count);
  const program = await device.compile(({ state, inputs }) => {
    const noise = createNoise(key, inputs.draw as Scalar);
    return {
      outputs: {
        logWeights: likelihood.logWeight(unflatten(state), inputs.images as Tensor4D, noise),
      },
    };
  }, {
    state: state.specs,
    inputs: {
      images: { shape: [rows, height, width, channels], dtype: "float32" },
      draw: { shape: [], dtype: "int32" },
    },
  });
  const { gradientsPerDraw = 0 } = likelihood;
  const draws = Math.max(...bounds.map(({ importanceSamples }) => importanceSamples));
  return {
    async score(before) {
      report({ event: "phase", phase: "bound" });
      stopwatch.switchTo("score");
      const { state, logWeights } = await drawWeights(before, {
        program,
        images,
        draws,
        rows,
        onImages: (done) => report({ event: "images", done, of: images.count }),
      });
      const scores: Record<string, number> = {};
      const bases: Record<string, BoundBasis> = {};
      for (const { name, importanceSamples } of bounds) {
        const dimensions = height * width * channels;
        const ofImages = Array.from(
          importanceBound(logWeights, importanceSamples),
          (b) => -b / dimensions,
        );
        const value = mean(ofImages);
        if (!Number.isFinite(value)) throw new NotFiniteError(name, value);
        const standardError = (sampleStd(ofImages) ?? 0) / Math.sqrt(images.count);
        scores[name] = value;
        bases[name] = {
          importanceSamples,
          draws,
          images: images.count,
          standardError,
          ...gradientsPerDraw > 0 && { gradientsPerDraw },
        };
      }
      stopwatch.switchTo("other");
      return { state, scores, bases };
    },
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

/** log p(x, z) - log q(z | x) for every image and draw: [draws][images]. */
async function drawWeights(
  state: DeviceState,
  { program, images, draws, rows, onImages }: {
    readonly program: Program;
    readonly images: ImageSet;
    readonly draws: number;
    readonly rows: number;
    onImages(done: number): void;
  },
): Promise<{ readonly state: DeviceState; readonly logWeights: readonly Float64Array[] }> {
  const { height, width, channels } = images.image;
  const logWeights = Array.from({ length: draws }, () => new Float64Array(images.count));
  const pixels = new Float32Array(rows * height * width * channels);
  for (let from = 0; from < images.count; from += rows) {
    const wanted = Math.min(rows, images.count - from);
    // A partial last chunk is padded with the first images, whose weights are dropped.
    gatherImages(
      images,
      Int32Array.from({ length: rows }, (_, i) => (from + i) % images.count),
      pixels,
    );
    for (let draw = 0; draw < draws; draw++) {
      const counter = from / rows * draws + draw;
      const result = await program.run(state, {
        images: { shape: [rows, height, width, channels], dtype: "float32", data: pixels },
        draw: { shape: [], dtype: "int32", data: Int32Array.of(counter) },
      });
      state = result.state;
      const { data } = result.outputs.logWeights;
      for (let i = 0; i < wanted; i++) logWeights[draw][from + i] = data[i];
    }
    onImages(from + wanted);
  }
  return { state, logWeights };
}

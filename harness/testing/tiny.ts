/** Minimal method, data set and score for tests of the harness. */
import * as tf from "@tensorflow/tfjs";
import { createImageSet } from "../core/image_set.ts";
import { runId, type Tables } from "../experiment/spec.ts";
import type {
  Dataset,
  Experiment,
  Hyperparams,
  ImageBatch,
  ImageSet,
  Method,
  Metric,
  Model,
  Problem,
  Provenance,
  RunRecord,
  RunSpec,
  Tree,
} from "../core/types.ts";

const IMAGE = { height: 2, width: 3, channels: 1 };

interface TinyHyper extends Hyperparams {
  readonly rate: number;
  readonly explodeAt: number;
  readonly persistent: boolean;
  readonly note: string;
}

/** Learns the mean image at a rate, with noise, and counts the visits of each row in a chain. Its loss is NaN at step `explodeAt`. */
export const TINY_METHOD: Method<TinyHyper> = {
  name: "tiny",
  label: "Tiny",
  description: "mean image",
  source: "no paper",
  deviations: ["Deviation: learns only a mean, being a test"],
  defaults: { rate: 0.5, explodeAt: -1, persistent: true, note: "none" },
  build: (_problem, hyper) => tinyModel(hyper),
};

/** The tiny method with members of its model replaced; an undefined capability is absent. */
export function tinyWith<S extends Tree = TinyState>(
  capabilities: (hyper: TinyHyper, problem: Problem) => Partial<Model<S>>,
): Method {
  const method: Method<TinyHyper> = {
    ...TINY_METHOD,
    build: (problem, hyper) => ({
      ...tinyModel(hyper),
      ...capabilities(hyper, problem) as Partial<Model<TinyState>>,
    }),
  };
  return method;
}

type TinyState = { readonly mean: tf.Tensor; readonly steps: tf.Scalar };

function tinyModel({ rate, explodeAt, persistent }: TinyHyper): Model<TinyState> {
  if (!Number.isInteger(explodeAt)) {
    throw new RangeError(`explodeAt must be an integer, got ${explodeAt}`);
  }
  if (!(rate > 0 && rate <= 1)) throw new RangeError(`rate must be in (0, 1], got ${rate}`);
  return {
    ...(persistent && { chains: { visits: [2] } }),
    init: (noise) => ({
      mean: noise.split("mean").uniform([2, 3, 1]),
      steps: tf.scalar(0, "int32"),
    }),
    step(state, { images, chains, step }, noise) {
      const error = tf.sub(tf.mean(images, 0), state.mean);
      const jitter = tf.mul(1e-3, noise.split("jitter").normal([2, 3, 1]));
      const loss = tf.mean(tf.square(error)) as tf.Scalar;
      const bang = tf.cast(tf.equal(step, explodeAt), "float32"); // 0 or 1
      return {
        state: {
          mean: tf.add(tf.add(state.mean, tf.mul(rate, error)), jitter),
          steps: tf.add(state.steps, tf.scalar(1, "int32")),
        },
        metrics: {
          loss: tf.add(loss, tf.div(tf.mul(bang, 0), tf.sub(1, bang))) as tf.Scalar,
          step: tf.cast(step, "float32"),
        },
        chains: Object.fromEntries(
          Object.entries(chains).map(([name, chain]) => [name, tf.add(chain, 1)]), // counts visits
        ),
      };
    },
    sample: (state, { count }, noise) =>
      tf.clipByValue(
        tf.add(state.mean, tf.mul(0.1, noise.split("x").normal([count, 2, 3, 1]))),
        0,
        1,
      ) as tf.Tensor4D,
    latents: {
      dim: 2,
      infer: (_state, images, noise) => noise.split("z").normal([images.shape[0], 2]),
      decode: (state, latents) => tf.tile(tf.expandDims(state.mean), [latents.shape[0], 1, 1, 1]),
    },
  };
}

const TRAIN: ImageSet = createImageSet({
  image: IMAGE,
  pixels: Uint8Array.from({ length: 17 * 6 }, (_, i) => 200 + (i * 7) % 50),
});

/** 17 bright images of 2 x 3 pixels. */
export const TINY_DATASET: Dataset = {
  name: "bright",
  label: "Bright",
  source: "made here",
  image: IMAGE,
  counts: { train: 17, test: 17 },
  files: [],
  load: () => Promise.resolve(TRAIN),
};

const meanOf = ({ pixels }: ImageBatch) => pixels.reduce((a, b) => a + b, 0) / pixels.length;

/** Absolute difference of the mean pixel from that of the real images. */
export const TINY_METRIC: Metric<number> = {
  name: "gap",
  label: "Gap",
  better: "lower",
  sha256: "ab".repeat(32),
  reference: (real) => Promise.resolve(meanOf(real)),
  begin(reference) {
    let sum = 0, count = 0;
    return Promise.resolve({
      add(images) {
        sum += images.count * meanOf(images);
        count += images.count;
        return Promise.resolve();
      },
      finish: () => Promise.resolve(Math.abs(sum / count - reference)),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    });
  },
};

/** Tables with one method, one data set and one metric. */
export const TINY_TABLES: Tables = {
  methods: { tiny: TINY_METHOD },
  datasets: { bright: TINY_DATASET },
  metrics: { gap: TINY_METRIC as Metric },
};

/** One seed, three epochs of four steps. */
export const TINY_EXPERIMENT: Experiment = {
  name: "tiny",
  methods: ["tiny"],
  datasets: ["bright"],
  seeds: [0],
  epochs: 3,
  batchSize: 4,
  trainCount: null,
  sampleCount: 130,
  metrics: ["gap"],
  scoreUntrained: true,
  device: "tfjs-cpu",
  threads: 1,
  hyper: {},
};

/** Provenance that says nothing. */
export const TINY_PROVENANCE: Provenance = {
  commit: null,
  dirty: null,
  lockSha256: "",
  versions: {},
  device: "",
  cpu: "",
  cores: 1,
  jobs: 1,
  os: "",
  datasetSha256: "",
  metricSha256: {},
};

/** The part of a record that does not depend on how the run ended, with zero seconds. */
export function tinyRecord(spec: RunSpec): Omit<RunRecord, "status"> {
  return {
    schema: 1,
    id: runId(spec),
    experiment: "tiny",
    spec,
    startedAt: "2026-01-02T03:04:05.678Z",
    provenance: null,
    seconds: { train: 0, sample: 0, score: 0, other: 0 },
    epochs: [],
  };
}

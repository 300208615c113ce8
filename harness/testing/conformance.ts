/**
 * Conformance tests of methods, as a list for any test runner. They know the interface and nothing else:
 *
 * ```ts
 * for (const { name, run } of conformanceOf(myMethod)) Deno.test(name, run);
 * ```
 *
 * @module
 */
import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { toArrays, toTensor, toTensors } from "../core/host_arrays.ts";
import { createNoise, draws, foldIn, keyOf } from "../core/noise.ts";
import { flatten, unflatten } from "../core/tree.ts";
import type {
  Batch,
  Conditional,
  Device,
  HostArray,
  HostArrays,
  Hyperparams,
  Method,
  Model,
  Problem,
  State,
} from "../core/types.ts";
import { openDevice } from "../engine/device.ts";
import { chainInputs, chainsOf, stepFunction, stepInputs, withPrefix } from "../run/train.ts";

/** 32 images of 8x8 pixels in four classes, in batches of 8. */
export const SMALL_PROBLEM: Problem = {
  image: { height: 8, width: 8, channels: 1 },
  trainCount: 32,
  batchSize: 8,
  classCount: 4,
};

/** Values that make a model small, for methods with hyperparameters of these names. */
const SMALL: Hyperparams = {
  latentDim: 4, // even, for flows with couplings
  featureDim: 64,
  width: 0.125,
  inputDim: 16,
  posteriorSteps: 3,
  priorSteps: 3,
  langevinSteps: 3,
  sampleSteps: 3,
  bufferSize: 24,
  testSteps: 3,
  integratorSteps: 2,
  flowBlocks: 1,
};

/** Options of the tests. */
export interface ConformanceOptions {
  /** Overrides the defaults, and small values of the hyperparameters of SMALL. */
  readonly hyper?: Hyperparams;
  readonly problem?: Problem;
}

/** One test; `run` rejects with an AssertionError. */
export interface ConformanceTest {
  readonly name: string;
  run(): Promise<void>;
}

/** A method with fixed hyperparameters on a fixed problem. */
interface Subject {
  readonly method: Method;
  readonly hyper: Hyperparams;
  readonly problem: Problem;
}

/** The tests of `method`. */
export function conformanceOf(
  method: Method,
  { hyper = {}, problem = SMALL_PROBLEM }: ConformanceOptions = {},
): ConformanceTest[] {
  const own = Object.fromEntries(
    Object.entries(SMALL).filter(([key]) => Object.hasOwn(method.defaults, key)),
  );
  const subject = { method, problem, hyper: { ...method.defaults, ...own, ...hyper } };
  const suffix = Object.entries(hyper).map(([key, value]) => ` ${key}=${value}`).join("");
  return Object.entries(TESTS).map(([criterion, test]) => ({
    name: `${method.name}${suffix}: ${criterion}`,
    run: async () => await test(subject),
  }));
}

const TESTS: Readonly<Record<string, (subject: Subject) => void | Promise<void>>> = {
  "facts are complete": ({ method }) => {
    assert.match(method.name, /^[a-z][a-z0-9_]*$/, "name");
    for (const fact of ["label", "description", "source"] as const) {
      assert.ok(method[fact].trim() !== "", fact);
    }
    for (const [key, value] of Object.entries(method.defaults)) {
      assert.ok(typeof value !== "number" || Number.isFinite(value), `default of ${key}`);
    }
  },

  "build() refuses NaN for every number": ({ method, hyper, problem }) => {
    for (const key of Object.keys(hyper).filter((key) => typeof hyper[key] === "number")) {
      assert.throws(
        () => method.build(problem, { ...hyper, [key]: NaN }),
        (error) => error instanceof RangeError && error.message.includes(key),
        `${key}: NaN was accepted, or the error does not name it`,
      );
    }
  },

  "flops are positive and grow with the batch": ({ method, hyper, problem }) => {
    const flops = (batchSize: number) => method.build({ ...problem, batchSize }, hyper).flops;
    const one = flops(1);
    if (one === undefined) return;
    assert.ok(one > 0 && Number.isFinite(one), String(one));
    assert.equal(flops(7), 7 * one);
  },

  "step() with the same seed gives the same bits, and other bits with another seed": async (
    subject,
  ) => {
    const first = await train(subject);
    assert.deepEqual(await train(subject), first, "the same seed gives other bits");
    const other = await train(subject, { seed: 1 });
    assert.notDeepEqual(other.state, first.state, "another seed gives the same state");
  },

  "step() resumed from a saved state gives the same bits": async (subject) => {
    const whole = await train(subject, { steps: [0, 3] });
    const half = await train(subject, { steps: [0, 2] });
    const rest = await train(subject, { steps: [2, 3], from: half });
    assert.deepEqual(rest, whole, "step 3 from a saved state differs from step 3 in one go");
  },

  "step() keeps names, shapes and types of state and chains, and changes the state": async (
    subject,
  ) => {
    const before = initial(subject, 0);
    const after = await train(subject, { steps: [0, 1] });
    const specsOf = (arrays: HostArrays) =>
      Object.fromEntries(
        Object.entries(arrays).map(([name, { shape, dtype }]) => [name, { shape, dtype }]),
      );
    assert.deepEqual(specsOf(after.state), specsOf(before.state));
    assert.deepEqual(specsOf(after.chains), specsOf(before.chains));
    const moved = Object.keys(before.state).filter((name) =>
      before.state[name].data.some((value, i) => value !== after.state[name].data[i])
    );
    assert.ok(moved.length > 0, "one step changed nothing");
  },

  "metrics stay finite for 20 steps": async (subject) => {
    const { metrics } = await train(subject, { steps: [0, 20] });
    assert.ok(Object.keys(metrics).length > 0, "step() returns no training metric");
    for (const [name, value] of Object.entries(metrics)) {
      assert.ok(Number.isFinite(value), `${name} is ${value}`);
    }
  },

  "step() accepts a batch of one": async (subject) => {
    const { metrics } = await train(
      { ...subject, problem: { ...subject.problem, batchSize: 1 } },
      { steps: [0, 1] },
    );
    assert.ok(Object.values(metrics).every(Number.isFinite));
  },

  "step() compiled equals eager after 3 steps": async (subject) => {
    const eager = await train(subject, { device: "tfjs-cpu" });
    const compiled = await train(subject);
    for (const [name, { data }] of Object.entries(eager.state)) {
      // Float32 sums in another order: 1e-7 an operation, times some 1e3 terms; 1e-4 of the entry's largest value bounds it.
      const values = Array.from(data);
      const largest = (numbers: readonly number[], least: number) =>
        numbers.reduce((most, value) => Math.max(most, Math.abs(value)), least);
      const scale = largest(values, 1e-6);
      const other = compiled.state[name].data;
      const worst = largest(values.map((value, i) => value - other[i]), 0);
      assert.ok(worst <= 1e-4 * scale, `${name} differs by ${worst / scale} of its largest value`);
    }
  },

  "sample() and its alternatives give images in [0, 1], not all equal, for any count": async (
    subject,
  ) => {
    const { height, width, channels } = subject.problem.image;
    await withState(subject, (model, state, chains) => {
      const { alternatives = [] } = model;
      const names = alternatives.map(({ name }) => name);
      assert.equal(new Set(names).size, names.length, `names of alternatives: ${names}`);
      for (const name of names) assert.match(name, /^[a-z][a-z0-9_]*$/, "name of an alternative");
      for (const { sample } of [model, ...alternatives]) {
        for (const count of [1, 5]) {
          const request = { count, chains: firstRows(chains, count) };
          const images = sample(state, request, noiseOf("sample", count));
          assert.deepEqual(images.shape, [count, height, width, channels]);
          assertUnitRange(images);
          assert.ok(new Set(images.dataSync()).size > 1, "every pixel of every sample is equal");
        }
      }
    });
  },

  "conditional: sample() gives an image in [0, 1] of every class": async ({ problem, ...rest }) => {
    await withState({ problem, ...rest }, ({ conditional }, state) => {
      if (conditional === undefined) return;
      assert.equal(conditional.classCount, problem.classCount);
      const labels = tf.range(0, conditional.classCount, 1, "int32");
      const images = conditional.sample(state, labels, noiseOf("class", 0));
      const { height, width, channels } = problem.image;
      assert.deepEqual(images.shape, [conditional.classCount, height, width, channels]);
      assertUnitRange(images);
    });
  },

  "latents: infer() gives latents, decode() images in [0, 1], for any count": async (subject) => {
    const { image } = subject.problem;
    await withState(subject, ({ latents }, state) => {
      if (latents === undefined) return;
      for (const count of [1, 5]) {
        const images = imagesOf(subject.problem, count);
        const z = latents.infer(state, images, noiseOf("infer", count));
        for (const found of [z, latents.fit?.(state, images, noiseOf("fit", count)) ?? z]) {
          assert.deepEqual(found.shape, [count, latents.dim]);
          assert.ok(found.dataSync().every(Number.isFinite), "a latent is not finite");
        }
        // Large latents, whose images leave [0, 1] unless they are clipped.
        const decoded = latents.decode(state, tf.mul(z, 100));
        assert.deepEqual(decoded.shape, [count, image.height, image.width, image.channels]);
        assertUnitRange(decoded);
      }
    });
  },

  "likelihood: logWeight() gives one finite number per image": async (subject) => {
    await withState(subject, ({ likelihood }, state) => {
      if (likelihood === undefined) return;
      for (const count of [1, 5]) {
        const images = imagesOf(subject.problem, count);
        const weights = likelihood.logWeight(state, images, noiseOf("weight", count));
        assert.deepEqual(weights.shape, [count]);
        assert.ok(weights.dataSync().every(Number.isFinite), "a log weight is not finite");
      }
    });
  },

  "joint: draws are finite, densities have one number a draw, chains keep the shape of their start":
    async (subject) => {
      const { problem: { image } } = subject;
      await withState(subject, ({ joint, latents }, state) => {
        if (joint === undefined) return;
        if (latents !== undefined) assert.equal(joint.dim, latents.dim);
        for (const count of [1, 5]) {
          const z = joint.drawLatents(state, count, noiseOf("prior", count));
          assert.deepEqual(z.shape, [count, joint.dim]);
          const images = joint.drawImages(state, z, noiseOf("pixels", count));
          assert.deepEqual(images.shape, [count, image.height, image.width, image.channels]);
          const densities: readonly tf.Tensor[] = [
            joint.logLikelihood(state, images, z),
            ...joint.tilt ? [joint.tilt(state, z)] : [],
          ];
          for (const density of densities) assert.deepEqual(density.shape, [count]);
          const request = { images, start: z };
          const ends: tf.Tensor | undefined = joint.chainFrom?.(
            state,
            request,
            noiseOf("chain", count),
          );
          if (ends) assert.deepEqual(ends.shape, z.shape);
          for (const numbers of [z, images, ...densities, ...ends ? [ends] : []]) {
            assert.ok(numbers.dataSync().every(Number.isFinite), "a number is not finite");
          }
        }
      });
    },

  "partial: with every pixel seen, step() and infer() give the bits that they give without a mask; with fewer, others":
    async (subject) => {
      const { image: { height, width }, batchSize } = subject.problem;
      const { partial } = subject.method.build(subject.problem, subject.hyper);
      if (partial === undefined) return;
      const maskOf = (isSeen: (pixel: number) => boolean, count = batchSize): HostArray => ({
        shape: [count, height, width, 1],
        dtype: "float32",
        data: Float32Array.from({ length: count * height * width }, (_, i) => Number(isSeen(i))),
      });
      const [all, some] = [maskOf(() => true), maskOf((i) => i % 3 > 0)];
      const whole = await train(subject);
      assert.deepEqual(await train(subject, { seen: all }), whole, "step() with all pixels seen");
      assert.notDeepEqual((await train(subject, { seen: some })).state, whole.state);
      await withState(subject, ({ latents, partial }, state) => {
        if (latents === undefined || partial === undefined) {
          throw new Error("A model that is partial must have latents");
        }
        for (const count of [1, 5]) {
          const images = imagesOf(subject.problem, count);
          const inferred = (seen?: HostArray): tf.Tensor2D => {
            const mask = seen && toTensor<tf.Tensor4D>(seen);
            return partial.infer(state, { images, seen: mask }, noiseOf("infer", count));
          };
          const z: Float32Array | Int32Array | Uint8Array = latents.infer(
            state,
            images,
            noiseOf("infer", count),
          ).dataSync();
          for (const seen of [undefined, maskOf(() => true, count)]) {
            const found: tf.Tensor2D = inferred(seen);
            assert.deepEqual(found.shape, [count, latents.dim]);
            assert.deepEqual(found.dataSync(), z, "infer() with all pixels seen");
          }
          if (partial.needsPartialTraining) continue;
          const found = inferred(maskOf((i) => i % 3 > 0, count)).dataSync();
          assert.ok(found.every(Number.isFinite), "a latent is not finite");
          assert.notDeepEqual(found, z, "infer() with fewer pixels");
        }
      });
    },

  "amortized: features, latents and free chains have one row per image, move() moves latents":
    async (
      subject,
    ) => {
      const { problem } = subject;
      await withState(subject, ({ amortized, latents }, state, chains) => {
        if (amortized === undefined) return;
        const images = imagesOf(problem, problem.batchSize);
        assert.equal(amortized.features(state, images).shape[0], problem.batchSize);
        const before = amortized.latents(state, images);
        assert.deepEqual(before.shape, [problem.batchSize, latents?.dim ?? before.shape[1]]);
        assert.deepEqual(
          amortized.freeChains(state, images, noiseOf("free", 0)).shape,
          before.shape,
        );
        const batch = firstBatch(problem, problem.batchSize, chains);
        const after = amortized.latents(amortized.move(state, batch, noiseOf("move", 0)), images);
        assert.notDeepEqual(after.dataSync(), before.dataSync());
      });
    },

  "learnedPrior: energies and latents are finite, one row each, of the right dimension": async (
    subject,
  ) => {
    await withState(subject, ({ learnedPrior, latents }, state) => {
      if (learnedPrior === undefined) return;
      for (const draw of [learnedPrior.negatives, learnedPrior.longChains]) {
        const z = draw(state, 5, noiseOf("prior", 0));
        assert.deepEqual(z.shape, [5, latents?.dim]);
        const energies = learnedPrior.energy(state, z);
        assert.deepEqual(energies.shape, [5]);
        assert.ok([z, energies].every((t) => t.dataSync().every(Number.isFinite)), "not finite");
      }
    });
  },
  "langevinChains: names are unique, starts and energies finite, one chain an image or one in all":
    async (subject) => {
      await withState(subject, ({ langevinChains = [], conditional }, state, persistent) => {
        const names = langevinChains.map(({ name }) => name);
        assert.equal(new Set(names).size, names.length, `names ${names.join(", ")}`);
        for (const { name, steps, prepare } of langevinChains) {
          assert.ok(Number.isInteger(steps) && steps > 0, `${name}: ${steps} steps`);
          for (const count of [1, 5]) {
            const labels = conditional && tf.zeros<tf.Rank.R1>([count], "int32");
            const batch = {
              ...firstBatch(subject.problem, count, persistent),
              ...labels && { labels },
            };
            const chain = prepare(state, batch, noiseOf(name, count));
            const { start } = chain;
            assert.ok([1, count].includes(start.shape[0]), `${name}: start [${start.shape}]`);
            assert.ok(start.dataSync().every(Number.isFinite), `${name}: a start is not finite`);
            const [stepSize] = tf.mul(tf.scalar(1), chain.stepSize).dataSync();
            assert.ok(stepSize > 0 && Number.isFinite(stepSize), `${name}: step size ${stepSize}`);
            const energy = chain.energy(start);
            assert.equal(energy.shape[0], start.shape[0], `${name}: energy [${energy.shape}]`);
            assert.ok(energy.rank <= 2, `${name}: energy [${energy.shape}]`);
            assert.ok(energy.dataSync().every(Number.isFinite), `${name}: an energy is not finite`);
          }
        }
      });
    },
};

/** A minibatch of the first `count` rows. */
function firstBatch(problem: Problem, count: number, chains: State): Batch {
  return {
    images: imagesOf(problem, count),
    rows: tf.range(0, count, 1, "int32"),
    step: tf.scalar(0, "int32"),
    chains: firstRows(chains, count),
  };
}

/** The label of each of `rows`: the classes take turns. */
function labelsOf(rows: Int32Array, { classCount }: Pick<Conditional, "classCount">): HostArray {
  return { shape: [rows.length], dtype: "int32", data: rows.map((row) => row % classCount) };
}

/** State and persistent chains of all rows, on the host. */
interface Snapshot {
  readonly state: HostArrays;
  readonly chains: HostArrays;
}

function initial({ method, hyper, problem }: Subject, seed: number): Snapshot {
  const model = method.build(problem, hyper);
  let state: HostArrays = {};
  tf.tidy(() => {
    const noise = createNoise(foldIn(keyOf(seed), "init"), tf.scalar(0, "int32"));
    state = toArrays(model.init(noise));
  });
  const chains = Object.entries(model.chains ?? {}).map(([name, shape]) => {
    const count = problem.trainCount * shape.reduce((a, b) => a * b, 1);
    const key = foldIn(foldIn(keyOf(seed), "chains"), name);
    const data = draws(key, { counter: 0, count, kind: "normal" });
    return [name, { shape: [problem.trainCount, ...shape], dtype: "float32", data }] as const;
  });
  return { state, chains: Object.fromEntries(chains) };
}

/** Trains over the images in order. Resolves to the final state and chains, and the metrics of the last step. */
async function train(
  subject: Subject,
  { seed = 0, steps: [first, last] = [0, 3], from, seen, device = "cpu" }: {
    readonly seed?: number;
    /** First and last (exclusive) step. */
    readonly steps?: readonly [number, number];
    readonly from?: Snapshot;
    /** The seen pixels of every batch; no mask if absent. */
    readonly seen?: HostArray;
    readonly device?: "cpu" | "tfjs-cpu";
  } = {},
): Promise<Snapshot & { readonly metrics: Readonly<Record<string, number>> }> {
  const { method, hyper, problem } = subject;
  const { batchSize, trainCount, image } = problem;
  await tf.setBackend("cpu");
  const start = from ?? initial(subject, seed);
  const chains = structuredClone(start.chains);
  const model = method.build(problem, hyper);
  await using opened: Device = await openDevice(device, { threads: 1 });
  await using program = await opened.compile(stepFunction(model, foldIn(keyOf(seed), "step")), {
    state: start.state,
    inputs: stepInputs(model, { image, batchSize, isPartial: seen !== undefined }),
  });
  let state = await opened.upload(start.state);
  let metrics: Record<string, number> = {};
  const images = pixelsOf(problem);
  for (let step = first; step < last; step++) {
    const rows = Int32Array.from(
      { length: batchSize },
      (_, i) => (step * batchSize + i) % trainCount,
    );
    const result = await program.run(state, {
      images: takeRows(images, rows),
      rows: { shape: [batchSize], dtype: "int32", data: rows },
      step: { shape: [], dtype: "int32", data: Int32Array.of(step) },
      ...model.conditional && { labels: labelsOf(rows, model.conditional) },
      ...seen && { seen },
      ...withPrefix(mapArrays(chains, (array) => takeRows(array, rows))),
    });
    state = result.state;
    const moved = chainsOf(result.outputs);
    assert.deepEqual(Object.keys(moved).sort(), Object.keys(chains).sort(), "chains of the step");
    for (const [name, { data }] of Object.entries(moved)) {
      const width = data.length / batchSize;
      rows.forEach((row, i) =>
        chains[name].data.set(data.subarray(i * width, (i + 1) * width) as never, row * width)
      );
    }
    const names = Object.keys(chainInputs(model.chains, batchSize));
    metrics = Object.fromEntries(
      Object.entries(result.outputs).filter(([name]) => !names.includes(name))
        .map(([name, { data }]) => [name, data[0]]),
    );
  }
  return { state: await opened.download(state), chains, metrics };
}

/** Calls `use` with the model, its initial state and its chains, in eager mode. */
async function withState(
  subject: Subject,
  use: (model: Model, state: ReturnType<typeof unflatten>, chains: State) => void,
): Promise<void> {
  await tf.setBackend("cpu");
  const { state, chains } = initial(subject, 0);
  const model = subject.method.build(subject.problem, subject.hyper);
  tf.tidy(() => use(model, unflatten(toTensors(state)), toTensors(chains)));
}

function noiseOf(name: string, index: number) {
  return createNoise(keyOf(0), tf.scalar(0, "int32")).split(name, index);
}

/** All training images: uniform noise times a ramp over the pixels. */
function pixelsOf({ image, trainCount }: Problem): HostArray {
  const { height, width, channels } = image;
  const size = height * width * channels;
  const key = foldIn(keyOf(0), "images");
  const uniform = draws(key, { counter: 0, count: trainCount * size, kind: "uniform" });
  const data = uniform.map((value, i) => value * (i % size + 1) / size);
  return { shape: [trainCount, height, width, channels], dtype: "float32", data };
}

function imagesOf(problem: Problem, count: number): tf.Tensor4D {
  const rows = Int32Array.from({ length: count }, (_, i) => i % problem.trainCount);
  const { data, shape } = takeRows(pixelsOf(problem), rows);
  return tf.tensor4d(data, shape as [number, number, number, number]);
}

function takeRows(array: HostArray, rows: Int32Array): HostArray {
  const width = array.data.length / array.shape[0];
  const data = new Float32Array(rows.length * width);
  rows.forEach((row, i) =>
    data.set(array.data.subarray(row * width, (row + 1) * width), i * width)
  );
  return { ...array, shape: [rows.length, ...array.shape.slice(1)], data };
}

function mapArrays(arrays: HostArrays, f: (array: HostArray) => HostArray): HostArrays {
  return Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, f(array)]));
}

function firstRows(chains: State, count: number): State {
  return flatten(
    Object.fromEntries(
      Object.entries(chains).map(([name, chain]) => [
        name,
        tf.slice(chain, 0, Math.min(count, chain.shape[0])),
      ]),
    ),
  );
}

function assertUnitRange(images: tf.Tensor): void {
  assert.ok(
    images.dataSync().every((value) => value >= 0 && value <= 1),
    "a pixel is outside [0, 1]",
  );
}

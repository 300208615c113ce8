/**
 * Conformance tests of what a model can do besides training: each applies to the models that have the capability.
 *
 * @module
 */
import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { toTensor } from "../core/host_arrays.ts";
import type { HostArray } from "../core/types.ts";
import {
  assertUnitRange,
  firstBatch,
  firstRows,
  imagesOf,
  noiseOf,
  type Subject,
  train,
  withState,
} from "./subject.ts";

/** Tests by what they require. */
export const MODEL_TESTS: Readonly<Record<string, (subject: Subject) => void | Promise<void>>> = {
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

  "conditional: Model.sample() draws the classes in turn": async (subject) => {
    await withState(subject, ({ conditional, sample }, state, chains) => {
      if (conditional === undefined) return;
      const { classCount } = conditional;
      const count = classCount + 1;
      const inTurn = Int32Array.from({ length: count }, (_, i) => i % classCount);
      const request = { count, chains: firstRows(chains, count) };
      const labels = tf.tensor1d(inTurn, "int32");
      assert.deepEqual(
        sample(state, request, noiseOf("turns", 0)).dataSync(),
        conditional.sample(state, labels, noiseOf("turns", 0)).dataSync(),
      );
    });
  },

  "bijection: decode() undoes encode() to a grey level, and codes differ": async (subject) => {
    await withState(subject, ({ bijection }, state) => {
      if (bijection === undefined) return;
      const images = imagesOf(subject.problem, 5);
      const codes = bijection.encode(state, images);
      assert.deepEqual(codes.shape, [5, images.size / 5]);
      assert.ok(new Set(codes.dataSync()).size > 5, "codes are equal");
      const decoded = bijection.decode(state, codes);
      assert.deepEqual(decoded.shape, images.shape);
      assertUnitRange(decoded);
      const [worst] = tf.max(tf.abs(tf.sub(decoded, images))).dataSync();
      assert.ok(worst <= 1 / 255, `off by ${255 * worst} grey levels`);
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

  "restoration: fits give images in [0, 1] for any count, and of hidden pixels use nothing": async (
    subject,
  ) => {
    const { image: { height, width } } = subject.problem;
    await withState(subject, ({ restoration, latents }, state) => {
      if (restoration === undefined) return;
      assert.equal(latents, undefined, "a model with latents infers them");
      for (const count of [1, 5]) {
        const images = imagesOf(subject.problem, count);
        const mask = Array.from({ length: count * height * width }, (_, i) => Number(i % 3 > 0));
        const seen = tf.tensor4d(mask, [count, height, width, 1]);
        const restored = (images: tf.Tensor4D, seen?: tf.Tensor4D): ArrayLike<number> => {
          let fit: tf.Tensor4D = restoration.start(state, count, noiseOf("fit", count));
          for (let k = 0; k < 2; k++) fit = restoration.step(state, fit, { images, seen });
          const found: tf.Tensor4D = restoration.finish(state, fit);
          assert.deepEqual([fit.shape, found.shape], [images.shape, images.shape]);
          assertUnitRange(found);
          return found.dataSync();
        };
        const filled = restored(images, seen);
        const white: tf.Tensor4D = tf.add(tf.mul(images, seen), tf.sub(1, seen)); // where hidden
        assert.deepEqual(restored(white, seen), filled, "hidden pixels are used");
        assert.notDeepEqual(restored(images), filled, "with every pixel seen");
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

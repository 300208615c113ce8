import * as tf from "@tensorflow/tfjs";
import { METHODS } from "../../methods/mod.ts";
import { parseDecimal } from "../core/arguments.ts";
import { toArrays } from "../core/host_arrays.ts";
import { createNoise, fillNoise, keyOf } from "../core/noise.ts";
import { stepFunction, stepInputs } from "../run/train.ts";
import { fail } from "./programs.ts";
import type { HostArrays, Hyperparams, ImageShape, Method, Problem } from "../core/types.ts";

/** Number of training images, as of CIFAR-10; it does not affect the time of a step. */
const TRAIN_COUNT = 50_000;

/** Warm-up steps: state alternates between two sets of arrays, and each is allocated in its first step. */
export const WARM_UPS = 2;

/** A training step of a method that any device can compile. */
export interface TrainingStep {
  readonly problem: Problem;
  readonly fn: ReturnType<typeof stepFunction>;
  /** Shapes of its inputs. */
  readonly specs: ReturnType<typeof stepInputs>;
  /** Floating-point operations by formula; undefined without one. */
  readonly flops: number | undefined;
  /** Computes the initial state. Not cached, so that a large one need not stay on the host. */
  initial(): Promise<HostArrays>;
  /** Inputs of the first step in new buffers: uniform pixels, rows from 0. */
  inputs(): HostArrays;
}

/** Prepares the step of `method` on batches of `batchSize` images, with the `overrides` that it has as hyperparameters. */
export function prepareStep(
  method: Method,
  { image, batchSize, overrides }: {
    readonly image: ImageShape;
    readonly batchSize: number;
    readonly overrides: Hyperparams;
  },
): TrainingStep {
  const known = Object.entries(overrides).filter(([key]) => Object.hasOwn(method.defaults, key));
  const hyper: Hyperparams = { ...method.defaults, ...Object.fromEntries(known) };
  const problem: Problem = { image, trainCount: TRAIN_COUNT, batchSize };
  const model = method.build(problem, hyper);
  const specs = stepInputs(model, { image, batchSize });
  return {
    problem,
    fn: stepFunction(model, keyOf(1)),
    specs,
    flops: model.flops,
    async initial() {
      await tf.setBackend("cpu");
      let arrays: HostArrays = {};
      tf.tidy(() => {
        const noise = createNoise(keyOf(0), tf.scalar(0, "int32"));
        arrays = toArrays(model.init(noise));
      });
      return arrays;
    },
    inputs: () =>
      Object.fromEntries(
        Object.entries(specs).map(([name, { shape, dtype }]) => {
          const length = shape.reduce((a, b) => a * b, 1);
          const data = dtype === "int32"
            ? Int32Array.from({ length }, (_, i) => i)
            : uniform(length);
          return [name, { shape, dtype, data }];
        }),
      ),
  };
}

/** Hyperparameters written as KEY=VALUE, each of one of `methods` or of a method of the project, and of its type. */
export function readSettings(texts: readonly string[], methods: readonly Method[]): Hyperparams {
  const known = Object.assign(
    {},
    ...[...methods, ...Object.values(METHODS)].map((m) => m.defaults),
  );
  return Object.fromEntries(texts.map((text) => {
    const [, key, value] = /^(\w+)=(.+)$/.exec(text) ?? [];
    const isText = typeof known[key] === "string";
    const read = isText ? value : parseDecimal(value ?? "");
    if (!Object.hasOwn(known, key) || read === undefined) {
      return fail(`Unknown setting "${text}": write KEY=VALUE, where KEY is a hyperparameter`, 2);
    }
    return [key, read];
  }));
}

/** Uniform numbers in [0, 1), the same in every call. */
export function uniform(length: number): Float32Array {
  const out = new Float32Array(length);
  fillNoise(out, { key: keyOf(2), counters: Int32Array.of(0), width: length, kind: "uniform" });
  return out;
}

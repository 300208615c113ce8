/**
 * Conformance tests of methods, as a list for any test runner. They know the interface and nothing else:
 *
 * ```ts
 * for (const { name, run } of conformanceOf(myMethod)) Deno.test(name, run);
 * ```
 *
 * @module
 */
import type { Hyperparams, Method, Problem } from "../core/types.ts";
import { MODEL_TESTS } from "./model_tests.ts";
import { STEP_TESTS } from "./step_tests.ts";

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
  fitSteps: 2,
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
  return Object.entries({ ...STEP_TESTS, ...MODEL_TESTS }).map(([criterion, test]) => ({
    name: `${method.name}${suffix}: ${criterion}`,
    run: async () => await test(subject),
  }));
}

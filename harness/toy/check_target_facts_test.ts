import assert from "node:assert/strict";
import { TARGETS } from "../../datasets/toy/mod.ts";
import { bivariateGaussian } from "../../datasets/toy/bivariate_gaussian.ts";
import { eightGaussians } from "../../datasets/toy/eight_gaussians.ts";
import type { Target } from "../core/toy_types.ts";
import { checkFacts } from "./check_target_facts.ts";

for (const target of Object.values(TARGETS)) {
  Deno.test(`checkFacts() accepts ${target.name}`, () => checkFacts(target));
}

const grid = { kind: "grid", extent: 4, cells: 160, shared: true } as const;
const [mean] = bivariateGaussian.answer.means;

/** Mistakes in a target, and what the error says after the target's name. */
const MISTAKES: readonly [object, Target, RegExp][] = [
  [
    { answer: { ...grid, cells: 310 } },
    eightGaussians,
    /answer\.cells must be a multiple of 40, got 310$/,
  ],
  [{ answer: { kind: "grid" } }, eightGaussians, /answer\.extent must be > 0, got nothing$/],
  [
    { answer: undefined },
    eightGaussians,
    /answer\.kind must be "gaussian", "grid" or "transport", got nothing$/,
  ],
  [{ dim: 3, answer: grid }, eightGaussians, /dim must be 2 for an answer on a grid, got 3$/],
  [
    { answer: { ...grid, modes: { centres: [[1]], std: 1 } } },
    eightGaussians,
    /answer\.modes must/,
  ],
  [{ batchSize: 1000 }, eightGaussians, /batchSize must be an integer >= 1 and <= 100, got 1000$/],
  [
    { inputs: [[1], [2]] },
    eightGaussians,
    /inputs must be 100 rows of equal length, got \[\[1\],\[2\]\]$/,
  ],
  [{ stepSize: 0 }, eightGaussians, /stepSize must be > 0, got 0$/],
  [
    { length: { chains: 2, steps: 10, burnIn: 10, thin: 1 } },
    eightGaussians,
    /length\.burnIn must .* <= 9, got 10$/,
  ],
  [
    { length: { chains: 2, steps: 10, burnIn: 4, thin: 5 } },
    eightGaussians,
    /length\.burnIn must be a multiple of length\.thin, 5, got 4$/,
  ],
  [
    { encoder: undefined },
    eightGaussians,
    /encoder\.depth must be an integer >= 1, got nothing$/,
  ],
  [
    { encoder: { depth: 2, width: 8, activation: "gelu" } },
    eightGaussians,
    /encoder\.activation must be relu or tanh, got "gelu"$/,
  ],
  [
    { parameters: { w: { data: [1, 2, 3], shape: [2, 2], dtype: "float32" } } },
    eightGaussians,
    /parameters\.w must be data with as many numbers as its shape has, got /,
  ],
  [
    { answer: { ...bivariateGaussian.answer, means: [mean] } },
    bivariateGaussian,
    /answer\.means must be \d+ rows of 2 numbers/,
  ],
  [
    { answer: { ...bivariateGaussian.answer, covariance: [[1, 2], [2, 1]] } },
    bivariateGaussian,
    /answer\.covariance must be symmetric and positive definite, got \[\[1,2\],\[2,1\]\]$/,
  ],
  [
    { answer: { ...bivariateGaussian.answer, covariance: [[1, 0.5], [0, 1]] } },
    bivariateGaussian,
    /answer\.covariance must be symmetric/,
  ],
];

Deno.test("checkFacts() names the target, what it expected and what came", () => {
  for (const [mistake, target, message] of MISTAKES) {
    const wrong = { ...target, ...mistake, name: "mine" } as Target;
    assert.throws(() => checkFacts(wrong), (error: Error) => {
      assert.ok(error instanceof RangeError, `${error}`);
      assert.match(error.message, /^Target mine: /);
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("checkFacts() refuses a transport whose maps are not inverse to each other", () => {
  const funnel = Object.values(TARGETS).find(({ answer }) => answer.kind === "transport");
  assert.ok(funnel?.answer.kind === "transport");
  const { whiten } = funnel.answer;
  const answer = {
    ...funnel.answer,
    whiten: (z: readonly number[]) => whiten(z).map((v) => 2 * v),
  };
  assert.throws(
    () => checkFacts({ ...funnel, answer }),
    /answer\.whiten must be the inverse of answer\.draw/,
  );
});

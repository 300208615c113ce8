/**
 * Mutations of the sampler rules and of the methods' defaults: each changes one constant or term of a file by about 10 %, or
 * breaks one decision.
 *
 * @module
 */

/** One change of one file. */
export interface Mutation {
  /** A few words for tables. */
  readonly name: string;
  /** The rule, or the method, whose file is changed. */
  readonly of: string;
  /** Its path from the project's root. */
  readonly file: string;
  /** Text that stands once in the file, and what takes its place. */
  readonly find: string;
  readonly replace: string;
}

/** The mutations of rules, by rule. */
export const MUTATIONS: readonly Mutation[] = [
  ...mutationsOf("langevin", {
    "drift x 1.1": [
      "tf.mul(gradient, stepSize)",
      "tf.mul(tf.mul(gradient, 1.1), stepSize)",
    ],
    "drift x 0.9": [
      "tf.mul(gradient, stepSize)",
      "tf.mul(tf.mul(gradient, 0.9), stepSize)",
    ],
    "noise x 1.1": ["Math.sqrt(2 * stepSize)", "1.1 * Math.sqrt(2 * stepSize)"],
    "noise x 0.9": ["Math.sqrt(2 * stepSize)", "0.9 * Math.sqrt(2 * stepSize)"],
    "2 eta x 1.1": ["Math.sqrt(2 * stepSize)", "Math.sqrt(2.2 * stepSize)"],
    "2 eta x 1.1 of a tensor": ["tf.mul(stepSize, 2)", "tf.mul(stepSize, 2.2)"],
    "step size of chains x 1.1": [
      "xi: each.xi, stepSize })",
      "xi: each.xi, stepSize: 1.1 * stepSize })",
    ],
  }),
  ...mutationsOf("psgld", {
    "drift x 1.1": [
      "tf.mul(g, gradient), stepSize)",
      "tf.mul(g, gradient), tf.mul(stepSize, 1.1))",
    ],
    "drift x 0.9": [
      "tf.mul(g, gradient), stepSize)",
      "tf.mul(g, gradient), tf.mul(stepSize, 0.9))",
    ],
    "2 eta x 1.1": ["tf.div(stepSize, count), 2)", "tf.div(stepSize, count), 2.2)"],
    "2 eta x 0.9": ["tf.div(stepSize, count), 2)", "tf.div(stepSize, count), 1.8)"],
    "damping x 1.1": ["unbias)), damping)", "unbias)), 1.1 * damping)"],
    "damping x 0.9": ["unbias)), damping)", "unbias)), 0.9 * damping)"],
    "memory alpha x 0.9": [
      "tf.mul(v, alpha)",
      "tf.mul(v, 0.9 * alpha)",
    ],
    "1 - alpha x 1.1 in V": [
      "tf.square(g), 1 - alpha)",
      "tf.square(g), 1.1 * (1 - alpha))",
    ],
    "V x 1.1": ["tf.div(v, unbias)", "tf.div(tf.mul(v, 1.1), unbias)"],
    "bias correction of alpha^1.1t": ["Math.log(alpha)", "1.1 * Math.log(alpha)"],
    "bias correction of t + 1.1": ["tf.add(moves, 1)", "tf.add(moves, 1.1)"],
    "noise of G^0.55": [
      "tf.sqrt(tf.mul(g, noiseScale))",
      "tf.sqrt(tf.mul(tf.pow(g, 1.1), noiseScale))",
    ],
  }),
  ...mutationsOf("metropolis", {
    "forward density x 1.1": ["tf.square(xi), 1), -0.5)", "tf.square(xi), 1), -0.55)"],
    "reverse density x 1.1": ["-0.25 / stepSize", "-0.275 / stepSize"],
    "reverse drift x 1.1": [
      "tf.mul(proposed.gradient, stepSize)",
      "tf.mul(proposed.gradient, 1.1 * stepSize)",
    ],
    "reverse drift x 0.9": [
      "tf.mul(proposed.gradient, stepSize)",
      "tf.mul(proposed.gradient, 0.9 * stepSize)",
    ],
    "energy change x 1.1": ["tf.add(energyFall, ", "tf.add(tf.mul(energyFall, 1.1), "],
    "energy change x 0.9": ["tf.add(energyFall, ", "tf.add(tf.mul(energyFall, 0.9), "],
    "threshold log u x 1.1": ["tf.log(uniform)", "tf.mul(tf.log(uniform), 1.1)"],
    "threshold log u x 0.9": ["tf.log(uniform)", "tf.mul(tf.log(uniform), 0.9)"],
    "accepts everything": ["tf.log(uniform)", "tf.sub(tf.log(uniform), 1e6)"],
    "no reverse density": ["tf.sub(backward, forward)", "0"],
  }),
  ...mutationsOf("midpoint", {
    "early drift x 1.1": ["tf.mul(alpha, stepSize)", "tf.mul(alpha, 1.1 * stepSize)"],
    "early noise x 1.1": ["Math.sqrt(2 * stepSize)", "1.1 * Math.sqrt(2 * stepSize)"],
    "late noise of 1.1 - alpha": ["tf.sub(1, alpha)", "tf.sub(1.1, alpha)"],
    "drift x 1.1": ["gradient: next, xi, stepSize", "gradient: tf.mul(next, 1.1), xi, stepSize"],
  }),
  ...mutationsOf("proximal", {
    "drift x 1.1": ["tf.mul(gradient(y), stepSize)", "tf.mul(gradient(y), 1.1 * stepSize)"],
    "noise x 1.1": ["Math.sqrt(2 * stepSize)", "1.1 * Math.sqrt(2 * stepSize)"],
  }),
  ...mutationsOf("stochastic_runge_kutta", {
    "drift x 1.1": ["tf.mul(gradients, stepSize / 2)", "tf.mul(gradients, stepSize / 1.8)"],
    "noise x 1.1": ["tf.mul(xi, scale)", "tf.mul(xi, 1.1 * scale)"],
    "drift of h2 x 1.1": ["tf.mul(gradient(x), stepSize)", "tf.mul(gradient(x), 1.1 * stepSize)"],
    "path of h1 x 1.1": ["path(1 / 2 + 1 / Math.sqrt(6))", "path(1.1 / 2 + 1.1 / Math.sqrt(6))"],
    "path of h2 x 1.1": ["path(1 / 2 - 1 / Math.sqrt(6))", "path(1.1 / 2 - 1.1 / Math.sqrt(6))"],
    "other noise x 1.1": ["1 / Math.sqrt(12)", "1.1 / Math.sqrt(12)"],
  }),
  ...mutationsOf("mirror", {
    "drift x 1.1": ["tf.mul(gradient, stepSize)", "tf.mul(gradient, 1.1 * stepSize)"],
    "noise x 1.1": ["tf.div(2 * stepSize, root)", "tf.div(2.42 * stepSize, root)"],
    "root of u^2 + 1.1": ["tf.square(u), 1)", "tf.square(u), 1.1)"],
  }),
];

/** A default of each chain that a method runs, retuned by 10 %, and the memory of the toy suite's pSGLD. */
export const RETUNINGS: readonly Mutation[] = [
  ...retuningsOf("abp", [["posteriorStepSize: 0.005", "posteriorStepSize: 0.0055"]]),
  ...retuningsOf("dlgm", [["posteriorStepSize: 0.005", "posteriorStepSize: 0.0055"]]),
  ...retuningsOf("lebm", [
    ["posteriorSteps: 20", "posteriorSteps: 22"],
    ["priorStepSize: 0.08", "priorStepSize: 0.088"],
  ]),
  ...retuningsOf("lae", [
    [" stepSize: 1e-3", " stepSize: 1.1e-3"],
    ["alpha: 0.99,", "alpha: 0.891,"],
    ["damping: 1e-3", "damping: 1.1e-3"],
    ["priorSteps: 60", "priorSteps: 66"],
  ]),
  {
    name: "alpha 0.99 for 0.9998",
    of: "psgld",
    file: "methods/toy/psgld.ts",
    find: "alpha: 0.9998",
    replace: "alpha: 0.99",
  },
  ...retuningsOf("lae_neurips", [
    ["chainStepSize: 1e-4", "chainStepSize: 1.1e-4"],
    ["metropolis: true", "metropolis: false"],
  ]),
];

/** Mutations of the variational fits, which run on one target: a default of their optimizer does not move their optimum. */
export const OF_FITS: readonly Mutation[] = Object.entries({
  "entropy x 1.1": ["tf.mean(samples, 1), entropy)", "tf.mean(samples, 1), tf.mul(entropy, 1.1))"],
  "entropy x 0.9": ["tf.mean(samples, 1), entropy)", "tf.mean(samples, 1), tf.mul(entropy, 0.9))"],
  "samples x 1.1": ["tf.expandDims(xi, 3)), 4))", "tf.mul(tf.expandDims(xi, 3), 1.1)), 4))"],
  "entropy of the first coordinate alone": [
    "tf.sum(tf.mul(raw, onDiagonal(dim)), [2, 3])",
    "tf.sum(tf.slice(raw, [0, 0, 0, 0], [-1, -1, 1, 1]), [2, 3])",
  ],
  "covariance stays diagonal": [
    "tf.greaterEqual(step, burnIn / 2)",
    "tf.greaterEqual(step, burnIn)",
  ],
  "learning rate x 0.01": ["LEARNING_RATE = 0.02", "LEARNING_RATE = 0.0002"],
}).map(([name, [find, replace]]) => ({
  name,
  of: "avi",
  file: "methods/toy/avi.ts",
  find,
  replace,
}));

/** Mutations that the check must notice on some target; those of rules it must notice on each. */
export const ANYWHERE: readonly Mutation[] = [...RETUNINGS, ...OF_FITS];

/** Rules that are built on another: what is to be checked too after that has changed. */
const BUILT_ON: Readonly<Record<string, readonly string[]>> = {
  langevin: ["metropolis", "midpoint"],
};

/** The rules and methods in which a mutation may show. */
export function affectedBy({ of }: Mutation): string[] {
  return [of, ...BUILT_ON[of] ?? []];
}

function mutationsOf(
  rule: string,
  changes: Readonly<Record<string, readonly [find: string, replace: string]>>,
): Mutation[] {
  const file = `methods/samplers/${rule}.ts`;
  return Object.entries(changes).map(([name, [find, replace]]) => ({
    name,
    of: rule,
    file,
    find,
    replace,
  }));
}

function retuningsOf(
  method: string,
  changes: readonly (readonly [find: string, replace: string])[],
): Mutation[] {
  const file = `methods/${method}.ts`;
  return changes.map(([find, replace]) => ({
    name: replace.trim().replace(",", ""),
    of: method,
    file,
    find,
    replace,
  }));
}

/** `source` with the mutation. Throws RangeError unless its text stands there once. */
export function mutate(source: string, { name, file, find, replace }: Mutation): string {
  const parts = source.split(find);
  if (parts.length !== 2) {
    throw new RangeError(
      `Mutation "${name}" of ${file} looks for "${find}", which stands there ${
        parts.length - 1
      } times: change it with the file`,
    );
  }
  return parts.join(replace);
}

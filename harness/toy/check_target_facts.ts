import { symmetricEigen } from "../linalg/symmetric_eigen.ts";
import type { GaussianAnswer, GridAnswer, Target, TransportAnswer } from "../core/toy_types.ts";
import type { Matrix } from "../core/types.ts";
import { BINS } from "./grid_truth.ts";

/**
 * Checks the facts of `target` that need no density: counts, sizes, shapes. Throws RangeError that names the target, what was
 * expected and what it has.
 */
export function checkFacts(target: Target): void {
  const { name, points, dim, inputs, answer, length } = target;
  const refuse = (what: string, expected: string, got: unknown): never => {
    throw new RangeError(`Target ${name}: ${what} must be ${expected}, got ${show(got)}`);
  };
  const checkCount = (what: string, value: unknown, low = 1, high = Infinity) => {
    if (!Number.isInteger(value) || Number(value) < low || Number(value) > high) {
      refuse(what, `an integer >= ${low}${high < Infinity ? ` and <= ${high}` : ""}`, value);
    }
  };
  checkCount("points", points);
  checkCount("dim", dim);
  checkCount("batchSize", target.batchSize, 1, points);
  for (const what of ["stepSize", "gradientScale"] as const) {
    if (!(target[what] > 0 && target[what] < Infinity)) refuse(what, "> 0", target[what]);
  }
  for (const what of ["chains", "steps", "thin"] as const) {
    checkCount(`length.${what}`, length?.[what]);
  }
  checkCount("length.burnIn", length.burnIn, 0, length.steps - 1);
  for (const what of ["burnIn", "steps"] as const) {
    if (length[what] % length.thin !== 0) {
      refuse(`length.${what}`, `a multiple of length.thin, ${length.thin}`, length[what]);
    }
  }
  const { encoder, parameters } = target;
  for (const what of ["depth", "width"] as const) checkCount(`encoder.${what}`, encoder?.[what]);
  if (!ACTIVATIONS.some((known) => known === encoder.activation)) {
    refuse("encoder.activation", ACTIVATIONS.join(" or "), encoder.activation);
  }
  for (const [key, parameter] of Object.entries(parameters ?? {})) {
    const size = parameter?.shape?.reduce((product, axis) => product * axis, 1);
    if (size === undefined || parameter.data?.length !== size) {
      refuse(`parameters.${key}`, "data with as many numbers as its shape has", parameter);
    }
  }
  if (!isMatrix(inputs, points)) refuse("inputs", `${points} rows of equal length`, inputs);
  if (answer?.kind === "gaussian") checkGaussian(answer);
  else if (answer?.kind === "grid") checkGrid(answer);
  else if (answer?.kind === "transport") checkTransport(answer);
  else {refuse(
      "answer.kind",
      '"gaussian", "grid" or "transport"',
      (answer as { kind?: unknown })?.kind,
    );}

  function checkGaussian({ means, covariance }: GaussianAnswer): void {
    if (!isMatrix(means, points, dim)) {
      refuse("answer.means", `${points} rows of ${dim} numbers`, means);
    }
    checkCovariance(covariance);
  }

  function checkTransport({ draw, whiten, energy, mean, covariance }: TransportAnswer): void {
    if (!isMatrix([mean], 1, dim)) refuse("answer.mean", `${dim} numbers`, mean);
    checkCovariance(covariance);
    if (!Number.isFinite(energy)) refuse("answer.energy", "a finite number", energy);
    const xi = Array.from({ length: dim }, (_, i) => Math.cos(i + 1));
    const back = whiten(draw(xi));
    const isInverse = back.length === dim &&
      back.every((value, i) => Math.abs(value - xi[i]) <= 1e-9 * (1 + Math.abs(xi[i])));
    if (!isInverse) refuse("answer.whiten", "the inverse of answer.draw", back);
  }

  function checkCovariance(covariance: Matrix): void {
    if (!isMatrix(covariance, dim, dim)) {
      refuse("answer.covariance", `${dim} rows of ${dim} numbers`, covariance);
    }
    const isSymmetric = covariance.every((row, i) =>
      row.every((v, j) => Math.abs(v - covariance[j][i]) <= 1e-9 * Math.abs(covariance[i][i]))
    );
    if (!isSymmetric || !symmetricEigen(covariance).values.every((variance) => variance > 0)) {
      refuse("answer.covariance", "symmetric and positive definite", covariance);
    }
  }

  function checkGrid({ extent, cells, shared, modes }: GridAnswer): void {
    if (dim !== 2) refuse("dim", "2 for an answer on a grid", dim);
    if (!(extent > 0 && extent < Infinity)) refuse("answer.extent", "> 0", extent);
    if (!Number.isInteger(cells) || cells < BINS || cells % BINS !== 0) {
      refuse("answer.cells", `a multiple of ${BINS}`, cells);
    }
    if (typeof shared !== "boolean") refuse("answer.shared", "true or false", shared);
    if (modes !== undefined && !(isMatrix(modes.centres, undefined, 2) && modes.std > 0)) {
      refuse("answer.modes", "centres of 2 numbers each and a std > 0", modes);
    }
  }
}

const ACTIVATIONS = ["relu", "tanh"] as const;

/** Whether `value` is an array of `rows` arrays of `columns` finite numbers; of any, but equal, length where not given. */
function isMatrix(value: unknown, rows?: number, columns?: number): boolean {
  if (!Array.isArray(value) || value.length === 0 || value.length !== (rows ?? value.length)) {
    return false;
  }
  const width = columns ?? (value[0] as ArrayLike<number>)?.length;
  return value.every((row) => row?.length === width && [...row].every(Number.isFinite));
}

/** A value in a message, cut where it is long. */
function show(value: unknown): string {
  const text = typeof value === "number" ? `${value}` : JSON.stringify(value) ?? "nothing";
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

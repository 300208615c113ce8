import { symmetricEigen } from "../linalg/symmetric_eigen.ts";
import { diagnose, type Mixing } from "../statistics/effective_sample_size.ts";
import type { Distribution } from "../statistics/upper_bound.ts";
import type { Sample } from "../statistics/sample.ts";
import type { ChainRun } from "./run_chains.ts";
import { gaussianTruth } from "./gaussian_truth.ts";
import type { Truth } from "./truth.ts";
import type { Scores } from "../core/toy_report.ts";
import type {
  Draws,
  GaussianAnswer,
  SamplerSettings,
  SamplerTheory,
  Target,
} from "../core/toy_types.ts";
import type { Matrix } from "../core/types.ts";
import { withRatios } from "./known_distribution.ts";

/** Sets of independent draws that say what a metric is worth at an effective size, and how much it varies. */
const REPLICATES = 24;
/**
 * Standard deviations that a gate leaves: with so many replicates the deviation is known to 15 %, and the suite makes
 * thousands of comparisons over twenty seeds, so that 4 of them have to be left for certain.
 */
export const GATE_DEVIATIONS = 6;

/** A scored run. */
export interface ScoredRun {
  readonly scores: Scores;
  /** The scores of each posterior. */
  readonly posteriors: readonly Scores[];
  /** Of independent draws from the truth, of the same effective size. */
  readonly exact: Readonly<Record<string, Distribution>>;
  /** Of independent draws from the stationary distribution by theory: the truth, or the truth with the bias of the step. */
  readonly predicted: Readonly<Record<string, Distribution>>;
  /**
   * Where modes are known: of independent draws as many as those are worth within modes, where chains forget sooner than
   * between them.
   */
  readonly within: Readonly<Record<string, Distribution>> | null;
  /** Draws of each posterior, all chains together. */
  readonly samples: readonly Sample[];
}

/** Scores `run`, its mixing among them, and what exact samplers would score. `label` names the stream of these. */
export function scoreRun(
  run: ChainRun,
  { target, sampler, truth, mixing: given, report = () => {} }: {
    readonly target: Target;
    readonly sampler: SamplerTheory;
    readonly truth: Truth;
    /** Of each posterior; that of the coordinates by default. */
    readonly mixing?: readonly Mixing[];
    /** Called with the share of the replicates that are done. */
    readonly report?: (share: number) => void;
  },
): ScoredRun {
  const { answer } = target;
  const shared = answer.kind === "grid" && answer.shared;
  const samples = samplesOf(run.draws, shared);
  const mixing = given ?? mixingOf(truth.coordinates(run.draws), shared);
  const sizes = mixing.map(sizeOf);
  const biased = answer.kind === "gaussian"
    ? biasedAnswer(answer, { settings: run.settings, sampler, target })
    : null;
  const unbiased = Array<number>(target.dim).fill(1);
  const withinSizes = answer.kind === "grid" && answer.modes
    ? mixingOf(residualsOf(run.draws, answer.modes.centres), shared).map(sizeOf)
    : null;
  const sets = 1 + (withinSizes ? 1 : 0) + (biased ? 1 : 0);
  let done = 0;
  const onReplicate = () => report(++done / (sets * REPLICATES));
  const exact = expected(truth, {
    truth,
    sizes,
    seed: "exact",
    onReplicate,
    known: truth.scoreDistributions(sizes, unbiased),
  });
  const effectiveSize = Math.min(...mixing.map((m) => m.effectiveSize));
  const gradients = run.gradients * run.settings.chains;
  const { all, each } = truth.score(samples, { fits: sampler.fits?.(run.state) });
  return {
    samples,
    posteriors: each,
    exact,
    within: withinSizes &&
      expected(truth, { truth, sizes: withinSizes, seed: "within", onReplicate }),
    predicted: biased
      ? expected(gaussianTruth(biased.answer), {
        truth,
        sizes,
        seed: "predicted",
        onReplicate,
        known: truth.scoreDistributions(sizes, biased.ratios),
      })
      : exact,
    scores: {
      ...all,
      ess: effectiveSize,
      r_hat: Math.max(...mixing.map((m) => m.rHat)),
      gradients,
      gradients_per_draw: gradients / effectiveSize,
    },
  };
}

/** Independent draws that chains are worth, for replicates. */
function sizeOf({ effectiveSize }: Mixing): number {
  return Math.max(4, Math.floor(effectiveSize));
}

/** Two-dimensional draws less the nearest of `centres`. */
function residualsOf(draws: Draws, centres: Matrix): Draws {
  const data = draws.data.slice();
  for (let at = 0; at < data.length; at += 2) {
    const distance = ([x, y]: readonly number[]) => Math.hypot(data[at] - x, data[at + 1] - y);
    const [x, y] = centres.reduce((a, b) => distance(b) < distance(a) ? b : a);
    data[at] -= x;
    data[at + 1] -= y;
  }
  return { ...draws, data };
}

/** Draws of each posterior, [posterior] x [draws * chains, dim]; one sample if all points share one. */
export function samplesOf(
  { count, chains, points, dim, data }: Draws,
  shared: boolean,
): Sample[] {
  if (shared) return [{ count: count * chains * points, dim, data }];
  return Array.from({ length: points }, (_, point) => {
    const own = new Float32Array(count * chains * dim);
    for (let n = 0; n < count * chains; n++) {
      const at = (n * points + point) * dim;
      own.set(data.subarray(at, at + dim), n * dim);
    }
    return { count: count * chains, dim, data: own };
  });
}

/** Least effective size and largest R-hat over the coordinates of each posterior. */
export function mixingOf({ dim, ...draws }: Draws, shared: boolean): Mixing[] {
  return seriesOf({ dim, ...draws }, shared).map((members) => {
    const each = Array.from({ length: dim }, (_, k) => diagnose(members.map((of) => of(k))));
    return {
      effectiveSize: Math.min(...each.map((m) => m.effectiveSize)),
      rHat: Math.max(...each.map((m) => m.rHat)),
    };
  });
}

/** For each posterior, its chains, as functions from a coordinate to its series. */
export function seriesOf(
  { count, chains, points, dim, data }: Omit<Draws, "data"> & { readonly data: ArrayLike<number> },
  shared: boolean,
): ((k: number) => Float64Array)[][] {
  const chain = (chain: number, point: number) => (k: number) =>
    Float64Array.from(
      { length: count },
      (_, t) => data[((t * chains + chain) * points + point) * dim + k],
    );
  const allChains = [...Array(chains).keys()];
  const allPoints = [...Array(points).keys()];
  return shared
    ? [allChains.flatMap((c) => allPoints.map((point) => chain(c, point)))]
    : allPoints.map((point) => allChains.map((c) => chain(c, point)));
}

/** Distributions of the scores of sizes[i] draws of each posterior from `source`: the known ones, the others from replicates. */
function expected(
  source: Truth,
  { truth, sizes, seed, onReplicate, known = {} }: {
    readonly truth: Truth;
    readonly sizes: readonly number[];
    readonly seed: string;
    onReplicate(): void;
    readonly known?: Readonly<Record<string, Distribution>>;
  },
): Record<string, Distribution> {
  const replicates = Array.from({ length: REPLICATES }, (_, r) => {
    const samples = sizes.map((count, point) =>
      source.draw(point, { count, seed: `${seed}/${r}/${point}` })
    );
    const { all } = truth.score(samples, { known });
    onReplicate();
    return all;
  });
  const found = Object.fromEntries(
    Object.keys(replicates[0]).map((name) => {
      const values = replicates.map((scores) => scores[name]);
      const mean = values.reduce((a, b) => a + b) / values.length;
      const squares = values.reduce((sum, v) => sum + (v - mean) ** 2, 0);
      return [name, { mean, std: Math.sqrt(squares / (values.length - 1)) }];
    }),
  );
  return { ...found, ...known };
}

/** The stationary distribution of a chain with a known bias: each principal axis of the covariance has its own ratio. */
export function biasedAnswer(
  { means, covariance }: GaussianAnswer,
  { settings, sampler, target }: {
    readonly settings: SamplerSettings;
    readonly sampler: SamplerTheory;
    readonly target: Target;
  },
): { readonly answer: GaussianAnswer; readonly ratios: readonly number[] } | null {
  const { varianceRatio } = sampler;
  if (!varianceRatio) return null;
  const ratios = symmetricEigen(covariance).values
    .map((v) => varianceRatio(1 / v, { target, settings }));
  const answer = { kind: "gaussian", means, covariance: withRatios(covariance, ratios) } as const;
  return { answer, ratios };
}

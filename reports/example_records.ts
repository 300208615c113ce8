/** Records, and folders of them, with everything that a report must show: for its tests. */
import { familyScore, SCORE_KINDS, type ScoreKind } from "../harness/core/family_scores.ts";
import type { AnnealedLikelihood, AnnealedResult } from "../harness/core/annealed.ts";
import type { FamilyRecord, Findings } from "../harness/core/types.ts";
import type {
  AlternativeScores,
  Anomaly,
  BoundBasis,
  Calibration,
  ChainHealth,
  Diagnostics,
  Inpainting,
  PriorCheck,
  Provenance,
  RunRecord,
  RunSpec,
} from "../harness/core/records.ts";
import type { Names, ResultTable } from "./document/result_table.ts";
import { buildResults, type ListedRun, type Results } from "./table.ts";

/** Four methods, two data sets, two scores of samples and two of the likelihood. */
export const EXAMPLE_NAMES: Names = {
  methods: [
    { name: "dlgm", label: "DLGM", description: "LD + amortized init." },
    { name: "lebm", label: "LEBM", description: "LD + EBM" },
    { name: "lae", label: "LAE", description: "LD + EBM + amortization" },
    { name: "lae_neurips", label: "LAE (NeurIPS)", description: "LD + amortization" },
  ],
  datasets: [
    { name: "fashion_4k", label: "Fashion-MNIST 4k" },
    { name: "cifar10", label: "CIFAR-10" },
  ],
  metrics: [
    { name: "fid", label: "FID", better: "lower" },
    { name: "fd_fashion", label: "fd_fashion", better: "lower", family: { name: "fashion" } },
    { name: "coverage_fashion", label: "coverage", better: "higher", family: { name: "fashion" } },
    {
      name: "accuracy_fashion",
      label: "class accuracy",
      better: "higher",
      family: { name: "fashion" },
    },
    { name: "kid_fashion", label: "KID", better: "lower", family: { name: "fashion" } },
    { name: "nelbo", label: "-ELBO, nats/dim", better: "lower", importanceSamples: 1 },
    { name: "niwae_10", label: "-IWAE (k = 10), nats/dim", better: "lower", importanceSamples: 10 },
  ],
};

const PROVENANCE: Provenance = {
  commit: "0123456789abcdef0123456789abcdef01234567",
  dirty: false,
  lockSha256: "aa",
  versions: { deno: "2.9.6", v8: "15" },
  device: "a runtime, 2 threads",
  cpu: "A CPU",
  cores: 2,
  jobs: 1,
  os: "linux x86_64",
  datasetSha256: "bb",
  metricSha256: { fid: "cc" },
  metricSettings: { fid: { mode: "tf", quantize: "bytes" } },
};

/** Departures of an example from the record that all start from. */
export interface ExampleChange {
  readonly spec?: Partial<RunSpec>;
  readonly provenance?: Partial<Provenance>;
  /** Seconds of the epochs; the first is the warm-up. */
  readonly seconds?: readonly number[];
  readonly scores?: Readonly<Record<string, number>>;
  readonly untrained?: Readonly<Record<string, number>>;
  readonly alternatives?: Readonly<Record<string, AlternativeScores>>;
  readonly decodedScores?: Readonly<Record<string, number>>;
  readonly bounds?: Readonly<Record<string, BoundBasis>>;
  readonly families?: Readonly<Record<string, FamilyRecord>>;
  readonly reconstructionError?: number;
  readonly fitError?: number;
  readonly anomaly?: Anomaly;
  readonly inpainting?: Inpainting;
  readonly diagnostics?: Diagnostics;
  readonly priorCheck?: PriorCheck;
  readonly chainHealth?: readonly ChainHealth[];
  readonly calibration?: Calibration;
  readonly end?: { readonly status: "failed"; readonly error: string } | {
    readonly status: "diverged";
    readonly epoch: number;
    readonly metric: string;
    readonly limit?: number;
  };
}

let count = 0;

/** A record with a new id, completed unless `end` says otherwise. */
export function exampleRecord(
  { spec, provenance, seconds = [9, 2.8, 3, 3.2], scores = {}, untrained = {}, end, ...measured }:
    ExampleChange,
): RunRecord {
  const id = (++count).toString(16).padStart(12, "0");
  const base = {
    schema: 1,
    id,
    experiment: "example",
    spec: {
      method: "lae",
      dataset: "fashion_4k",
      seed: 0,
      epochs: seconds.length,
      batchSize: 100,
      trainCount: null,
      sampleCount: 1000,
      metrics: ["fd_fashion"],
      scoreUntrained: true,
      hyper: { width: 0.25 },
      device: "cpu",
      threads: 2,
      ...spec,
    },
    startedAt: "2026-01-02T03:04:05.678Z",
    provenance: { ...PROVENANCE, ...provenance },
    seconds: { train: 18, sample: 1, score: 1, other: 1 },
    epochs: seconds.map((s, epoch) => ({
      epoch,
      seconds: s,
      warmup: epoch === 0,
      steps: 40,
      metrics: { loss: 1 },
    })),
  } as const;
  return end === undefined
    ? { ...base, status: "completed", scores, untrained, ...measured }
    : { ...base, ...end };
}

/** Findings of the family `fashion` on a set of images: those of 1,000 real ones, with `change`. */
export function exampleFindings(
  { count = 1000, standardErrors = {}, classes, ...scores }: {
    readonly count?: number;
    readonly standardErrors?: Readonly<Record<string, number>>;
    readonly classes?: Readonly<Record<string, number>>;
  } & Partial<Record<ScoreKind, number>> = {},
): Findings {
  const all: Partial<Record<ScoreKind, number>> = {
    fd: 4.7,
    coverage: 0.97,
    recall: 0.84,
    precision: 0.85,
    density: 1,
    entropy: 2.3,
    kid: 0,
    ...scores,
  };
  return {
    count,
    scores: Object.fromEntries(
      SCORE_KINDS.flatMap((kind) => {
        const value = all[kind];
        return value === undefined ? [] : [[familyScore(kind, "fashion"), value]];
      }),
    ),
    standardErrors,
    expected: { coverage_fashion: 0.969, density_fashion: 1 },
    classes: classes ?? { trouser: count / 2, bag: count / 2 },
  };
}

/** Settings of a run on CIFAR-10 that the paper's numbers for `lae` and `dlgm` can stand beside. */
export const PAPER_SPEC = {
  dataset: "cifar10",
  metrics: ["fid"],
  batchSize: 100,
  sampleCount: 50_000,
  trainCount: null,
  hyper: {
    nets: "table2",
    width: 1,
    latentDim: 128,
    featureDim: 1024,
    likelihood: "gaussian",
    posteriorSteps: 20,
  },
} as const;

/** Two scored runs of `spec`, of seeds 0 and 1, with the mean and the sample deviation of `fid`. */
export function examplePair(
  spec: Partial<RunSpec>,
  { mean, std, ...change }: { readonly mean: number; readonly std: number } & ExampleChange,
): RunRecord[] {
  return [-1, 1].map((side, seed) =>
    exampleRecord({
      ...change,
      spec: { ...spec, seed },
      scores: { fid: mean + side * std / Math.SQRT2 },
    })
  );
}

/** A likelihood of 784 pixels of the run `id`: -1000 ± 0.1 nats an image, or what `change` says. */
export function exampleLikelihood(
  id: string,
  change: Partial<AnnealedLikelihood> = {},
): AnnealedResult {
  const estimate = (mean: number) => ({ mean, standardError: 0.1 });
  return {
    schema: 1,
    id,
    settings: { images: 32, temperatures: 1000, chains: 16 },
    likelihood: {
      dimensions: 784,
      test: { ...estimate(-1000), imagesError: 20, largestError: 0.3 },
      simulated: { lower: estimate(-500), upper: estimate(-499.5), gap: estimate(0.5) },
      normaliser: null,
      curvature: 30,
      acceptance: 0.7,
      ...change,
    },
    seconds: 60,
    device: "a runtime",
    startedAt: "2026-01-02T03:04:05.678Z",
  };
}

/** The table of `records` under the names of the examples. */
export function exampleTable(...example: Parameters<typeof exampleResults>): ResultTable {
  return exampleResults(...example).table;
}

/** The same with the records behind each row. */
export function exampleResults(
  records: readonly RunRecord[],
  { runList = null, likelihoods = [] }: {
    readonly runList?: readonly ListedRun[] | null;
    readonly likelihoods?: readonly AnnealedResult[];
  } = {},
): Results {
  return buildResults(records, { names: EXAMPLE_NAMES, runList, likelihoods });
}

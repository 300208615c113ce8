/** Records with everything that a report must show: for its tests. */
import type {
  BoundBasis,
  Diagnostics,
  Provenance,
  RunRecord,
  RunSpec,
} from "../harness/core/types.ts";
import type { Names } from "./document/result_table.ts";

/** Three methods, two data sets, two scores of samples and two of the likelihood. */
export const EXAMPLE_NAMES: Names = {
  methods: [
    { name: "dlgm", label: "DLGM", description: "LD + amortized init." },
    { name: "lebm", label: "LEBM", description: "LD + EBM" },
    { name: "lae", label: "LAE", description: "LD + EBM + amortization" },
  ],
  datasets: [
    { name: "fashion_4k", label: "Fashion-MNIST 4k" },
    { name: "cifar10", label: "CIFAR-10" },
  ],
  metrics: [
    { name: "fid", label: "FID", better: "lower" },
    { name: "fd_fashion", label: "fd_fashion", better: "lower" },
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

/** What an example changes. */
export interface ExampleChange {
  readonly spec?: Partial<RunSpec>;
  readonly provenance?: Partial<Provenance>;
  /** Seconds of the epochs; the first is the warm-up. */
  readonly seconds?: readonly number[];
  readonly scores?: Readonly<Record<string, number>>;
  readonly untrained?: Readonly<Record<string, number>>;
  readonly bounds?: Readonly<Record<string, BoundBasis>>;
  readonly reconstructionError?: number;
  readonly diagnostics?: Diagnostics;
  readonly end?: { readonly status: "failed"; readonly error: string } | {
    readonly status: "diverged";
    readonly epoch: number;
    readonly metric: string;
  };
}

let count = 0;

/** A record of its own id, completed unless `end` says otherwise. */
export function exampleRecord(
  { spec, provenance, seconds = [9, 2, 3, 4], scores = {}, untrained = {}, end, ...measured }:
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

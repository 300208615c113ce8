import * as z from "zod";
import { excerpt } from "../core/plain_text.ts";
import type { RunRecord, RunSpec } from "../core/records.ts";

/** Schema number of the records that this program writes, and the highest that it reads. */
export const RECORD_SCHEMA = 1;

/** Checks numbers by name. */
export const NUMBERS = z.record(z.string(), z.number());

/** Checks an `Estimate`. */
const ESTIMATE = z.object({ mean: z.number(), standardError: z.number().min(0).nullable() });

const NUMBER_OR_NULL = z.number().nullable();

/** Checks an `ImageChainHealth`. */
const IMAGE_CHAIN_HEALTH = z.object({
  energy: z.object({
    data: ESTIMATE.nullable(),
    start: ESTIMATE.nullable(),
    end: ESTIMATE.nullable(),
  }),
  gradientNorm: z.object({ start: NUMBER_OR_NULL, end: NUMBER_OR_NULL }),
  saturated: z.object({ data: NUMBER_OR_NULL, start: NUMBER_OR_NULL, end: NUMBER_OR_NULL }),
  distance: NUMBER_OR_NULL,
});

/** Checks a `ChainHealth`. */
const CHAIN_HEALTH = z.object({
  chain: z.string(),
  count: z.int().min(1),
  dimension: z.int().min(1),
  steps: z.int().min(1),
  stepSize: z.number().min(0),
  stability: z.object({ quantile90: z.number(), largest: z.number() }).nullable(),
  acceptance: ESTIMATE.nullable().optional(),
  drift: ESTIMATE.nullable().optional(),
  virial: ESTIMATE.nullable().optional(),
  images: IMAGE_CHAIN_HEALTH.optional(),
});

/** Checks a `Divergence`. */
const DIVERGENCE = z.object({
  step: z.int().min(1),
  metrics: z.record(z.string(), z.number().nullable()),
  lastFinite: NUMBERS.nullable(),
  norms: z.object({
    step: z.int().min(1),
    state: NUMBERS,
    change: NUMBERS,
    gradient: NUMBERS,
  }).nullable(),
});

/** Checks an `EpochRecord`. */
export const EPOCH_RECORD = z.object({
  epoch: z.int().min(0),
  seconds: z.number().min(0),
  cpuSeconds: z.number().min(0).optional(),
  load: z.number().min(0).optional(),
  warmup: z.boolean(),
  steps: z.int().min(0),
  metrics: NUMBERS,
  scores: NUMBERS.optional(),
  chainHealth: z.array(CHAIN_HEALTH).readonly().optional(),
});

/** Checks `Seconds`. */
export const SECONDS = z.object({
  train: z.number(),
  sample: z.number(),
  score: z.number(),
  other: z.number(),
});

/** Checks a `UserModule`. */
const USER_MODULE = z.strictObject({
  path: z.string(),
  sha256: z.string(),
  label: z.string(),
  description: z.string().optional(),
  image: z.strictObject({ height: z.int(), width: z.int(), channels: z.int() }).optional(),
});

/** Checks a `RunSpec`. */
export const RUN_SPEC = z.strictObject({
  method: z.string(),
  dataset: z.string(),
  seed: z.int().min(0),
  epochs: z.int().min(1),
  batchSize: z.int().min(1),
  trainCount: z.int().min(1).nullable(),
  sampleCount: z.int().min(1),
  metrics: z.array(z.string()),
  scoreUntrained: z.boolean(),
  scoreEvery: z.int().min(1).optional(),
  hyper: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
  device: z.string(),
  threads: z.int().min(1),
  modules: z.strictObject({ method: USER_MODULE.optional(), dataset: USER_MODULE.optional() })
    .optional(),
});

/** Checks `Findings`. */
const FINDINGS = z.object({
  count: z.int().min(1),
  scores: NUMBERS,
  standardErrors: NUMBERS,
  expected: NUMBERS,
  classes: z.record(z.string(), z.int().min(0)).optional(),
});

const FAMILIES = z.record(z.string(), z.object({ samples: FINDINGS, real: FINDINGS }));

/** Checks an `AlternativeScores`. */
const ALTERNATIVE_SCORES = z.object({
  label: z.string(),
  scores: NUMBERS,
  untrained: NUMBERS,
  families: FAMILIES.optional(),
  bitsPerDim: ESTIMATE.optional(),
  error: z.string().optional(),
});

/** Checks a `BoundBasis`. */
const BOUND_BASIS = z.object({
  importanceSamples: z.int().min(1),
  draws: z.int().min(1),
  images: z.int().min(1),
  standardError: z.number().min(0),
  gradientsPerDraw: z.int().min(1).optional(),
});

/** Checks a `Diagnostics`. */
const DIAGNOSTICS = z.object({
  features: z.int().min(1),
  rows: z.int().min(1),
  rank: z.int().min(0),
  leverage: z.object({ mean: z.number(), min: z.number(), max: z.number() }),
  varianceRatio: z.number().nullable(),
  moves: z.int().min(1),
});

const LATENT_MOMENTS = z.object({ energy: z.number().nullable(), trace: z.number().nullable() });

/** Checks a `PriorCheck`. */
const PRIOR_CHECK = z.object({
  count: z.int().min(1),
  posterior: LATENT_MOMENTS,
  negatives: LATENT_MOMENTS,
  longChains: LATENT_MOMENTS,
});

const RANK_TEST = z.object({
  z: z.number(),
  p: z.number().min(0).max(1),
  signP: z.number().min(0).max(1),
  effect: z.number().min(-1).max(1),
  ties: z.int().min(0),
  histogram: z.array(z.number()),
});

const CALIBRATION_TESTS = z.object({
  notFinite: z.int().min(0),
  tests: z.record(z.string(), RANK_TEST).nullable(),
});

/** Checks a `Calibration`. */
const CALIBRATION = z.object({
  images: z.int().min(1),
  priorIsExact: z.boolean(),
  infer: CALIBRATION_TESTS,
  fromTruth: CALIBRATION_TESTS.optional(),
});

/** Checks a `RunCode`. */
export const RUN_CODE = z.object({
  sha256: z.string(),
  parts: z.record(z.string(), z.string()),
  earlier: z.array(z.string()).optional(),
});

const MACHINE = z.object({
  host: z.string().optional(),
  device: z.string(),
  cpu: z.string(),
  cores: z.number(),
  jobs: z.number(),
  os: z.string(),
});

/** Checks a `Segment`. */
export const SEGMENT = z.object({
  epoch: z.int().min(0),
  step: z.int().min(0),
  startedAt: z.iso.datetime(),
  machine: MACHINE,
});

const BASE = z.object({
  schema: z.literal(RECORD_SCHEMA),
  id: z.string().regex(/^[0-9a-f]{12}$/),
  experiment: z.string(),
  spec: RUN_SPEC,
  startedAt: z.iso.datetime(),
  provenance: MACHINE.extend({
    code: RUN_CODE.optional(),
    commit: z.string().nullable(),
    dirty: z.boolean().nullable(),
    lockSha256: z.string(),
    versions: z.record(z.string(), z.string()),
    datasetSha256: z.string(),
    metricSha256: z.record(z.string(), z.string()),
    metricSettings: z.record(z.string(), z.record(z.string(), z.string())).optional(),
  }).nullable(),
  segments: z.array(SEGMENT).optional(),
  seconds: SECONDS,
  epochs: z.array(EPOCH_RECORD),
  crashes: z.array(z.string()).optional(),
});

/** Checks a `RunRecord`. */
export const RUN_RECORD = z.discriminatedUnion("status", [
  BASE.extend({
    status: z.literal("completed"),
    scores: NUMBERS,
    untrained: NUMBERS,
    alternatives: z.record(z.string(), ALTERNATIVE_SCORES).optional(),
    decodedScores: NUMBERS.optional(),
    bounds: z.record(z.string(), BOUND_BASIS).optional(),
    reconstructionError: z.number().min(0).optional(),
    fitError: z.number().min(0).optional(),
    anomaly: z.object({
      heldOut: z.int().min(0),
      averagePrecision: z.number().min(0).max(1),
      chance: z.number().min(0).max(1),
    }).optional(),
    inpainting: z.object({
      images: z.int().min(1),
      hiddenShare: z.number().min(0).max(1),
      squaredError: z.number().min(0),
      floors: z.object({ meanImage: z.number().min(0), blur: z.number().min(0) }),
    }).optional(),
    families: FAMILIES.optional(),
    diagnostics: DIAGNOSTICS.optional(),
    priorCheck: PRIOR_CHECK.optional(),
    chainHealth: z.array(CHAIN_HEALTH).optional(),
    calibration: CALIBRATION.optional(),
  }),
  BASE.extend({
    status: z.literal("diverged"),
    epoch: z.int(),
    metric: z.string(),
    divergence: DIVERGENCE.optional(),
    limit: z.number().optional(),
  }),
  BASE.extend({ status: z.literal("failed"), error: z.string() }),
  BASE.extend({ status: z.literal("interrupted") }),
]);

// Compile-time check that these schemas and the types of types.ts are equal.
type Same<A, B> = [A, B] extends [B, A] ? true : never;
type Mutable<T> = T extends string | number | boolean | null ? T
  : { -readonly [K in keyof T]: Mutable<T[K]> };
true satisfies Same<Mutable<z.infer<typeof RUN_RECORD>>, Mutable<RunRecord>>;
true satisfies Same<z.infer<typeof RUN_SPEC>, Mutable<RunSpec>>;

/** Parses a run spec. Throws SyntaxError for anything else; `what` names the text in the error. */
export function parseSpec(text: string, what: string): RunSpec {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(`${what} is not JSON: ${(error as Error).message}`);
  }
  const result = RUN_SPEC.safeParse(value);
  if (!result.success) {
    throw new SyntaxError(`${what} is not a run spec: ${firstIssue(result.error)}`);
  }
  return result.data;
}

/** Describes the first issue in one line. */
export function firstIssue(error: z.ZodError): string {
  const [issue] = error.issues;
  const message = issue.message.replace(/^Invalid input: (.+), received undefined$/, "missing, $1");
  return `${issue.path.length === 0 ? "it" : excerpt(issue.path.join("."))}: ${excerpt(message)}`;
}

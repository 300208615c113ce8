import type { RunRecord } from "./records.ts";

/** A training step with a metric that is not finite or beyond its limit. */
export interface StepAtFault {
  /** Of the step, from 0. */
  readonly epoch: number;
  /** Its number in the epoch, from 1. */
  readonly step: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** The metrics of the step before it; absent for the first step of an epoch. */
  readonly before?: Readonly<Record<string, number>>;
}

/** Reports a number that is not finite, or beyond the limit that its model declares; the run ends as diverged. */
export class NotFiniteError extends Error {
  override readonly name = "NotFiniteError";
  /** The largest absolute value that it may have; undefined if any finite one may be. */
  readonly limit: number | undefined;
  /** Of a training metric. */
  readonly at: StepAtFault | undefined;
  constructor(
    /** Name of the training metric or score, or `samples`. */
    readonly what: string,
    readonly value: number,
    { limit, at }: { readonly limit?: number; readonly at?: StepAtFault } = {},
  ) {
    super(`${what} became ${value}${limit === undefined ? "" : `, beyond its limit of ${limit}`}`);
    this.limit = limit;
    this.at = at;
  }
}

/** `diverged in epoch 2, step 3: loss was not finite`; without the step if training had ended. */
export function describeDivergence(
  { epoch, metric, limit, divergence }: Pick<
    Extract<RunRecord, { status: "diverged" }>,
    "epoch" | "metric" | "limit" | "divergence"
  >,
): string {
  const step = divergence === undefined ? "" : `, step ${divergence.step}`;
  const how = limit === undefined ? "was not finite" : `was beyond its limit of ${limit}`;
  return `diverged in epoch ${epoch + 1}${step}: ${metric} ${how}`;
}

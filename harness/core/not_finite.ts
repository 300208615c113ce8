/** The training step with a metric that is not finite, or beyond its limit. */
export interface StepAtFault {
  /** Its number in the epoch, from 1. */
  readonly step: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** The metrics of the step before it; absent for the first step since training started or went on. */
  readonly before?: Readonly<Record<string, number>>;
}

/** Reports a number that is not finite, or beyond the limit that its model declares; the run ends as diverged. */
export class NotFiniteError extends Error {
  override readonly name = "NotFiniteError";
  constructor(
    /** Name of the training metric or score, or `samples`. */
    readonly what: string,
    readonly value: number,
    /** The largest absolute value that it may have; absent if any finite one may be. */
    readonly limit?: number,
    /** Of a training metric. */
    readonly at?: StepAtFault,
  ) {
    super(`${what} became ${value}${limit === undefined ? "" : `, beyond its limit of ${limit}`}`);
  }
}

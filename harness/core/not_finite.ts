/** Reports a number that is not finite, or beyond the limit that its model declares; the run ends as diverged. */
export class NotFiniteError extends Error {
  override readonly name = "NotFiniteError";
  constructor(
    /** Name of the training metric or score, or `samples`. */
    readonly what: string,
    readonly value: number,
    /** The largest absolute value that it may have; absent if any finite one may be. */
    readonly limit?: number,
  ) {
    super(`${what} became ${value}${limit === undefined ? "" : `, beyond its limit of ${limit}`}`);
  }
}

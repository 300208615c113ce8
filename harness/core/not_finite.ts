/** A number that should be finite is not: the run ends as diverged, with this name. */
export class NotFiniteError extends Error {
  override readonly name = "NotFiniteError";
  constructor(
    /** The metric or score, or `samples`. */
    readonly what: string,
    readonly value: number,
  ) {
    super(`${what} became ${value}`);
  }
}

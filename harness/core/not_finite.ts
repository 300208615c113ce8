/** Reports a number that is not finite; the run ends as diverged. */
export class NotFiniteError extends Error {
  override readonly name = "NotFiniteError";
  constructor(
    /** Name of the training metric or score, or `samples`. */
    readonly what: string,
    readonly value: number,
  ) {
    super(`${what} became ${value}`);
  }
}

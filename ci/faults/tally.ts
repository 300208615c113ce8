/** Counts of a fault campaign: all but the first are zero where nothing is lost. */
export interface Tally {
  /** Faults injected. */
  readonly faults: number;
  /** Runs without a completed record, although the sweep was called again. */
  readonly runsLost: number;
  /** Records that were there before a fault and are not there, or not whole, after the repair. */
  readonly recordsLost: number;
  /** Completed records of one run beyond the first. */
  readonly duplicates: number;
  /** Runs whose scores, training metrics or weights differ from those of an undisturbed sweep; damage taken for data. */
  readonly different: number;
  /** Processes that outlive their parent. */
  readonly orphans: number;
}

/** Nothing happened. */
export const NOTHING: Tally = {
  faults: 0,
  runsLost: 0,
  recordsLost: 0,
  duplicates: 0,
  different: 0,
  orphans: 0,
};

/** The sum of `tallies`, of which absent counts are zero. */
export function sumTallies(tallies: readonly Partial<Tally>[]): Tally {
  const sum: Record<keyof Tally, number> = { ...NOTHING };
  for (const tally of tallies) {
    for (const name of Object.keys(NOTHING) as (keyof Tally)[]) sum[name] += tally[name] ?? 0;
  }
  return sum;
}

/** Whether nothing was lost. */
export function isSound({ faults: _, ...losses }: Tally): boolean {
  return Object.values(losses).every((count) => count === 0);
}

import type { Seconds } from "./types.ts";

/** The clocks of a run. */
export type Clock = keyof Seconds;

/** Time that is always on exactly one clock: clocks cannot overlap, and their sum is the whole. */
export interface Stopwatch {
  /** Stops the running clock and starts `clock`. */
  switchTo(clock: Clock): void;
  /** Seconds on every clock up to now. */
  read(): Seconds;
}

/** A stopwatch on the clock `other`, counting on from `before`. `now` gives milliseconds. */
export function startStopwatch(
  { before = { train: 0, sample: 0, score: 0, other: 0 }, now = () => performance.now() }: {
    readonly before?: Seconds;
    readonly now?: () => number;
  } = {},
): Stopwatch {
  const seconds: Record<Clock, number> = { ...before };
  let running: Clock = "other";
  let since = now();
  const settle = () => {
    const at = now();
    seconds[running] += (at - since) / 1000;
    since = at;
  };
  return {
    switchTo(clock) {
      settle();
      running = clock;
    },
    read() {
      settle();
      return { ...seconds };
    },
  };
}

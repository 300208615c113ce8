import type { Seconds } from "./records.ts";

/** The clocks of a run. */
export type Clock = keyof Seconds;

/** A stopwatch with several clocks, exactly one of which runs at any time, so that their sum is the elapsed time. */
export interface Stopwatch {
  /** Stops the running clock and starts `clock`. */
  switchTo(clock: Clock): void;
  /** Reads the seconds on every clock. */
  read(): Seconds;
}

/** Starts a stopwatch on the clock `other`, continuing from `before`. `now` returns milliseconds. */
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

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

/** Starts a stopwatch on the clock `other`, continuing from `before`. `now` returns milliseconds; `since` is the start by it. */
export function startStopwatch(
  {
    before = { train: 0, sample: 0, score: 0, other: 0 },
    now = () => performance.now(),
    since = now(),
  }: {
    readonly before?: Seconds;
    readonly now?: () => number;
    readonly since?: number;
  } = {},
): Stopwatch {
  const seconds: Record<Clock, number> = { ...before };
  let running: Clock = "other";
  let last = since;
  const settle = () => {
    const at = now();
    seconds[running] += (at - last) / 1000;
    last = at;
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

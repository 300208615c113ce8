import { openLiveLine } from "../core/live_line.ts";

/** A line on the terminal with the progress of a long task. Silent if the output is not a terminal. */
export interface ProgressBar extends Disposable {
  /** `of` is null if the total is unknown; `what` replaces the label from now on and restarts the clock. */
  update(done: number, of: number | null, what?: string): void;
}

/** Minimum number of seconds between two updates. */
const INTERVAL = 0.2;
const WIDTH = 24;

/** Opens a bar with a label on `output`; disposal removes it. */
export function openProgressBar(
  label: string,
  {
    output = Deno.stderr,
    now = () => performance.now() / 1000,
  }: {
    readonly output?: { isTerminal(): boolean; writeSync(bytes: Uint8Array): number };
    readonly now?: () => number;
  } = {},
): ProgressBar {
  const line = openLiveLine(output);
  let started = now();
  let current = label;
  let last = -Infinity;
  return {
    update(done, of, what = current) {
      if (what !== current) {
        current = what;
        started = now();
      }
      if (now() - last < INTERVAL && done !== of) return;
      last = now();
      line.show(`${current} ${describe(done, of, now() - started)}`);
    },
    [Symbol.dispose]() {
      line.clear();
    },
  };
}

/** Formats progress such as `[######------] 50/100, 12/s, 4 s left`. */
export function describe(done: number, of: number | null, seconds: number): string {
  const rate = seconds > 0 ? done / seconds : 0;
  const pace = `${rate >= 10 ? Math.round(rate).toLocaleString("en") : rate.toPrecision(2)}/s`;
  if (of === null) return `${done.toLocaleString("en")}, ${pace}`;
  const filled = Math.round(WIDTH * Math.min(done / of, 1));
  const bar = "#".repeat(filled) + "-".repeat(WIDTH - filled);
  const left = rate === 0 ? "" : `, ${Math.ceil((of - done) / rate)} s left`;
  return `[${bar}] ${done.toLocaleString("en")}/${of.toLocaleString("en")}, ${pace}${left}`;
}

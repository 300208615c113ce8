import { openLiveLine } from "../core/live_line.ts";

/** One line on the terminal that shows how far a long work is. Says nothing where output is no terminal. */
export interface ProgressBar extends Disposable {
  /** `of` is null when the end is not known; `what` replaces the label from here on, and starts the clock anew. */
  update(done: number, of: number | null, what?: string): void;
}

/** Seconds between two updates. */
const INTERVAL = 0.2;
const WIDTH = 24;

/** A bar with the words `label` before it, on `output`; removed when disposed. */
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
  let words = label;
  let last = -Infinity;
  return {
    update(done, of, what = words) {
      if (what !== words) {
        words = what;
        started = now();
      }
      if (now() - last < INTERVAL && done !== of) return;
      last = now();
      line.show(`${words} ${describe(done, of, now() - started)}`);
    },
    [Symbol.dispose]() {
      line.clear();
    },
  };
}

/** `[######------] 50/100, 12/s, 4 s left`. */
export function describe(done: number, of: number | null, seconds: number): string {
  const rate = seconds > 0 ? done / seconds : 0;
  const pace = `${rate >= 10 ? Math.round(rate).toLocaleString("en") : rate.toPrecision(2)}/s`;
  if (of === null) return `${done.toLocaleString("en")}, ${pace}`;
  const filled = Math.round(WIDTH * Math.min(done / of, 1));
  const bar = "#".repeat(filled) + "-".repeat(WIDTH - filled);
  const left = rate === 0 ? "" : `, ${Math.ceil((of - done) / rate)} s left`;
  return `[${bar}] ${done.toLocaleString("en")}/${of.toLocaleString("en")}, ${pace}${left}`;
}

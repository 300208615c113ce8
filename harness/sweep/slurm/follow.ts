/**
 * Follows a submitted sweep until no run of it is in the queue.
 *
 * @module
 */
import { openLiveLine } from "../../core/live_line.ts";
import { plainText } from "../../core/plain_text.ts";
import { formatDuration } from "../../experiment/estimate.ts";
import { findRecords } from "../collect.ts";
import { describeOutcome, describeRun } from "../progress.ts";
import { countStates, readStatus } from "../run_status.ts";
import { readResults } from "../store.ts";
import { readQueue } from "./queue.ts";

/** Seconds between two looks at the queue and the folders. */
const POLL_SECONDS = 15;

/**
 * Prints how each of the runs `ids` of the folder `out` ends, and what is left, until none is queued. Resolves to false if
 * `signal` ended it before; the runs go on.
 */
export async function follow(
  out: string,
  { ids, signal }: { readonly ids: readonly string[]; readonly signal: AbortSignal },
): Promise<boolean> {
  const own = new Set(ids);
  const known = [...(await readResults(out)).records];
  const start = performance.now();
  using line = openLiveLine();
  let shown = "";
  let ended = 0;
  while (!signal.aborted) {
    const queue = await readQueue(out); // before the records, so that none is missed at the end
    const { records } = await findRecords(out, known);
    known.push(...records);
    for (const record of records.filter(({ id }) => own.has(id))) {
      line.clear();
      ended++;
      console.error(
        plainText(`[${ended}/${own.size}] ${describeRun(record.spec)}: ${describeOutcome(record)}`),
      );
    }
    const left = queue === undefined ? own.size : ids.filter((id) => queue.has(id)).length;
    if (left === 0) return true;
    const runs = (await readStatus(out)).runs.filter(({ id }) => own.has(id));
    const pace = (performance.now() - start) / 1000 / ended;
    const rest = ended === 0 ? "" : `, about ${formatDuration(pace * left)} left`;
    const text = countStates(runs);
    line.show(text + rest);
    if (!Deno.stderr.isTerminal() && text !== shown) console.error(text + rest);
    shown = text;
    await sleep(POLL_SECONDS * 1000, signal);
  }
  return false;
}

/** Waits for `milliseconds`, or until `signal` is aborted. */
function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener("abort", end);
  });
}

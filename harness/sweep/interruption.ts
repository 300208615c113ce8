/**
 * Signals that end a sweep.
 *
 * @module
 */
import { hasTerminal } from "../run/stop_requests.ts";

/** The end of a sweep by signals, while it is listened for. */
export interface Interruption extends Disposable {
  /** Aborted by the first signal: runs save a checkpoint and end. */
  readonly stop: AbortSignal;
  /** Aborted by the second Ctrl-C: runs end at once. */
  readonly kill: AbortSignal;
  /** The first signal; undefined before one. */
  readonly by: Deno.Signal | undefined;
  /** Milliseconds that runs have to save their checkpoints. */
  readonly grace: number;
}

/** Milliseconds to save a checkpoint: after Ctrl-C a user waits; schedulers kill a job 30 s after SIGTERM. */
const GRACE = { SIGINT: 800, other: 20_000 } as const;

/** Listens for SIGINT, SIGTERM, SIGUSR1 and, on a terminal, SIGHUP. */
export function listenForInterruption(): Interruption {
  const [stop, kill] = [new AbortController(), new AbortController()];
  let by: Deno.Signal | undefined;
  const names: Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT"]
    : ["SIGINT", "SIGTERM", "SIGUSR1", ...hasTerminal() ? ["SIGHUP"] as const : []];
  const listeners = names.map((name) => {
    const listener = () => {
      if (name === "SIGINT" && by === "SIGINT") kill.abort();
      by ??= name;
      stop.abort();
    };
    Deno.addSignalListener(name, listener);
    return [name, listener] as const;
  });
  return {
    stop: stop.signal,
    kill: kill.signal,
    get by() {
      return by;
    },
    get grace() {
      return by === "SIGINT" ? GRACE.SIGINT : GRACE.other;
    },
    [Symbol.dispose]() {
      for (const [name, listener] of listeners) Deno.removeSignalListener(name, listener);
    },
  };
}

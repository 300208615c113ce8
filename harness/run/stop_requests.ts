/**
 * Requests to a run to save a checkpoint and end: signals, and the end of the process that started it.
 *
 * @module
 */

/** A request to stop, as the reason of an AbortSignal. Its message is a clause: `by SIGTERM`. */
export class StopRequest extends Error {
  override readonly name = "StopRequest";
}

/** Requests to stop this process. */
export interface StopRequests extends Disposable {
  /** Aborted at the first request, with a StopRequest as its reason. */
  readonly signal: AbortSignal;
  /** Makes a request. */
  request(why: string): void;
}

/** Milliseconds between two looks at the parent process. */
const PARENT_INTERVAL = 250;

/**
 * Listens for requests to stop: SIGTERM, SIGUSR1, SIGHUP, and the end of the process `parent`, if given, which started this
 * one. With a parent, Ctrl-C and the end of the terminal are its business, and are ignored here; without one, Ctrl-C ends
 * the process at once.
 */
export function listenForStops(parent: number | undefined): StopRequests {
  const controller = new AbortController();
  const request = (why: string) => controller.abort(new StopRequest(why));
  const listeners: [Deno.Signal, () => void][] = Deno.build.os === "windows"
    ? (parent === undefined ? [] : [["SIGINT", () => {}]])
    : [
      ["SIGTERM", () => request("by SIGTERM")],
      ["SIGUSR1", () => request("by SIGUSR1")],
      ...parent === undefined
        ? (hasTerminal() ? [["SIGHUP", () => request("by SIGHUP")] as const] : [])
        : [["SIGINT", () => {}] as const, ["SIGHUP", () => {}] as const],
    ].map(([signal, listener]) => [signal as Deno.Signal, listener as () => void]);
  for (const [signal, listener] of listeners) Deno.addSignalListener(signal, listener);
  const timer = parent === undefined ? undefined : setInterval(() => {
    if (Deno.ppid !== parent) request("because the process that started it is gone");
  }, PARENT_INTERVAL);
  return {
    signal: controller.signal,
    request,
    [Symbol.dispose]() {
      clearInterval(timer);
      for (const [signal, listener] of listeners) Deno.removeSignalListener(signal, listener);
    },
  };
}

/**
 * Whether a standard stream is a terminal, whose end sends SIGHUP. Without one the signal keeps its default, so that a process
 * started with nohup goes on ignoring it.
 */
export function hasTerminal(): boolean {
  return [Deno.stdin, Deno.stdout, Deno.stderr].some((stream) => stream.isTerminal());
}

/** Exit codes of the command line. @module */

/** The work failed. */
export const FAILED = 1;
/** The arguments were wrong. */
export const MISUSED = 2;
/** A run was asked to stop and saved a checkpoint: starting it again continues there. EX_TEMPFAIL of BSD's sysexits.h. */
export const CHECKPOINTED = 75;
/** Ctrl-C, as in shells: 128 + SIGINT. */
export const INTERRUPTED = 130;

/** The exit code after the signal `by`; undefined after none. */
export function exitCodeOf(by: Deno.Signal | undefined): number | undefined {
  return by === undefined ? undefined : by === "SIGINT" ? INTERRUPTED : CHECKPOINTED;
}

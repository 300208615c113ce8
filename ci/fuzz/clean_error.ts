/** Errors that a reader throws on purpose. @module */

/** Kinds that say something about the file. */
const KINDS = ["SyntaxError", "RangeError", "Error", "UsageError", "BaselineError"];

/** Messages of engines and libraries that are about the program, not about the file. */
const ENGINE =
  /call stack|invalid (typed )?array length|allocation failed|offset is outside|byte length of|is not (a function|iterable|defined)|cannot (read|set|mix|convert) |\bundefined\b|maximum bigint|invalid string length|suppressed|unwrap|panicked/i;

/** Longest message, in characters. */
const LONGEST = 1000;

/** Why `error` is no clean error about a file; null if it is one. */
export function judgeError(error: unknown): string | null {
  if (!(error instanceof Error)) return `threw no error: ${String(error)}`;
  const shown = `${error.name}: ${error.message.slice(0, 200)}`;
  if (!KINDS.includes(error.name)) return shown;
  if (ENGINE.test(error.message)) return shown;
  if (error.message.length > LONGEST) {
    return `a message of ${error.message.length} characters: ${shown}`;
  }
  return null;
}

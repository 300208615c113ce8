/** A mistake in the words of the command line: shown as one line, exit code 2, nothing written. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The error for a word that is not in its list: names the list, and the nearest word if one is near. */
export function unknownWord(kind: string, word: string, known: readonly string[]): UsageError {
  const near = nearestWord(word, known);
  const hint = near === undefined ? "" : `; did you mean "${near}"?`;
  return new UsageError(
    `Unknown ${kind} "${word}": known ${plural(kind)} are ${known.join(", ")}${hint}`,
  );
}

/** `data set` to `data sets`, `hyperparameter of lae` to `hyperparameters of lae`. */
function plural(kind: string): string {
  return kind.replace(/^(.*?)(?= of |$)/, "$1s");
}

/** The word of `known` within two edits of `word`, the first of the closest; undefined if none is near. */
export function nearestWord(word: string, known: readonly string[]): string | undefined {
  const limit = Math.min(2, word.length - 1);
  const distances = known.map((candidate) => editDistance(word, candidate));
  const best = Math.min(...distances);
  return best <= limit ? known[distances.indexOf(best)] : undefined;
}

/** Insertions, deletions, substitutions and swaps of neighbours between two words (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = rows[i - 1][j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = swapped ? rows[i - 2][j - 2] + 1 : Infinity;
      row.push(Math.min(substitution, swap, rows[i - 1][j] + 1, row[j - 1] + 1));
    }
    rows.push(row);
  }
  return rows[a.length][b.length];
}

/** `a,b` to its words; each must be one of `known`, none may be missing. Keeps the order, drops repeats. */
export function parseNames(
  text: string,
  { kind, known }: { readonly kind: string; readonly known: readonly string[] },
): string[] {
  const names = text.split(",").map((name) => name.trim()).filter((name) => name !== "");
  if (names.length === 0) {
    throw new UsageError(`No ${kind} named in "${text}": known ones are ${known.join(", ")}`);
  }
  for (const name of names) if (!known.includes(name)) throw unknownWord(kind, name, known);
  return [...new Set(names)];
}

/** Most seeds that one experiment may ask for: more is a slip of the keyboard. */
const SEED_LIMIT = 1000;

/** `0..2` or `0,1,2` or a mixture to seeds, without repeats. Both ends of a range count. */
export function parseSeeds(text: string): number[] {
  const seeds: number[] = [];
  for (const part of text.split(",")) {
    const match = /^\s*(\d{1,15})(?:\.\.(\d{1,15}))?\s*$/.exec(part);
    if (!match) {
      throw new UsageError(`Unknown seeds "${text}": write 0..2, or 0,1,2, or a single number`);
    }
    const first = Number(match[1]);
    const last = match[2] === undefined ? first : Number(match[2]);
    if (last < first) throw new UsageError(`Seeds "${part.trim()}" run backwards`);
    if (last - first >= SEED_LIMIT) {
      throw new UsageError(`Seeds "${part.trim()}" are more than ${SEED_LIMIT}`);
    }
    for (let seed = first; seed <= last; seed++) seeds.push(seed);
  }
  return [...new Set(seeds)];
}

/** A whole number of at least 1. `what` names it in the error. */
export function parseCount(text: string, what: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < 1) {
    throw new UsageError(`${what} "${text}" is not a whole number of at least 1`);
  }
  return value;
}

/** One `--set`: a hyperparameter of a method, or of every method (`*`), as text. */
export interface Setting {
  readonly method: string;
  readonly key: string;
  readonly value: string;
}

/** `lae.stepSize=1e-4` or `*.width=0.5` to its parts. */
export function parseSetting(text: string): Setting {
  const match = /^(\*|\w+)\.(\w+)=(.*)$/s.exec(text);
  if (!match) {
    throw new UsageError(
      `Unknown setting "${text}": write METHOD.KEY=VALUE, as in lae.stepSize=1e-4, or *.KEY=VALUE`,
    );
  }
  const [, method, key, value] = match;
  return { method, key, value };
}

/** `text` as a value of the type of `like`: the type of a hyperparameter is that of its default. */
export function parseValue(
  text: string,
  { name, like }: { readonly name: string; readonly like: number | string | boolean },
): number | string | boolean {
  const wrong = (wanted: string) =>
    new UsageError(`Hyperparameter ${name} is ${wanted} (default ${like}), got "${text}"`);
  switch (typeof like) {
    case "boolean":
      if (text !== "true" && text !== "false") throw wrong("true or false");
      return text === "true";
    case "number": {
      const value = text.trim() === "" ? NaN : Number(text);
      if (!Number.isFinite(value)) throw wrong("a finite number");
      return value;
    }
    case "string":
      return text;
  }
}

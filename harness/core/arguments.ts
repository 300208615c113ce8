/** A mistake in command-line arguments: reported in one line with exit code 2, before any file is written. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The error for an unknown name: lists the known ones and suggests the nearest, if one is near. */
export function unknownName(kind: string, name: string, known: readonly string[]): UsageError {
  const near = nearestName(name, known);
  const hint = near === undefined ? "" : `; did you mean "${near}"?`;
  return new UsageError(
    `Unknown ${kind} "${name}": known ${plural(kind)} are ${known.join(", ")}${hint}`,
  );
}

/** Forms the plural: `data sets` of `data set`, `hyperparameters of lae` of `hyperparameter of lae`, `rules or methods`. */
function plural(kind: string): string {
  return kind.split(" or ")
    .map((one) => one.replace(/^(.*?)(?= of |$)/, "$1s").replace(/ys$/, "ies")).join(" or ");
}

/** The first of the names of `known` closest to `name`, if it is within two edits; undefined otherwise. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const limit = Math.min(2, name.length - 1);
  const distances = known.map((candidate) => editDistance(name, candidate));
  const best = Math.min(...distances);
  return best <= limit ? known[distances.indexOf(best)] : undefined;
}

/** Edit distance that counts insertions, deletions, substitutions and swaps of neighbours (optimal string alignment). */
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

/** Parses `a,b` to distinct names in order. Throws UsageError if there are none or one is not in `known`. */
export function parseNames(
  text: string,
  { kind, known }: { readonly kind: string; readonly known: readonly string[] },
): string[] {
  const names = text.split(",").map((name) => name.trim()).filter((name) => name !== "");
  if (names.length === 0) {
    throw new UsageError(
      `"${text}" does not name a ${kind}: known ${plural(kind)} are ${known.join(", ")}`,
    );
  }
  for (const name of names) if (!known.includes(name)) throw unknownName(kind, name, known);
  return [...new Set(names)];
}

/** Maximum number of seeds in a range; a larger range is a typing error. */
const SEED_LIMIT = 1000;

/** Parses `0..2`, `0,1,2` or a mixture to distinct seeds; ranges include both ends. Throws UsageError otherwise. */
export function parseSeeds(text: string): number[] {
  const seeds: number[] = [];
  for (const part of text.split(",")) {
    const match = /^\s*(\d{1,15})(?:\.\.(\d{1,15}))?\s*$/.exec(part);
    if (!match) {
      throw new UsageError(`Unknown seeds "${text}": write 0..2, or 0,1,2, or a single number`);
    }
    const first = Number(match[1]);
    const last = match[2] === undefined ? first : Number(match[2]);
    if (last < first) {
      throw new UsageError(
        `Range of seeds "${part.trim()}" is empty: write the smaller number first`,
      );
    }
    if (last - first >= SEED_LIMIT) {
      throw new UsageError(
        `Range of seeds "${part.trim()}" is too long: at most ${SEED_LIMIT} seeds`,
      );
    }
    for (let seed = first; seed <= last; seed++) seeds.push(seed);
  }
  return [...new Set(seeds)];
}

/** Parses an integer >= 1; `what` names it in the UsageError. */
export function parseCount(text: string, what: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < 1) {
    throw new UsageError(`${what} must be an integer >= 1, got "${text}"`);
  }
  return value;
}

/** Parses a seed, an integer in [0, 10^9); `what` names it in the UsageError. */
export function parseSeed(text: string, what: string): number {
  if (!/^\d{1,9}$/.test(text)) {
    throw new UsageError(`${what} must be one integer in [0, 10^9), got "${text}"`);
  }
  return Number(text);
}

/** Parses a finite decimal number such as 12, -0.5 or 1e-4; undefined for other text, such as 0x10. */
export function parseDecimal(text: string): number | undefined {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** Parses a number of seconds >= 0; `what` names it in the UsageError. */
export function parseSeconds(text: string, what: string): number {
  const value = parseDecimal(text);
  if (value === undefined || value < 0) {
    throw new UsageError(`${what} must be a number of seconds >= 0, got "${text}"`);
  }
  return value;
}

/** An argument of `--set`: a hyperparameter of one method or of every method (`*`), and its value as text. */
export interface Setting {
  readonly method: string;
  readonly key: string;
  readonly value: string;
}

/** Parses `lae.stepSize=1e-4` or `*.width=0.5`. Throws UsageError otherwise. */
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

/** Parses `text` as a value of the type of `like`, the default of hyperparameter `name`. Throws UsageError otherwise. */
export function parseValue(
  text: string,
  { name, like }: { readonly name: string; readonly like: number | string | boolean },
): number | string | boolean {
  const wrong = (expected: string) =>
    new UsageError(`Hyperparameter ${name} must be ${expected} (default ${like}), got "${text}"`);
  switch (typeof like) {
    case "boolean":
      if (text !== "true" && text !== "false") throw wrong("true or false");
      return text === "true";
    case "number": {
      const value = parseDecimal(text);
      if (value === undefined) throw wrong("a finite decimal number");
      return value;
    }
    case "string":
      return text;
  }
}

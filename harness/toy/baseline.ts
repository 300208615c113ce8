import { firstIssue } from "../experiment/record_schema.ts";
import { z } from "zod";
import type { ToyRow } from "../core/toy_report.ts";
import type { Hyperparams } from "../core/types.ts";

const numberOrNull = z.number().nullable();
const baselineSchema = z.strictObject({
  schema: z.literal(2),
  seed: z.number().int(),
  /** The defaults of the methods that the chains ran with, by the chain's name. */
  settings: z.record(
    z.string(),
    z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
  ),
  rows: z.array(z.strictObject({
    experiment: z.string(),
    sampler: z.string(),
    metric: z.string(),
    value: numberOrNull,
    exact: numberOrNull,
    error: numberOrNull,
    low: numberOrNull,
    high: numberOrNull,
    verdict: z.enum(["pass", "fail", "shown"]),
  })),
});

/** The rows and settings of an accepted check. */
export type Baseline = z.infer<typeof baselineSchema>;

/** Hyperparameters of chains by the chain's name. */
export type Settings = Readonly<Record<string, Hyperparams>>;

/** The rule of each chain or sampler by its name, for messages. */
export type Rules = ReadonlyMap<string, string>;

/** A baseline that is missing or cannot be read, as opposed to one that samplers differ from. */
export class BaselineError extends Error {
  override readonly name = "BaselineError";
}

/** Reads a baseline. Throws a BaselineError that says what is wrong with it. */
export function parseBaseline(text: string): Baseline {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new BaselineError(
      "The baseline is not JSON: write it again by deno task check --update",
      { cause: error },
    );
  }
  const result = baselineSchema.safeParse(value);
  if (!result.success) {
    throw new BaselineError(
      `The baseline is broken (${
        firstIssue(result.error)
      }): write it again by deno task check --update`,
    );
  }
  return result.data;
}

type Names = Pick<ToyRow, "experiment" | "sampler" | "metric">;

const keyOf = ({ experiment, sampler, metric }: Names) => `${experiment}, ${sampler}: ${metric}`;

/** `bivariate, lebm_posterior (rule langevin): drift`. */
function nameOf({ experiment, sampler, metric }: Names, rules: Rules): string {
  const rule = rules.get(sampler);
  return `${experiment}, ${sampler}${rule === undefined ? "" : ` (rule ${rule})`}: ${metric}`;
}

/** A row or a hyperparameter that is not as it should be. */
export interface Failure {
  /** A sentence with the row, its value and its bound. */
  readonly text: string;
  /** Of a row. */
  readonly names?: Names;
  /** How far the value is off, in standard errors, where that is known. */
  readonly deviation?: number;
}

const ACCEPT = "if it should be, accept it by deno task check --update";

/** Every row that is outside its gate, that drifted from the baseline, or that is missing on either side. */
export function compare(
  rows: readonly ToyRow[],
  { baseline, deviations, rules = new Map() }: {
    readonly baseline: Pick<Baseline, "rows">;
    readonly deviations: number;
    readonly rules?: Rules;
  },
): Failure[] {
  const before = new Map(baseline.rows.map((row) => [keyOf(row), row]));
  const failures = rows.flatMap((row): Failure[] => {
    const old = before.get(keyOf(row));
    before.delete(keyOf(row));
    const found = row.verdict === "fail"
      ? { text: describeFailures([row], rules)[0], deviation: gateDeviation(row) }
      : drift(row, { old, deviations, name: nameOf(row, rules) });
    return found ? [{ ...found, names: namesOf(row) }] : [];
  });
  const unmeasured = [...before.values()].map((row) => ({
    text: `${nameOf(row, rules)} is in the baseline, but was not measured`,
    names: namesOf(row),
  }));
  return [...failures, ...unmeasured];
}

/** How a row differs from the baseline's, if it does. */
function drift(
  row: ToyRow,
  { old, deviations, name }: {
    readonly old: Baseline["rows"][number] | undefined;
    readonly deviations: number;
    readonly name: string;
  },
): Pick<Failure, "text" | "deviation"> | undefined {
  if (!old) {
    return { text: `${name} is not in the baseline: accept it by deno task check --update` };
  }
  const text = `${name} is ${show(row.value)}, its baseline is ${show(old.value)}`;
  if (row.value === null || old.value === null) {
    return row.value === old.value ? undefined : { text: `${text}: ${ACCEPT}` };
  }
  if (row.error === null) return undefined;
  const error = Math.SQRT2 * Math.max(row.error, old.error ?? 0); // of a difference
  const difference = Math.abs(row.value - old.value);
  if (difference <= deviations * error) return undefined;
  return {
    text: `${text} ± ${show(deviations * error)}: ${ACCEPT}`,
    deviation: difference / error,
  };
}

/** How many standard errors a row is from the middle of its gate, or from what independent draws have. */
function gateDeviation({ value, error, exact, low, high }: ToyRow): number | undefined {
  if (value === null) return undefined;
  if (error === null) return low === null ? value : undefined; // in standard errors by itself
  const centre = low !== null && high !== null ? (low + high) / 2 : exact;
  return centre === null ? undefined : Math.abs(value - centre) / error;
}

function namesOf({ experiment, sampler, metric }: Names): Names {
  return { experiment, sampler, metric };
}

/** Every hyperparameter that is not what the baseline was certified with. */
export function compareSettings(
  settings: Settings,
  { baseline, rules = new Map() }: {
    readonly baseline: Pick<Baseline, "settings">;
    readonly rules?: Rules;
  },
): Failure[] {
  const chains = new Set([...Object.keys(settings), ...Object.keys(baseline.settings)]);
  return [...chains].flatMap((chain) => {
    const [now, old] = [settings[chain] ?? {}, baseline.settings[chain] ?? {}];
    const rule = rules.get(chain);
    const name = rule === undefined ? chain : `${chain} (rule ${rule})`;
    return [...new Set([...Object.keys(now), ...Object.keys(old)])]
      .filter((key) => now[key] !== old[key])
      .map((key) => ({
        text: `${name}: ${key} is ${now[key] ?? "missing"}, its baseline is ${
          old[key] ?? "missing"
        }: ${ACCEPT}`,
      }));
  });
}

/** A sentence for each row outside its gate. */
export function describeFailures(rows: readonly ToyRow[], rules: Rules = new Map()): string[] {
  return rows.filter(({ verdict }) => verdict === "fail")
    .map((row) => `${nameOf(row, rules)} is ${show(row.value)}, its bound is ${showBound(row)}`);
}

/** One line for each value that is new, gone or different. */
export function describeChanges(before: Baseline["rows"], after: readonly ToyRow[]): string[] {
  const old = new Map(before.map((row) => [keyOf(row), row.value]));
  const now = new Map(after.map((row) => [keyOf(row), row.value]));
  return [
    ...[...now].flatMap(([name, value]) => {
      const was = old.get(name);
      if (was === undefined) return [`+ ${name} ${show(value)}`];
      return was === value ? [] : [`  ${name} ${show(was)} -> ${show(value)}`];
    }),
    ...[...old].flatMap(([name, value]) => now.has(name) ? [] : [`- ${name} ${show(value)}`]),
  ];
}

function show(value: number | null): string {
  return value === null ? "not finite" : Number(value.toPrecision(4)).toString();
}

function showBound({ low, high }: ToyRow): string {
  if (low !== null && high !== null) return `${show(low)} to ${show(high)}`;
  if (low !== null) return `at least ${show(low)}`;
  return high === null ? "finite" : `at most ${show(high)}`;
}

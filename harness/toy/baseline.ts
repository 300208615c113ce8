import { z } from "zod";
import type { ToyRow } from "../core/toy_report.ts";

const numberOrNull = z.number().nullable();
const baselineSchema = z.strictObject({
  schema: z.literal(1),
  seed: z.number().int(),
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

/** Rows of an earlier check. */
export type Baseline = z.infer<typeof baselineSchema>;

/** Reads a baseline. Throws an Error that says what is wrong with it. */
export function parseBaseline(text: string): Baseline {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(`The baseline is no JSON: write it anew by deno task check --update`, {
      cause: error,
    });
  }
  const result = baselineSchema.safeParse(value);
  if (!result.success) {
    const [{ path, message }] = result.error.issues;
    throw new Error(
      `The baseline is broken at ${
        path.join(".")
      } (${message}): write it anew by deno task check --update`,
    );
  }
  return result.data;
}

const nameOf = (
  { experiment, sampler, metric }: Pick<ToyRow, "experiment" | "sampler" | "metric">,
) => `${experiment}, ${sampler}: ${metric}`;

/** What fails, a sentence each: rows outside their gates, rows that drifted from the baseline, rows that are not there. */
export function compare(
  rows: readonly ToyRow[],
  { baseline, deviations }: { readonly baseline: Baseline; readonly deviations: number },
): string[] {
  const before = new Map(baseline.rows.map((row) => [nameOf(row), row]));
  const failures: string[] = [];
  for (const row of rows) {
    const name = nameOf(row);
    const old = before.get(name);
    before.delete(name);
    if (row.verdict === "fail") {
      failures.push(...describeFailures([row]));
    } else if (!old) {
      failures.push(`${name} is not in the baseline: accept it by deno task check --update`);
    } else if (row.value !== null && old.value !== null && row.error !== null) {
      const room = deviations * Math.SQRT2 * Math.max(row.error, old.error ?? 0);
      if (!(Math.abs(row.value - old.value) <= room)) {
        failures.push(
          `${name} is ${show(row.value)}, its baseline is ${show(old.value)} ± ${
            show(room)
          }: accept it by deno task check --update if it should be`,
        );
      }
    }
  }
  return [
    ...failures,
    ...[...before.keys()].map((name) => `${name} is in the baseline, but was not measured`),
  ];
}

/** A sentence for each row outside its gate. */
export function describeFailures(rows: readonly ToyRow[]): string[] {
  return rows.filter(({ verdict }) => verdict === "fail")
    .map((row) => `${nameOf(row)} is ${show(row.value)}, its bound is ${showBound(row)}`);
}

/** One line for each value that is new, gone or another. */
export function describeChanges(before: Baseline["rows"], after: readonly ToyRow[]): string[] {
  const old = new Map(before.map((row) => [nameOf(row), row.value]));
  const now = new Map(after.map((row) => [nameOf(row), row.value]));
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

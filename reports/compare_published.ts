/**
 * Our numbers beside published ones: comparable only where every condition that the source states, or that its authors
 * started from, is also the run's.
 *
 * @module
 */
import { type Conditions, differences, showCondition } from "./conditions.ts";
import type { Comparison, SeedCell } from "./document/result_table.ts";
import {
  type Fact,
  type Protocol,
  type Published,
  type PublishedRatio,
  type PublishedScore,
  type PublishedTime,
  WITHIN_DEVIATIONS,
} from "./published/protocol.ts";

/** Where a run departs from a protocol, and what the protocol leaves open. */
export interface ProtocolMatch {
  /** A few words each; empty where the run is comparable as far as the source tells. */
  readonly reasons: readonly string[];
  /** Conditions that the source does not state, with what is assumed instead. */
  readonly unknown: readonly string[];
}

/** Compares the conditions of a run with `protocol`. */
export function matchProtocol(conditions: Conditions, protocol: Protocol): ProtocolMatch {
  const known = Object.entries(protocol)
    .filter((entry): entry is [string, Fact] => entry[1] !== null);
  return {
    reasons: departures(conditions, Object.fromEntries(known)),
    unknown: Object.entries(protocol).flatMap(([name, fact]) => {
      if (fact === null) return [name];
      return fact.assumed ? [`${name} (assumed to be ${fact.value}, as in ${fact.from})`] : [];
    }),
  };
}

/** `width 0.25 (1 in Table 2)` for each fact that a run departs from; a run without the condition departs from it. */
export function departures(
  conditions: Conditions,
  facts: Readonly<Record<string, Fact>>,
): string[] {
  const own = Object.keys(facts).map((name) => [name, conditions[name] ?? "absent"]);
  const expected = Object.entries(facts).map(([name, { value }]) => [name, String(value)]);
  return differences(Object.fromEntries(own), Object.fromEntries(expected)).map((
    { name, here, there },
  ) => `${name} ${showCondition(here)} (${there} in ${facts[name].from})`);
}

/** A score beside a published one. */
export function compareScore(
  { mean, std, n }: Pick<SeedCell, "mean" | "std" | "n">,
  { conditions, published }: {
    readonly conditions: Conditions;
    readonly published: PublishedScore;
  },
): Comparison {
  const { reasons, unknown } = matchProtocol(conditions, published.protocol);
  const base = { source: published.source, printed: published.printed, unknown };
  const distance = mean === null || std === null ? null : distanceTo(published, { mean, std });
  if (reasons.length > 0 || distance === null) {
    const tooFew = published.std === null
      ? `${published.source} has one run, and a deviation takes two`
      : `${n === 0 ? "no seed" : "one seed"}, and a deviation takes two`;
    const all = distance === null ? [...reasons, tooFew] : reasons;
    return { ...base, verdict: "not comparable", reasons: all, distance: null };
  }
  const verdict = Math.abs(distance) <= WITHIN_DEVIATIONS ? "within" : "outside";
  return { ...base, verdict, reasons, distance };
}

/** The difference of two means in units of their combined standard deviation, sqrt(s^2 + s'^2); null without a published one. */
function distanceTo(
  published: Published,
  own: { readonly mean: number; readonly std: number },
): number | null {
  if (published.std === null) return null;
  return (own.mean - published.mean) / Math.hypot(own.std, published.std);
}

/** Seconds beside published ones: never comparable where the source does not state its hardware. */
export function compareTime(conditions: Conditions, published: PublishedTime): Comparison {
  const { reasons, unknown } = matchProtocol(conditions, published.protocol);
  const { source, printed } = published;
  return {
    source,
    printed,
    verdict: "not comparable",
    reasons: [...reasons, `${source} does not state its hardware`],
    unknown,
    distance: null,
  };
}

/** A ratio beside the published one: within where the published ratio lies in the range of ours. */
export function compareRatio(
  { range, reasons: why }: {
    readonly range: readonly [number, number] | null;
    /** Why there is no ratio. */
    readonly reasons: readonly string[];
  },
  { conditions, published }: {
    /** Those of the numerator. */
    readonly conditions: Conditions;
    readonly published: PublishedRatio;
  },
): Comparison {
  const { reasons, unknown } = matchProtocol(conditions, published.protocol);
  const tooFew = range === null && why.length === 0 ? ["one run, and a range takes two"] : [];
  const all = [...why, ...reasons, ...departures(conditions, published.chains), ...tooFew];
  const { source, printed, ratio } = published;
  const base = { source, printed, unknown, distance: null };
  if (range === null || all.length > 0) {
    return { ...base, verdict: "not comparable", reasons: all };
  }
  const isWithin = range[0] <= ratio && ratio <= range[1];
  return { ...base, verdict: isWithin ? "within" : "outside", reasons: [] };
}

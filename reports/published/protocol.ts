/**
 * Published numbers and how they were made, as far as their source says.
 *
 * @module
 */

/** A setting, as run specs hold it. */
export type Setting = number | string | boolean;

/** A published mean and standard deviation over seeds. */
export interface Published {
  readonly mean: number;
  /** Null for a single run. */
  readonly std: number | null;
  /** As printed, with its trailing zeros: `106.0 ± 0.5`. */
  readonly printed: string;
}

/** The value of a condition behind a published number. */
export interface Fact {
  readonly value: Setting;
  /** Where the value comes from: `appendix F.3`. */
  readonly from: string;
  /** True where the source does not state the value and `from` is the code that its authors started from. */
  readonly assumed?: boolean;
}

/**
 * The conditions behind a published number. Keys are names of `RunSpec`, of hyperparameters, or, for what no spec
 * holds, plain words such as `reference split`. Null where the source does not say.
 */
export type Protocol = Readonly<Record<string, Fact | null>>;

/**
 * A score is within its published counterpart up to this many combined standard deviations: 95 % of the differences
 * between two draws from one normal distribution are.
 */
export const WITHIN_DEVIATIONS = 2;

/** A published score of a method on a data set. */
export interface PublishedScore extends Published {
  readonly method: string;
  readonly dataset: string;
  readonly metric: string;
  /** As notes name it: `the paper`. */
  readonly source: string;
  readonly protocol: Protocol;
}

/** Seconds of a training epoch as published. */
export interface PublishedTime {
  readonly method: string;
  readonly dataset: string;
  readonly seconds: number;
  readonly printed: string;
  readonly source: string;
  readonly protocol: Protocol;
}

/** A published ratio of the seconds per epoch of two methods. */
export interface PublishedRatio {
  readonly numerator: string;
  readonly denominator: string;
  readonly dataset: string;
  readonly ratio: number;
  readonly printed: string;
  readonly source: string;
  readonly protocol: Protocol;
  /** Chain lengths of the numerator in training, which the ratio grows with: each with its published value. */
  readonly chains: Readonly<Record<string, Fact>>;
}

/** The mean and the deviation in `printed`, as `106.0 ± 0.5`, or `106.0` of one run. Throws SyntaxError for anything else. */
export function readPrinted(printed: string): Published {
  const match = /^(\d+(?:\.\d+)?)(?: ± (\d+(?:\.\d+)?))?$/.exec(printed);
  if (match === null) {
    throw new SyntaxError(`"${printed}" is not of the form "106.0 ± 0.5" or "106.0"`);
  }
  const [, mean, std] = match;
  return { mean: Number(mean), std: std === undefined ? null : Number(std), printed };
}

/** The values of `settings`, all `from` one place. */
export function factsFrom(
  from: string,
  settings: Readonly<Record<string, Setting>>,
): Record<string, Fact> {
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [name, { value, from }]),
  );
}

/** The same for a source that is silent: what its authors started from. */
export function assumedFrom(
  from: string,
  settings: Readonly<Record<string, Setting>>,
): Record<string, Fact> {
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [name, { value, from, assumed: true }]),
  );
}

/** Conditions that the source does not state. */
export function unstated(...names: readonly string[]): Record<string, null> {
  return Object.fromEntries(names.map((name) => [name, null]));
}

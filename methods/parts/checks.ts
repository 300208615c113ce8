/** Narrows `value` to one of `known`. Throws RangeError if it is none of them. */
export function choice<T extends string>(name: string, value: string, known: readonly T[]): T {
  const found = known.find((word) => word === value);
  if (found === undefined) {
    throw new RangeError(`Unknown ${name} "${value}": known values are ${known.join(", ")}`);
  }
  return found;
}

/** Throws RangeError unless each named number is finite and > 0. */
export function checkPositive(numbers: Readonly<Record<string, number>>): void {
  checkEach(numbers, (value) => value > 0, "> 0");
}

/** Throws RangeError unless each named number is finite and >= 0. */
export function checkNotNegative(numbers: Readonly<Record<string, number>>): void {
  checkEach(numbers, (value) => value >= 0, ">= 0");
}

/** Throws RangeError unless each named number is an integer >= `least`. */
export function checkCounts(numbers: Readonly<Record<string, number>>, least: number): void {
  checkEach(
    numbers,
    (value) => Number.isInteger(value) && value >= least,
    `an integer >= ${least}`,
  );
}

function checkEach(
  numbers: Readonly<Record<string, number>>,
  isFit: (value: number) => boolean,
  wanted: string,
): void {
  for (const [name, value] of Object.entries(numbers)) {
    if (!(isFit(value) && Number.isFinite(value))) {
      throw new RangeError(`${name} must be ${wanted}, got ${value}`);
    }
  }
}

/** `value` as one of `known`. Throws RangeError otherwise. */
export function choice<T extends string>(name: string, value: string, known: readonly T[]): T {
  const found = known.find((word) => word === value);
  if (found === undefined) {
    throw new RangeError(`Unknown ${name} "${value}": known words are ${known.join(", ")}`);
  }
  return found;
}

/** Throws RangeError unless each named number is finite and > 0. */
export function checkPositive(numbers: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(numbers)) {
    if (!(value > 0 && Number.isFinite(value))) {
      throw new RangeError(`${name} ${value} is not a positive number`);
    }
  }
}

/** Throws RangeError unless each named number is finite and >= 0. */
export function checkNotNegative(numbers: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(numbers)) {
    if (!(value >= 0 && Number.isFinite(value))) {
      throw new RangeError(`${name} ${value} is a negative number or none`);
    }
  }
}

/** Throws RangeError unless each named number is an integer >= `least`. */
export function checkCounts(numbers: Readonly<Record<string, number>>, least: number): void {
  for (const [name, value] of Object.entries(numbers)) {
    if (!Number.isInteger(value) || value < least) {
      throw new RangeError(`${name} ${value} is not an integer of at least ${least}`);
    }
  }
}

import type { ArraySpec } from "../../core/types.ts";

/** Throws TypeError naming the first array of `actual` that is missing or differs from `specs`; `kind` is its noun. */
export function checkSpecs(
  kind: string,
  actual: Readonly<Record<string, ArraySpec>>,
  specs: Readonly<Record<string, ArraySpec>>,
): void {
  for (const [name, { shape, dtype }] of Object.entries(specs)) {
    const array = actual[name];
    if (!array || array.dtype !== dtype || array.shape.join() !== shape.join()) {
      throw new TypeError(
        `The ${kind} "${name}" must be ${dtype} [${shape}], got ${
          array ? `${array.dtype} [${array.shape}]` : "nothing"
        }`,
      );
    }
  }
}

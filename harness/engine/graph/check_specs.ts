import type { ArraySpec } from "../../core/types.ts";

/** Throws TypeError, naming the first `kind` of array in `actual` that is missing or not as `specs` say. */
export function checkSpecs(
  kind: string,
  actual: Readonly<Record<string, ArraySpec>>,
  specs: Readonly<Record<string, ArraySpec>>,
): void {
  for (const [name, { shape, dtype }] of Object.entries(specs)) {
    const array = actual[name];
    if (!array || array.dtype !== dtype || array.shape.join() !== shape.join()) {
      throw new TypeError(
        `The ${kind} "${name}" should be ${dtype} [${shape}], it is ${
          array ? `${array.dtype} [${array.shape}]` : "missing"
        }`,
      );
    }
  }
}

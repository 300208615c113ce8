/**
 * Splits elementwise updates of large state, such as an optimizer's, into pieces that stay in the cache from the first
 * operation to the last. State and noise are in host memory, so a piece of them is a view without a copy; other
 * operands (gradients) are cut by one copy.
 *
 * @module
 */
import type { Builder } from "./builder.ts";
import { isElementwise, sameShape, sizeOf, type Value } from "./graph.ts";
import { schedule } from "./loops.ts";

/** Elements per piece, 1 MB: smaller pieces cost more in calls than they save in memory traffic (measured). */
export const PIECE_ELEMENTS = 1 << 18;

/** Replaces each target with a large elementwise update by flat pieces, in order; any other becomes one piece, itself. */
export function splitState(
  builder: Builder,
  targets: readonly Value[],
  { elements = PIECE_ELEMENTS }: { readonly elements?: number } = {},
): Value[][] {
  const made = new Map<Value, Value[]>();
  return targets.map((target) => {
    const interior = elementwiseUpdate(target);
    if (sizeOf(target.shape) < 2 * elements || interior.size < 3) return [target];
    const size = sizeOf(target.shape);
    const offsets = Array.from({ length: Math.ceil(size / elements) }, (_, i) => i * elements);
    const pieces = (value: Value): Value[] => {
      let known = made.get(value);
      if (!known) {
        known = interior.has(value)
          ? rebuilt(value)
          : offsets.map((offset) =>
            piece(builder, value, { offset, size: Math.min(elements, size - offset) })
          );
        made.set(value, known);
      }
      return known;
    };
    const rebuilt = (value: Value): Value[] => {
      const inputs = value.inputs.map((v) => sizeOf(v.shape) === 1 ? undefined : pieces(v));
      return offsets.map((offset, i) =>
        builder.rebuild(
          { ...value, shape: [Math.min(elements, size - offset)] },
          value.inputs.map((v, j) => inputs[j]?.[i] ?? builder.reshape(v, [])),
        )
      );
    };
    for (const value of schedule([target])) if (interior.has(value)) pieces(value); // in topological order, which bounds the recursion depth
    return pieces(target);
  });
}

/** The elementwise operations of the target's shape that lead to it, with operands of that shape or scalars. */
function elementwiseUpdate(target: Value): Set<Value> {
  const interior = new Set<Value>();
  const stack = [target];
  for (let value = stack.pop(); value; value = stack.pop()) {
    if (interior.has(value) || !isElementwise(value) || !sameShape(value.shape, target.shape)) {
      continue;
    }
    if (!value.inputs.every((v) => sizeOf(v.shape) === 1 || sameShape(v.shape, target.shape))) {
      continue;
    }
    interior.add(value);
    stack.push(...value.inputs);
  }
  return interior;
}

/** `size` elements of `value`, flat, starting at `offset`. */
function piece(
  b: Builder,
  value: Value,
  { offset, size }: { offset: number; size: number },
): Value {
  let source = value;
  while (source.op === "reshape") [source] = source.inputs;
  if (source.op === "input" || source.op === "noise") return b.view(source, { offset, size });
  const [, columns] = source.shape;
  if (
    source.op === "matmul" && source.shape.length === 2 && source.transposeA &&
    offset % columns === 0 && size % columns === 0
  ) {
    // Whole rows of A'B from columns of A, so that the whole product is never stored.
    const [a, right] = source.inputs;
    const left = b.slice(a, { begin: [0, offset / columns], size: [a.shape[0], size / columns] });
    return b.reshape(b.matmul(left, right, source), [size]);
  }
  return b.slice(b.reshape(value, [sizeOf(value.shape)]), { begin: [offset], size: [size] });
}

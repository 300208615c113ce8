/** The scopes of a graph: which values a loop reads from outside, and which it computes in each iteration. @module */
import type { Value } from "./graph.ts";

/** A loop of the graph. */
export type Loop = Value & { readonly op: "loop" };

/** Values on which `results` depend, in topological order, without those that are known or computed only inside loops. */
export function schedule(
  results: readonly Value[],
  isKnown: (value: Value) => boolean = () => false,
): Value[] {
  const seen = new Set<Value>();
  const stack = [...results];
  for (let value = stack.pop(); value; value = stack.pop()) {
    if (seen.has(value) || isKnown(value)) continue;
    seen.add(value);
    stack.push(...usedBy(value));
  }
  return [...seen].sort((a, b) => a.id - b.id);
}

/** The inputs of `value`, and of a loop what its body captures. */
function usedBy(value: Value): readonly Value[] {
  return value.op === "loop" ? [...value.inputs, ...capturedBy(value)] : value.inputs;
}

/** A loop's values by their side. */
interface Sides {
  readonly inside: ReadonlySet<Value>;
  readonly captured: readonly Value[];
}

const sides = new WeakMap<Loop, Sides>();

/** Values outside a loop that its body reads, without literals. A value that depends on no parameter is outside. */
export function capturedBy(loop: Loop): readonly Value[] {
  return sidesOf(loop).captured;
}

/** The parameters of a loop's body and the values that depend on them, each after those that it reads. */
export function insideOf(loop: Loop): readonly Value[] {
  return [...sidesOf(loop).inside].sort((a, b) => a.id - b.id);
}

function sidesOf(loop: Loop): Sides {
  let found = sides.get(loop);
  if (!found) {
    const { carried, each, outputs } = loop.body;
    const inside = new Set<Value>([...carried, ...each]);
    for (const value of schedule(outputs)) {
      if (usedBy(value).some((v) => inside.has(v))) inside.add(value);
    }
    const read = new Set([...outputs, ...[...inside].flatMap(usedBy)]);
    const captured = [...read].filter((v) => !inside.has(v) && v.op !== "constant");
    sides.set(loop, found = { inside, captured });
  }
  return found;
}

import type { Builder } from "./builder.ts";
import type { Value } from "./graph.ts";
import { type Loop, schedule } from "./loops.ts";

/** Iterations up to which a loop is unrolled: its first one is taken out anyway. */
const SHORT = 2;

/**
 * Rewrites the loops on which `outputs` depend so that nothing is computed twice: the first iteration is taken out, because it
 * may share values with other parts of the graph, and values that the body returns unchanged are not carried.
 */
export function rewriteLoops(builder: Builder, outputs: readonly Value[]): Value[] {
  const results = new Map<Value, readonly Value[]>(); // loop -> carried values after it
  return rewrite(outputs, new Map());

  function rewrite(targets: readonly Value[], known: Map<Value, Value>): Value[] {
    for (const value of schedule(targets, (v) => known.has(v))) {
      const inputs = value.inputs.map((v) => known.get(v) ?? v);
      if (value.op === "loop") {
        known.set(value, value);
        results.set(value, loop(value, inputs, known));
      } else if (value.op === "result") {
        known.set(value, results.get(value.inputs[0])?.[value.index] ?? value);
      } else {
        known.set(
          value,
          inputs.every((v, i) => v === value.inputs[i]) ? value : builder.rebuild(value, inputs),
        );
      }
    }
    return targets.map((v) => known.get(v) ?? v);
  }

  /** The carried values after `loop`. */
  function loop(
    { count, from, body }: Loop,
    inputs: readonly Value[],
    outer: ReadonlyMap<Value, Value>,
  ): Value[] {
    const each = inputs.slice(body.carried.length);
    const iterate = (carried: readonly Value[], i: number) => {
      const known = new Map(outer);
      body.carried.forEach((p, j) => known.set(p, carried[j]));
      body.each.forEach((p, j) => known.set(p, row(each[j], from + i)));
      return rewrite(body.outputs, known);
    };
    const taken = count > SHORT ? 1 : count;
    let carried = inputs.slice(0, body.carried.length);
    for (let i = 0; i < taken; i++) carried = iterate(carried, i);
    if (taken === count) return carried;

    const isChanged = body.carried.map((p, i) => body.outputs[i] !== p);
    const ofChanged = <T>(values: readonly T[]) => values.filter((_, i) => isChanged[i]);
    const known = new Map(outer);
    // Parameters of its own: a loop inside another one becomes several.
    const renewed = (parameters: readonly Value[]) =>
      parameters.map((p) => {
        const fresh = builder.parameter("rewritten", p.shape, p.type);
        known.set(p, fresh);
        return fresh;
      });
    body.carried.forEach((p, i) => isChanged[i] || known.set(p, carried[i]));
    const changed = builder.loop({
      count: count - taken,
      from: from + taken,
      body: {
        carried: renewed(ofChanged(body.carried)),
        each: renewed(body.each),
        outputs: rewrite(ofChanged(body.outputs), known),
      },
    }, { initial: ofChanged(carried), each });
    return carried.map((value, i) => isChanged[i] ? changed.shift() ?? value : value);
  }

  /** Row `i` of `source`. */
  function row(source: Value, i: number): Value {
    const [, ...shape] = source.shape;
    const begin = [i, ...shape.map(() => 0)];
    return builder.reshape(builder.slice(source, { begin, size: [1, ...shape] }), shape);
  }
}

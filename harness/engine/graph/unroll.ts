import type { Builder } from "./builder.ts";
import type { Value } from "./graph.ts";
import { type Loop, schedule } from "./loops.ts";

/** Replaces every loop on which `outputs` depend by copies of its body; the copies share loop-invariant values. */
export function unroll(builder: Builder, outputs: readonly Value[]): Value[] {
  const results = new Map<Value, readonly Value[]>(); // loop -> carried values after it
  return rewrite(outputs, new Map());

  function rewrite(targets: readonly Value[], known: Map<Value, Value>): Value[] {
    for (const value of schedule(targets, (v) => known.has(v))) {
      const inputs = value.inputs.map((v) => known.get(v) ?? v);
      if (value.op === "loop") {
        known.set(value, value);
        results.set(value, run(value, inputs, known));
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

  function run(
    loop: Loop,
    inputs: readonly Value[],
    outer: Map<Value, Value>,
  ): Value[] {
    const { carried, each, outputs } = loop.body;
    let state = inputs.slice(0, carried.length);
    for (let i = 0; i < loop.count; i++) {
      const known = new Map(outer);
      carried.forEach((p, j) => known.set(p, state[j]));
      each.forEach((p, j) => {
        const source = inputs[carried.length + j];
        const begin = source.shape.map((_, axis) => axis === 0 ? i : 0);
        known.set(
          p,
          builder.reshape(builder.slice(source, { begin, size: [1, ...p.shape] }), p.shape),
        );
      });
      state = rewrite(outputs, known);
    }
    return [...state];
  }
}

/**
 * Lowers the graph to ONNX. Elementwise operations keep the layout of their inputs, so that a chain of them between
 * convolutions is never reordered.
 *
 * @module
 */
import { isChannelVector, lowerBlocked } from "./blocked_values.ts";
import { lowerConv } from "./convolutions.ts";
import { live } from "./emit.ts";
import { lowerConvInputGradient } from "./input_gradient.ts";
import { lowerConvFilterGradient } from "./filter_gradient.ts";
import { Layouts } from "./layouts.ts";
import { lowerElementwise } from "./onnx_elementwise.ts";
import type { OnnxGraph, OnnxNode } from "../../formats/onnx_model.ts";
import { capturedBy, insideOf, type Loop, schedule } from "../graph/loops.ts";
import { isElementwise, sameShape, sizeOf, splatOf, type Value } from "../graph/graph.ts";

/** Elements up to which one reduction is no slower than two: 2.5 us for 1024 x 8, but 105 us for 2048 x 8. */
const FEW_ELEMENTS = 1 << 13;

/** Elements of a row from which ONNX Runtime adds rows at the rate of the memory. */
const LONG_ROW = 256;

const REDUCE = {
  max: "ReduceMax",
  mean: "ReduceMean",
  min: "ReduceMin",
  prod: "ReduceProd",
  sum: "ReduceSum",
} as const;

/** Writes `values`, which are in topological order, and returns their names by layout. */
export function lower(
  values: readonly Value[],
  outputs: readonly Value[],
  { block }: { readonly block: number },
): Layouts {
  return new Lowering(values, outputs, { block }).layouts;
}

class Lowering {
  readonly layouts: Layouts;
  readonly #uses = new Map<Value, number>();
  /** Convolutions whose only reader adds a bias; written together with that addition. */
  readonly #deferred = new Set<Value>();

  constructor(values: readonly Value[], outputs: readonly Value[], { block }: { block: number }) {
    this.layouts = new Layouts(block);
    const loops = values.flatMap(withInner);
    const all = [...values, ...loops.flatMap(insideOf)];
    const read = all.flatMap((v) => v.inputs);
    for (const v of [...read, ...loops.flatMap((loop) => loop.body.outputs), ...outputs]) {
      this.#uses.set(v, (this.#uses.get(v) ?? 0) + 1);
    }
    // One outside of a loop has a second reader, the iteration that was taken out, and so is not written inside.
    for (const value of all) {
      const biased = this.#biasedConv(value);
      if (biased) this.#deferred.add(biased.conv);
    }
    this.#lowerAll(values);
  }

  #lowerAll(values: readonly Value[]): void {
    for (const value of values) {
      if (value.op === "loop") this.#lowerLoop(value);
      else if (value.op === "result") {
        this.layouts.setPlain(value, resultName(value.inputs[0], value.index));
      } else if (!this.#deferred.has(value)) this.#lower(value);
    }
  }

  /** Writes a Loop; its results are `loop.ID.INDEX`. Nodes that do not depend on the iteration come before it. */
  #lowerLoop(loop: Loop): void {
    const { carried, each, outputs } = loop.body;
    const { layouts } = this;
    const e = layouts.emitter;
    const name = `loop.${loop.id}`;
    const [iteration, condition] = [`${name}.iteration`, `${name}.condition`];
    carried.forEach((p) => layouts.setPlain(p, parameterName(p)));
    const parameters = [iteration, condition, ...carried.map(parameterName)];
    const initial = loop.inputs.slice(0, carried.length).map((v) => layouts.plain(v));
    const { nodes, result: results } = e.body(parameters, () => {
      const row = e.node("Add", [iteration, e.constant("int64", [], [loop.from])]);
      each.forEach((p, i) => {
        const rows = layouts.plain(loop.inputs[carried.length + i]);
        layouts.setPlain(p, e.node("Gather", [rows, row], { axis: 0 }));
      });
      const outside = new Set([...carried, ...each, ...capturedBy(loop)]);
      this.#lowerAll(schedule(outputs, (v) => outside.has(v)));
      return outputs.map((v) => layouts.plain(v));
    });
    // A result must come from a node of the body, one for each.
    const made = new Set(nodes.flatMap((node) => node.outputs));
    const copies: OnnxNode[] = [];
    const own = (name: string, output: string) => {
      if (made.delete(name)) return name;
      copies.push({ op: "Identity", inputs: [name], outputs: [output] });
      return output;
    };
    const next = results.map((result, i) => own(result, `${name}.next.${i}`));
    const goesOn = own(condition, `${name}.goesOn`);
    const body: OnnxGraph = {
      name,
      nodes: [...live(nodes, results), ...copies],
      inputs: [
        { name: iteration, type: "int64", shape: [] },
        { name: condition, type: "bool", shape: [] },
        ...carried.map((p) => ({ name: parameterName(p), type: p.type, shape: p.shape })),
      ],
      outputs: [
        { name: goesOn, type: "bool", shape: [] },
        ...carried.map(({ type, shape }, i) => ({ name: next[i], type, shape })),
      ],
      initializers: [],
    };
    e.nodes.push({
      op: "Loop",
      inputs: [e.constant("int64", [], [loop.count]), "", ...initial],
      outputs: carried.map((_, i) => resultName(loop, i)),
      attributes: { body: { graph: body } },
    });
  }

  #biasedConv(value: Value): { conv: Value; bias: Value } | undefined {
    if (value.op !== "binary" || value.fn !== "add") return undefined;
    for (const [conv, bias] of [value.inputs, [...value.inputs].reverse()]) {
      if (
        (conv.op === "conv" || conv.op === "convInputGradient") && this.#uses.get(conv) === 1 &&
        isChannelVector(bias, conv.shape[3]) && sameShape(conv.shape, value.shape)
      ) return { conv, bias };
    }
  }

  #lower(value: Value): void {
    const biased = this.#biasedConv(value);
    const conv = biased && this.#deferred.has(biased.conv) ? biased.conv : value;
    const bias = conv === value
      ? undefined
      : biased && this.layouts.emitter.reshape(this.layouts.plain(biased.bias), [value.shape[3]]);
    if (conv.op === "conv" || conv.op === "convInputGradient") {
      const result = conv.op === "conv"
        ? lowerConv(this.layouts, conv, bias)
        : lowerConvInputGradient(this.layouts, conv, bias);
      if (result.blocked) this.layouts.setBlocked(value, result.name);
      else this.layouts.setPlain(value, result.name);
    } else if (value.op === "convFilterGradient") {
      this.layouts.setPlain(value, lowerConvFilterGradient(this.layouts, value));
    } else if (!lowerBlocked(this.layouts, value)) {
      this.layouts.setPlain(value, this.#lowerPlain(value));
    }
  }

  #lowerPlain(value: Value): string {
    const e = this.layouts.emitter;
    const inputs = value.inputs.map((v) => this.layouts.plain(v));
    const [x] = inputs;
    switch (value.op) {
      case "input":
        return value.name;
      case "noise":
        return noiseName(value);
      case "view":
        return viewName(value);
      case "constant": {
        const scalar = splatOf(value);
        if (scalar === undefined) return e.constant(value.type, value.shape, value.data);
        const name = e.constant(value.type, [], [scalar]);
        return value.shape.length === 0 ? name : e.node("Expand", [name, e.ints(value.shape)]);
      }
      case "reshape":
        return e.reshape(x, value.shape);
      case "broadcast":
        return e.node("Expand", [x, e.ints(value.shape)]);
      case "transpose":
        return e.transpose(x, value.perm);
      case "slice": {
        const axes = value.shape.flatMap((d, i) =>
          d !== value.inputs[0].shape[i] || value.steps[i] !== 1 ? [i] : []
        );
        return e.slice(x, {
          shape: value.inputs[0].shape,
          axes,
          begin: axes.map((a) => value.begin[a]),
          end: axes.map((a) => value.begin[a] + (value.shape[a] - 1) * value.steps[a] + 1),
          steps: axes.map((a) => value.steps[a]),
        });
      }
      case "reverse":
        return e.slice(x, {
          shape: value.shape,
          axes: value.axes,
          begin: value.axes.map((a) => value.shape[a] - 1),
          end: value.axes.map((a) => -value.shape[a] - 1), // one before the first element
          steps: value.axes.map(() => -1),
        });
      case "concat":
        return e.node("Concat", inputs, { axis: value.axis });
      case "pad":
        return e.node("Pad", [
          x,
          e.ints([...value.low, ...value.high]),
          e.constant(value.type as "float32", [], [value.value]),
        ]);
      case "reduce":
        return this.#reduce(value, x);
      case "gather":
        return e.node("Gather", inputs, { axis: value.axis });
      case "matmul":
        return this.#matmul(value, inputs);
      default:
        if (isElementwise(value)) {
          const rank = value.shape.length;
          const operands = inputs.map((x, i) =>
            sizeOf(value.inputs[i].shape) === 1 && value.inputs[i].shape.length < rank
              ? e.scalar(x, rank)
              : x
          );
          return lowerElementwise(e, value, operands, { rank });
        }
        throw new Error(
          `Operation ${value.op} has no ONNX lowering: add it to harness/engine/onnx/lower.ts`,
        );
    }
  }

  /**
   * Reduces axes. Those before many short rows are reduced in two steps, because ONNX Runtime's time goes with the number of
   * rows: 0.06 ms instead of 1.08 ms for [40, 34, 34, 8] to [8].
   */
  #reduce(value: Value & { op: "reduce" }, x: string): string {
    const e = this.layouts.emitter;
    const over = (name: string, axes: readonly number[]) =>
      e.node(REDUCE[value.fn], [name, e.ints(axes)], { keepdims: 0 });
    const size = sizeOf(value.shape);
    const { shape } = value.inputs[0];
    if (size === 1) return e.reshape(over(x, [...shape.keys()]), value.shape);
    if (value.axes.some((axis, i) => axis !== i)) return over(x, value.axes);
    if (sizeOf(shape) <= FEW_ELEMENTS) return over(x, value.axes);
    const rows = sizeOf(shape) / size;
    const joined = divisorFrom(rows, Math.ceil(LONG_ROW / size));
    if (joined === 1 || joined === rows) return over(x, value.axes);
    const partial = over(e.reshape(x, [rows / joined, joined * size]), [0]);
    return e.reshape(over(e.reshape(partial, [joined, size]), [0]), value.shape);
  }

  #matmul(value: Value & { op: "matmul" }, [a, b]: readonly string[]): string {
    const e = this.layouts.emitter;
    if (value.shape.length === 2) {
      if (!value.transposeA && !value.transposeB) return e.node("MatMul", [a, b]);
      return e.node("Gemm", [a, b], {
        transA: Number(value.transposeA),
        transB: Number(value.transposeB),
      });
    }
    const swapped = (name: string, v: Value) => {
      const rank = v.shape.length;
      return e.transpose(
        name,
        [...v.shape.keys()].map((i) => i === rank - 1 ? rank - 2 : i === rank - 2 ? rank - 1 : i),
      );
    };
    return e.node("MatMul", [
      value.transposeA ? swapped(a, value.inputs[0]) : a,
      value.transposeB ? swapped(b, value.inputs[1]) : b,
    ]);
  }
}

/** The smallest divisor of `count` that is at least `least`. */
function divisorFrom(count: number, least: number): number {
  for (let d = least; d < count; d++) if (count % d === 0) return d;
  return count;
}

/** The loop `value`, if it is one, and those in its body. */
function withInner(value: Value): Loop[] {
  return value.op === "loop" ? [value, ...insideOf(value).flatMap(withInner)] : [];
}

function parameterName(parameter: Value): string {
  return `parameter.${parameter.id}`;
}

function resultName(loop: Value, index: number): string {
  return `loop.${loop.id}.${index}`;
}

/** Name of the model input that holds the draws of a noise value. */
export function noiseName(value: Value): string {
  return `noise.${value.id}`;
}

/** Name of the model input that holds a range of a fed array. */
export function viewName(view: Value & { op: "view" }): string {
  const [source] = view.inputs;
  return `${source.op === "input" ? source.name : noiseName(source)}@${view.offset}`;
}

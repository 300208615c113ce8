/**
 * From the graph to ONNX. A value of rank 4 can exist in two layouts: plain, as in tfjs, [n, h, w, c]; and blocked,
 * [n, c/b, h, w, b] under the nominal shape [n, c, h, w], in which ONNX Runtime convolves fastest. Elementwise
 * operations keep the layout of what they read, so a chain between convolutions needs no reordering.
 *
 * @module
 */
import { lowerConv } from "./convolutions.ts";
import { lowerConvInputGradient } from "./input_gradient.ts";
import { Emitter } from "./emit.ts";
import { lowerConvFilterGradient } from "./filter_gradient.ts";
import { lowerElementwise } from "./onnx_elementwise.ts";
import { isElementwise, sameShape, sizeOf, splatOf, type Value } from "../graph/graph.ts";

const NCHWC = "com.microsoft.nchwc";

const REDUCE = {
  max: "ReduceMax",
  mean: "ReduceMean",
  min: "ReduceMin",
  prod: "ReduceProd",
  sum: "ReduceSum",
} as const;

/** Lowers values one after another, in topological order. */
export class Lowering {
  readonly emitter = new Emitter();
  /** Channels a block; 0 for plain layout everywhere. */
  readonly block: number;
  readonly #plain = new Map<Value, string>();
  readonly #blocked = new Map<Value, string>();
  readonly #uses = new Map<Value, number>();
  /** Convolutions whose only reader adds a bias: written together with it. */
  readonly #deferred = new Set<Value>();

  constructor(schedule: readonly Value[], outputs: readonly Value[], { block }: { block: number }) {
    this.block = block;
    for (const v of [...schedule.flatMap((s) => s.inputs), ...outputs]) {
      this.#uses.set(v, (this.#uses.get(v) ?? 0) + 1);
    }
    for (const value of schedule) {
      const biased = this.#biasedConv(value);
      if (biased) this.#deferred.add(biased.conv);
    }
    for (const value of schedule) if (!this.#deferred.has(value)) this.#lower(value);
  }

  /** Name of `value` in plain layout. */
  plain(value: Value): string {
    let name = this.#plain.get(value);
    if (name === undefined) {
      const blocked = this.#blocked.get(value);
      if (blocked === undefined) {
        throw new Error(`Value ${value.id} (${value.op}) was read before it was lowered`);
      }
      name = this.#asFloat(value, blocked, (x) => this.reorderOutput(x, value.shape[3]));
      this.#plain.set(value, name);
    }
    return name;
  }

  /** Name of `value` [n, h, w, c] in blocked layout; c is a multiple of the block. */
  blocked(value: Value): string {
    let name = this.#blocked.get(value);
    if (name === undefined) {
      name = this.#asFloat(value, this.plain(value), (x) => this.reorderInput(x));
      this.#blocked.set(value, name);
    }
    return name;
  }

  /** Plain to blocked. */
  reorderInput(x: string): string {
    return this.emitter.node("ReorderInput", [x], { channels_last: 1 }, NCHWC);
  }

  /** Blocked to plain, keeping the first `channels`. */
  reorderOutput(x: string, channels: number): string {
    return this.emitter.node("ReorderOutput", [x], { channels, channels_last: 1 }, NCHWC);
  }

  /** Whether `value` was computed in blocked layout. */
  isBlocked(value: Value): boolean {
    return this.#blocked.has(value);
  }

  /** Whether `channels` fill whole blocks. */
  fitsBlocks(channels: number): boolean {
    return this.block > 0 && channels % this.block === 0;
  }

  /** The view [n, c/b, h, w, b] of a blocked array. */
  fiveAxes(name: string, [n, h, w, c]: readonly number[]): string {
    return this.emitter.reshape(name, [n, c / this.block, h, w, this.block]);
  }

  #asFloat(value: Value, name: string, reorder: (x: string) => string): string {
    if (value.type === "float32") return reorder(name);
    return this.emitter.cast(reorder(this.emitter.cast(name, "float32")), value.type);
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
      : biased && this.emitter.reshape(this.plain(biased.bias), [value.shape[3]]);
    if (conv.op === "conv" || conv.op === "convInputGradient") {
      const result = conv.op === "conv"
        ? lowerConv(this, conv, bias)
        : lowerConvInputGradient(this, conv, bias);
      if (result.blocked) this.#blocked.set(value, result.name);
      else this.#plain.set(value, result.name);
    } else if (value.op === "convFilterGradient") {
      this.#plain.set(value, lowerConvFilterGradient(this, value));
    } else if (!this.#lowerBlocked(value)) {
      this.#plain.set(value, this.#lowerPlain(value));
    }
  }

  /** Elementwise operations and channel sums of blocked arrays. Returns false where the plain layout has to serve. */
  #lowerBlocked(value: Value): boolean {
    const full = value.inputs.filter((v) => v.shape.length === 4 && this.isBlocked(v));
    if (full.length === 0) return false;
    if (value.op === "reduce" && value.fn === "sum" && value.axes.join() === "0,1,2") {
      const [x] = value.inputs;
      const [n, h, w, c] = x.shape;
      const sum = (name: string, shape: readonly number[], axis: number) =>
        this.emitter.node("ReduceSum", [
          this.emitter.reshape(name, shape),
          this.emitter.ints([axis]),
        ], { keepdims: 0 });
      // One axis at a time: 0.06 ms instead of 0.33 for ten images 34x34x64.
      const outer = n * c / this.block;
      const sums = sum(sum(this.blocked(x), [outer, h * w, this.block], 1), [n, c], 0);
      this.#plain.set(value, this.emitter.reshape(sums, value.shape));
      return true;
    }
    if (value.op === "reduce" && value.fn === "sum" && value.axes.length === 4) {
      const [x] = value.inputs;
      this.#plain.set(
        value,
        this.emitter.node("ReduceSum", [this.blocked(x), this.emitter.ints([0, 1, 2, 3])], {
          keepdims: 0,
        }),
      );
      return true;
    }
    if (!isElementwise(value) || value.shape.length !== 4) return false;
    const channels = value.shape[3];
    const isVector = (v: Value) => isChannelVector(v, channels) && sizeOf(v.shape) > 1;
    if (
      !value.inputs.every((v) =>
        sizeOf(v.shape) === 1 || isVector(v) || sameShape(v.shape, value.shape)
      )
    ) return false;
    const five = value.inputs.some(isVector);
    const operands = value.inputs.map((v) => {
      if (sizeOf(v.shape) === 1) return this.emitter.reshape(this.plain(v), []);
      if (isVector(v)) {
        return this.emitter.reshape(this.plain(v), [1, channels / this.block, 1, 1, this.block]);
      }
      return five ? this.fiveAxes(this.blocked(v), v.shape) : this.blocked(v);
    });
    const name = lowerElementwise(this.emitter, value, operands);
    const [n, h, w, c] = value.shape;
    this.#blocked.set(value, five ? this.emitter.reshape(name, [n, c, h, w]) : name);
    return true;
  }

  #lowerPlain(value: Value): string {
    const e = this.emitter;
    const inputs = value.inputs.map((v) => this.plain(v));
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
      case "concat":
        return e.node("Concat", inputs, { axis: value.axis });
      case "pad":
        return e.node("Pad", [
          x,
          e.ints([...value.low, ...value.high]),
          e.constant(value.type as "float32", [], [value.value]),
        ]);
      case "reduce":
        return e.node(REDUCE[value.fn], [x, e.ints(value.axes)], { keepdims: 0 });
      case "gather":
        return e.node("Gather", inputs, { axis: value.axis });
      case "matmul":
        return this.#matmul(value, inputs);
      default:
        if (isElementwise(value)) return lowerElementwise(e, value, inputs);
        throw new Error(`Operation ${value.op} cannot be written as ONNX`);
    }
  }

  #matmul(value: Value & { op: "matmul" }, [a, b]: readonly string[]): string {
    const e = this.emitter;
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

/** Name under which the draws of a noise value are fed. */
export function noiseName(value: Value): string {
  return `noise.${value.id}`;
}

/** Name under which a range of a fed array is fed. */
export function viewName(view: Value & { op: "view" }): string {
  const [source] = view.inputs;
  return `${source.op === "input" ? source.name : noiseName(source)}@${view.offset}`;
}

/** Whether `value` broadcasts along the last axis of [n, h, w, channels] alone. */
function isChannelVector(value: Value, channels: number): boolean {
  return value.shape.at(-1) === channels && sizeOf(value.shape) === channels;
}

import type { Key, NoiseKind } from "../../core/noise.ts";
import {
  type BinaryFn,
  type Body,
  broadcastShape,
  type CompareFn,
  type Operation,
  type ReduceFn,
  sameShape,
  sizeOf,
  splatOf,
  type Type,
  type UnaryFn,
  type Value,
  type Window,
} from "./graph.ts";
import {
  convFilterGradientProduct,
  convInputGradientProduct,
  convProduct,
  type ConvResult,
} from "./convolution_products.ts";
import { swishChainRule } from "./swish_gradient.ts";

const FOLD: Readonly<Record<BinaryFn, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  max: Math.max,
  min: Math.min,
  pow: Math.pow,
};

/**
 * Creates the values of one graph. Every method infers the shape and applies exact simplifications (x + 0, x * 1, views
 * of views, folded constants). Only the fused gradient of swish changes rounding.
 */
export class Builder {
  readonly #values = new Map<string, Value>();
  #count = 0;

  #make(
    operation: Operation,
    inputs: readonly Value[],
    shape: readonly number[],
    type: Type,
  ): Value {
    const key = `${operation.op === "loop" ? this.#count : keyOf(operation)}|${
      inputs.map((v) => v.id).join()
    }|${shape.join()}|${type}`;
    let value = this.#values.get(key);
    if (!value) {
      value = { ...operation, id: this.#count++, inputs, shape, type };
      this.#values.set(key, value);
    }
    return value;
  }

  input(name: string, shape: readonly number[], type: Type): Value {
    return this.#make({ op: "input", name }, [], shape, type);
  }

  /** `size` elements, flat, of an array fed from the host, starting at `offset`. */
  view(source: Value, { offset, size }: { offset: number; size: number }): Value {
    return this.#make({ op: "view", offset }, [source], [size], source.type);
  }

  /** A literal of `shape`; a single element of `data` fills it. */
  constant(data: readonly number[], shape: readonly number[], type: Type): Value {
    const splat = data.every((x) => Object.is(x, data[0]));
    return this.#make({ op: "constant", data: splat ? data.slice(0, 1) : data }, [], shape, type);
  }

  noise(
    counters: Value,
    { key, width, kind }: { key: Key; width: number; kind: NoiseKind },
  ): Value {
    return this.#make(
      { op: "noise", key, width, kind },
      [counters],
      [counters.shape[0], width],
      "float32",
    );
  }

  unary(fn: UnaryFn, x: Value): Value {
    if (fn === "neg" && splatOf(x) !== undefined) {
      return this.constant([-(splatOf(x) ?? 0)], x.shape, x.type);
    }
    return this.#make({ op: "unary", fn }, [x], x.shape, x.type);
  }

  leakyRelu(x: Value, alpha: number): Value {
    return this.#make({ op: "leakyRelu", alpha }, [x], x.shape, x.type);
  }

  binary(fn: BinaryFn, a: Value, b: Value): Value {
    const shape = broadcastShape(a.shape, b.shape);
    const [s, t] = [splatOf(a), splatOf(b)];
    if (s !== undefined && t !== undefined) {
      const folded = FOLD[fn](s, t);
      return this.constant([a.type === "float32" ? Math.fround(folded) : folded], shape, a.type);
    }
    if (
      (t === 0 && (fn === "add" || fn === "sub")) ||
      (t === 1 && (fn === "mul" || fn === "div" || fn === "pow"))
    ) {
      return this.broadcast(a, shape);
    }
    if ((s === 0 && fn === "add") || (s === 1 && fn === "mul")) return this.broadcast(b, shape);
    if (fn === "pow" && t === 2) return this.binary("mul", a, a);
    if (fn === "mul") {
      if (b.op === "unary" && b.fn === "sigmoid" && b.inputs[0] === a) {
        return this.unary("swish", a);
      }
      if (a.op === "unary" && a.fn === "sigmoid" && a.inputs[0] === b) {
        return this.unary("swish", b);
      }
    }
    if (fn === "add") {
      const chain = swishChainRule(a, b) ?? swishChainRule(b, a);
      if (chain) return this.binary("mul", chain.dy, this.unary("swishGradient", chain.x));
    }
    const [x, y] = this.#operands([a, b], shape);
    return this.#make({ op: "binary", fn }, [x, y], shape, a.type);
  }

  compare(fn: CompareFn, a: Value, b: Value): Value {
    const shape = broadcastShape(a.shape, b.shape);
    return this.#make({ op: "compare", fn }, this.#operands([a, b], shape), shape, "bool");
  }

  select(condition: Value, a: Value, b: Value): Value {
    const shape = broadcastShape(condition.shape, a.shape, b.shape);
    return this.#make({ op: "select" }, this.#operands([condition, a, b], shape), shape, a.type);
  }

  /** Operands of an elementwise operation; broadcasts stay implicit if the operands still determine the full shape. */
  #operands(inputs: readonly Value[], shape: readonly number[]): Value[] {
    const thin = inputs.map((v) => {
      if (v.op === "broadcast") return v.inputs[0];
      return splatOf(v) === undefined || v.shape.length === 0 ? v : this.reshapeSplat(v, []);
    });
    return sameShape(broadcastShape(...thin.map((v) => v.shape)), shape) ? thin : [...inputs];
  }

  reshapeSplat(value: Value, shape: readonly number[]): Value {
    return this.constant([splatOf(value) ?? 0], shape, value.type);
  }

  cast(x: Value, type: Type): Value {
    if (x.type === type) return x;
    const splat = splatOf(x);
    if (splat !== undefined) {
      return this.constant(
        [type === "float32" ? splat : type === "bool" ? Number(splat !== 0) : Math.trunc(splat)],
        x.shape,
        type,
      );
    }
    return this.#make({ op: "cast" }, [x], x.shape, type);
  }

  reshape(x: Value, shape: readonly number[]): Value {
    if (sizeOf(shape) !== sizeOf(x.shape)) {
      throw new RangeError(`Cannot reshape [${x.shape}] to [${shape}]`);
    }
    if (sameShape(x.shape, shape)) return x;
    if (x.op === "reshape") return this.reshape(x.inputs[0], shape);
    if (x.op === "constant") return this.constant(x.data, shape, x.type);
    return this.#make({ op: "reshape" }, [x], shape, x.type);
  }

  broadcast(x: Value, shape: readonly number[]): Value {
    if (sameShape(x.shape, shape)) return x;
    if (!sameShape(broadcastShape(x.shape, shape), shape)) {
      throw new RangeError(`Cannot broadcast [${x.shape}] to [${shape}]`);
    }
    if (splatOf(x) !== undefined) return this.reshapeSplat(x, shape);
    if (x.op === "broadcast") return this.broadcast(x.inputs[0], shape);
    return this.#make({ op: "broadcast" }, [x], shape, x.type);
  }

  transpose(x: Value, perm: readonly number[]): Value {
    if (perm.every((p, i) => p === i)) return x;
    if (x.op === "transpose") return this.transpose(x.inputs[0], perm.map((p) => x.perm[p]));
    const shape = perm.map((p) => x.shape[p]);
    if (splatOf(x) !== undefined) return this.reshapeSplat(x, shape);
    return this.#make({ op: "transpose", perm }, [x], shape, x.type);
  }

  slice(
    x: Value,
    { begin, size, steps = begin.map(() => 1) }: {
      begin: readonly number[];
      size: readonly number[];
      steps?: readonly number[];
    },
  ): Value {
    if (sameShape(size, x.shape) && steps.every((s) => s === 1)) return x;
    if (splatOf(x) !== undefined) return this.reshapeSplat(x, size);
    return this.#make({ op: "slice", begin, steps }, [x], size, x.type);
  }

  reverse(x: Value, axes: readonly number[]): Value {
    const real = axes.filter((a) => x.shape[a] !== 1);
    if (real.length === 0 || splatOf(x) !== undefined) return x;
    return this.#make({ op: "reverse", axes: real }, [x], x.shape, x.type);
  }

  concat(inputs: readonly Value[], axis: number): Value {
    if (inputs.length === 1) return inputs[0];
    const shape = [...inputs[0].shape];
    shape[axis] = inputs.reduce((sum, v) => sum + v.shape[axis], 0);
    return this.#make({ op: "concat", axis }, inputs, shape, inputs[0].type);
  }

  pad(
    x: Value,
    { low, high, value }: { low: readonly number[]; high: readonly number[]; value: number },
  ): Value {
    if ([...low, ...high].every((p) => p === 0)) return x;
    return this.#make(
      { op: "pad", low, high, value },
      [x],
      x.shape.map((d, i) => d + low[i] + high[i]),
      x.type,
    );
  }

  reduce(fn: ReduceFn, x: Value, axes: readonly number[]): Value {
    const kept = x.shape.filter((_, i) => !axes.includes(i));
    const real = axes.filter((a) => x.shape[a] !== 1);
    if (real.length === 0) return this.reshape(x, kept);
    const reduced = this.#make(
      { op: "reduce", fn, axes: real },
      [x],
      x.shape.filter((_, i) => !real.includes(i)),
      x.type,
    );
    return this.reshape(reduced, kept);
  }

  matmul(
    a: Value,
    b: Value,
    { transposeA, transposeB }: { transposeA: boolean; transposeB: boolean },
  ): Value {
    const rank = Math.max(a.shape.length, b.shape.length);
    const batch = broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
    const [m, k] = lastTwo(a.shape, transposeA);
    const [k2, n] = lastTwo(b.shape, transposeB);
    if (k !== k2) {
      throw new RangeError(
        `Inner dimensions of [${a.shape}] and [${b.shape}] differ: ${k} and ${k2}`,
      );
    }
    if (rank > 2 && sizeOf(batch) === 1) {
      const flat = this.matmul(
        this.reshape(a, a.shape.slice(-2)),
        this.reshape(b, b.shape.slice(-2)),
        {
          transposeA,
          transposeB,
        },
      );
      return this.reshape(flat, [...batch, m, n]);
    }
    return this.#make({ op: "matmul", transposeA, transposeB }, [a, b], [...batch, m, n], a.type);
  }

  conv(x: Value, filter: Value, to: ConvResult): Value {
    const { window, shape } = to;
    return convProduct(this, [x, filter], to) ??
      this.#make({ op: "conv", window }, [x, filter], shape, x.type);
  }

  convInputGradient(dy: Value, filter: Value, to: ConvResult): Value {
    const { window, shape } = to;
    return convInputGradientProduct(this, [dy, filter], to) ??
      this.#make({ op: "convInputGradient", window }, [dy, filter], shape, dy.type);
  }

  convFilterGradient(x: Value, dy: Value, to: ConvResult): Value {
    const { window, shape } = to;
    const sizes = { image: x.shape.slice(1, 3), filter: shape, result: dy.shape.slice(1, 3) };
    if (readsOnlyPadding(window, sizes)) return this.constant([0], shape, x.type);
    return convFilterGradientProduct(this, [x, dy], to) ??
      this.#make({ op: "convFilterGradient", window }, [x, dy], shape, x.type);
  }

  gather(x: Value, indices: Value, axis: number): Value {
    const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
    return this.#make({ op: "gather", axis }, [x, indices], shape, x.type);
  }

  /** A fresh placeholder inside a loop's body. */
  parameter(name: string, shape: readonly number[], type: Type): Value {
    return this.#make({ op: "parameter", name: `${name}.${this.#count}` }, [], shape, type);
  }

  /** The carried tensors after `count` iterations of `body`, the first of which gets the rows `from` of `each`. */
  loop(
    { count, from = 0, body }: { count: number; from?: number; body: Body },
    { initial, each }: { initial: readonly Value[]; each: readonly Value[] },
  ): Value[] {
    const loop = this.#make({ op: "loop", count, from, body }, [...initial, ...each], [], "bool");
    return body.carried.map((p, index) =>
      this.#make({ op: "result", index }, [loop], p.shape, p.type)
    );
  }

  /** Applies the operation of `value` to other inputs; reshapes are simplified again. */
  rebuild(value: Value, inputs: readonly Value[]): Value {
    if (value.op === "reshape") return this.reshape(inputs[0], value.shape);
    const { id: _id, inputs: _inputs, shape, type, ...operation } = value;
    return this.#make(operation as Operation, inputs, shape, type);
  }
}

/** A text that differs for different operations; JSON itself writes NaN and infinities as null, and -0 as 0. */
function keyOf(operation: Operation): string {
  return JSON.stringify(
    operation,
    (_, value) =>
      typeof value !== "number" || Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : Object.is(value, -0)
        ? "-0"
        : String(value),
  );
}

/** Whether a convolution of an image of height and width `image` reads nothing but padding along an axis. */
function readsOnlyPadding(
  { strides, pads, dilations }: Window,
  { image, filter, result }: Readonly<Record<"image" | "filter" | "result", readonly number[]>>,
): boolean {
  return [0, 1].some((i) => {
    const end = (result[i] - 1) * strides[i] + (filter[i] - 1) * dilations[i] + 1 - pads[i];
    return end <= 0 || -pads[i] >= image[i];
  });
}

function lastTwo(shape: readonly number[], swap: boolean): [number, number] {
  const [a, b] = shape.slice(-2);
  return swap ? [b, a] : [a, b];
}

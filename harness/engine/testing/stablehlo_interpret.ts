/**
 * Interprets the StableHLO text of stablehlo.ts one element at a time: the reference of its tests, which need no plugin.
 * It shares no code with the writer. It checks the written type of every operand, and a region sees only its operands.
 *
 * @module
 */
import { convolve } from "./stablehlo_convolve.ts";

type Element = "f32" | "i32" | "i1" | "ui32";
type Data = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

/** An array of the interpreter; i1 is 0 or 1. */
export interface InterpretedArray {
  readonly shape: readonly number[];
  readonly element: Element;
  readonly data: Data;
}

/** Runs `main` of `text` on `inputs`, in order. Throws SyntaxError for unsupported or ill-typed text. */
export function interpret(text: string, inputs: readonly InterpretedArray[]): InterpretedArray[] {
  const [, head, ...lines] = text.split("\n");
  const parameters = [...head.matchAll(/%arg(\d+): (tensor<[^>]*>)/g)];
  if (parameters.length !== inputs.length) {
    throw new SyntaxError(`main takes ${parameters.length} arrays, got ${inputs.length}`);
  }
  const names = new Map(inputs.map((array, i) => {
    checkType(array, parameters[i][2], head);
    return [`%arg${i}`, array];
  }));
  return new Interpreter(lines).run(names, { begin: 0, end: lines.length });
}

type Names = Map<string, InterpretedArray>;
interface Region {
  readonly begin: number;
  readonly end: number;
}

class Interpreter {
  readonly #lines: readonly string[];

  constructor(lines: readonly string[]) {
    this.#lines = lines;
  }

  /** Runs a region and returns its results. */
  run(names: Names, { begin, end }: Region): InterpretedArray[] {
    for (let at = begin; at < end; at++) {
      const line = this.#lines[at];
      const returned = /^(?:stablehlo\.)?return(.*)$/.exec(line);
      if (returned) return operandsOf(returned[1], names);
      if (line.includes("stablehlo.while(")) at = this.#loop(line, { at, names });
      else {
        const [, id, op, rest] = /^(%\d+) = "?stablehlo\.(\w+)"?(.*)$/.exec(line) ?? [];
        if (!op) throw new SyntaxError(`Unsupported line: ${line}`);
        const result = evaluate(op, operandsOf(rest, names), rest);
        checkType(result, typesIn(rest).at(-1) ?? "", line);
        names.set(id, result);
      }
    }
    throw new SyntaxError("A region ends without a return");
  }

  /** Runs a loop to its end and returns the line of its closing brace. */
  #loop(line: string, { at, names }: { at: number; names: Names }): number {
    const [, id, bindings] = /^(%\d+):\d+ = stablehlo\.while\(([^)]*)\)/.exec(line) ?? [];
    const inner = bindings.split(", ").map((b) => b.split(" = ")[0]);
    const types = typesIn(line);
    const close = (from: number, brace: string) => {
      for (let depth = 0, i = from; i < this.#lines.length; i++) {
        if (depth === 0 && this.#lines[i] === brace) return i;
        if (this.#lines[i] === "cond {") depth++;
        if (this.#lines[i] === "}") depth--;
      }
      throw new SyntaxError(`A loop is not closed: ${line}`);
    };
    const middle = close(at + 2, "} do {");
    const end = close(middle + 1, "}");
    let values = bindings.split(", ").map((b) => lookUp(b.split(" = ")[1], names));
    const scope = () => new Map(inner.map((name, i) => [name, values[i]]));
    while (this.run(scope(), { begin: at + 2, end: middle })[0].data[0]) {
      values = this.run(scope(), { begin: middle + 1, end });
      values.forEach((v, i) => checkType(v, types[i], line));
    }
    values.forEach((v, i) => names.set(`${id}#${i}`, v));
    return end;
  }
}

function typesIn(text: string): string[] {
  return text.match(/tensor<[^>]*>/g) ?? [];
}

function lookUp(name: string, names: Names): InterpretedArray {
  const value = names.get(name);
  if (!value) throw new SyntaxError(`${name} is not defined here`);
  return value;
}

/** Looks up the operands named before the types, and checks them against the types if those are listed. */
function operandsOf(text: string, names: Names): InterpretedArray[] {
  const [before] = text.split("tensor<", 1);
  const operands = (before.match(/%\w+(#\d+)?/g) ?? []).map((name) => lookUp(name, names));
  const listed = / : \((tensor<.*)\) -> /.exec(text)?.[1] ?? / : (tensor<.*)$/.exec(text)?.[1] ??
    "";
  const types = typesIn(listed);
  if (types.length === operands.length) operands.forEach((v, i) => checkType(v, types[i], text));
  return operands;
}

function checkType({ shape, element, data }: InterpretedArray, type: string, line: string): void {
  const actual = `tensor<${shape.map((d) => `${d}x`).join("")}${element}>`;
  if (actual !== type || data.length !== sizeOf(shape)) {
    throw new SyntaxError(`Type must be ${actual} (${data.length} elements), got ${type}: ${line}`);
  }
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

function allocate(element: Element, size: number): Data {
  if (element === "f32") return new Float32Array(size);
  return element === "ui32" ? new Uint32Array(size) : new Int32Array(size);
}

const UNARY: Readonly<Record<string, (x: number) => number>> = {
  abs: Math.abs,
  cosine: Math.cos,
  exponential: Math.exp,
  exponential_minus_one: Math.expm1,
  floor: Math.floor,
  log: Math.log,
  log_plus_one: Math.log1p,
  logistic: (x) => 1 / (1 + Math.exp(-x)),
  negate: (x) => -x,
  not: (x) => 1 - x, // of i1
  rsqrt: (x) => 1 / Math.sqrt(x),
  sign: Math.sign,
  sine: Math.sin,
  sqrt: Math.sqrt,
  tanh: Math.tanh,
};
/** Binary operations. Typed arrays round and wrap on storing, so each holds for every element type unless noted. */
const BINARY: Readonly<Record<string, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  and: (a, b) => a & b,
  divide: (a, b) => a / b,
  maximum: Math.max,
  minimum: Math.min,
  multiply: (a, b) => a * b, // exact for integers below 2^53
  or: (a, b) => a | b,
  power: Math.pow,
  shift_left: (a, b) => a << b,
  shift_right_logical: (a, b) => a >>> b,
  subtract: (a, b) => a - b,
  xor: (a, b) => a ^ b,
};
const COMPARE: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  EQ: (a, b) => a === b,
  GE: (a, b) => a >= b,
  GT: (a, b) => a > b,
  LE: (a, b) => a <= b,
  LT: (a, b) => a < b,
};

/** The integers of `name = [...]`, or those in the first brackets if `name` is empty. */
function integers(text: string, name = ""): number[] {
  const found = new RegExp(`${name ? `${name} = ` : ""}\\[([^\\]]*)\\]`).exec(text);
  if (!found) throw new SyntaxError(`List ${name} not found in ${text}`);
  return found[1].split(",").filter((item) => item.trim()).map(Number);
}

function evaluate(op: string, operands: readonly InterpretedArray[], text: string) {
  const [x, y] = operands;
  const result = parseType(typesIn(text).at(-1) ?? "");
  const data = allocate(result.element, sizeOf(result.shape));
  const fill = (valueAt: (i: number) => number): InterpretedArray => {
    for (let i = 0; i < data.length; i++) data[i] = valueAt(i);
    return { ...result, data };
  };
  /** Fills each element at `at` of the result with the element of `x` at `place(at)`. */
  const move = (place: (at: readonly number[]) => readonly number[]) =>
    fill((i) => x.data[flat(place(coordinates(i, result.shape)), x.shape)]);
  if (op in UNARY) return fill((i) => UNARY[op](x.data[i]));
  if (op in BINARY) return fill((i) => BINARY[op](x.data[i], y.data[i]));
  switch (op) {
    case "constant":
      return constant(text, result);
    case "compare": {
      const holds = COMPARE[text.trim().slice(0, 2)];
      return fill((i) => Number(holds(x.data[i], y.data[i])));
    }
    case "select":
      return fill((i) => (x.data[i] ? y : operands[2]).data[i]);
    case "convert":
      return fill((i) =>
        result.element === "f32"
          ? x.data[i]
          : result.element === "i1"
          ? Number(x.data[i] !== 0)
          : Math.trunc(x.data[i])
      );
    case "bitcast_convert": {
      const bits = x.data.slice().buffer;
      return {
        ...result,
        data: result.element === "f32"
          ? new Float32Array(bits)
          : result.element === "ui32"
          ? new Uint32Array(bits)
          : new Int32Array(bits),
      };
    }
    case "reshape":
      return fill((i) => x.data[i]);
    case "iota": {
      const axis = Number(/dim = (\d+)/.exec(text)?.[1]);
      return fill((i) => coordinates(i, result.shape)[axis]);
    }
    case "broadcast_in_dim": {
      const axes = integers(text, "dims");
      return move((at) => axes.map((axis, i) => x.shape[i] === 1 ? 0 : at[axis]));
    }
    case "transpose": {
      const axes = integers(text, "dims");
      return move((at) => x.shape.map((_, axis) => at[axes.indexOf(axis)]));
    }
    case "reverse": {
      const axes = integers(text, "dims");
      return move((at) => at.map((c, axis) => axes.includes(axis) ? x.shape[axis] - 1 - c : c));
    }
    case "slice": {
      const ranges = (/\[(.*?)\]/.exec(text)?.[1] ?? "").split(", ").map((r) =>
        r.split(":").map(Number)
      );
      return move((at) => at.map((c, axis) => ranges[axis][0] + c * (ranges[axis][2] ?? 1)));
    }
    case "dynamic_slice":
      return move((at) => at.map((c, axis) => c + operands[axis + 1].data[0]));
    case "pad": {
      const low = integers(text, "low");
      return fill((i) => {
        const at = coordinates(i, result.shape).map((c, axis) => c - low[axis]);
        const isInside = at.every((c, axis) => c >= 0 && c < x.shape[axis]);
        return isInside ? x.data[flat(at, x.shape)] : y.data[0];
      });
    }
    case "concatenate": {
      const axis = Number(/dim = (\d+)/.exec(text)?.[1]);
      return fill((i) => {
        const at = coordinates(i, result.shape);
        const part = operands.find((p) => {
          if (at[axis] < p.shape[axis]) return true;
          at[axis] -= p.shape[axis];
        });
        return part ? part.data[flat(at, part.shape)] : NaN;
      });
    }
    case "gather": {
      const [axis] = integers(text, "collapsed_slice_dims");
      const rank = y.shape.length;
      return move((at) => {
        const index = y.data[flat(at.slice(axis, axis + rank), y.shape)];
        return [...at.slice(0, axis), index, ...at.slice(axis + rank)];
      });
    }
    case "reduce": {
      const axes = integers(text, "dimensions");
      const combine = BINARY[/applies stablehlo\.(\w+)/.exec(text)?.[1] ?? ""];
      const totals = Array<number>(data.length).fill(y.data[0]);
      x.data.forEach((value, i) => {
        const at = coordinates(i, x.shape).filter((_, axis) => !axes.includes(axis));
        const to = flat(at, result.shape);
        totals[to] = combine(totals[to], value);
      });
      return fill((i) => totals[i]);
    }
    case "dot_general":
      return fill(dotElement(text, [x, y], result.shape));
    case "convolution":
      return { ...result, data: Float32Array.from(convolve(text, [x, y], result.shape)) };
    default:
      throw new SyntaxError(`Operation ${op} is not supported by the interpreter`);
  }
}

/** The i-th element of a product over the last two axes, summed in float64. */
function dotElement(
  text: string,
  [a, b]: readonly InterpretedArray[],
  shape: readonly number[],
): (i: number) => number {
  const contracting = /contracting_dims = \[(\d+)\] x \[(\d+)\]/.exec(text) ?? [];
  const [left, right] = contracting.slice(1).map(Number);
  const n = shape.length - 2;
  const place = (batch: readonly number[], axis: number, [k, free]: readonly number[]) => [
    ...batch,
    ...(axis === n ? [k, free] : [free, k]),
  ];
  return (i) => {
    const at = coordinates(i, shape);
    const batch = at.slice(0, n);
    let sum = 0;
    for (let k = 0; k < a.shape[left]; k++) {
      sum += a.data[flat(place(batch, left, [k, at[n]]), a.shape)] *
        b.data[flat(place(batch, right, [k, at[n + 1]]), b.shape)];
    }
    return sum;
  };
}

function constant(text: string, { shape, element }: Omit<InterpretedArray, "data">) {
  const written = /dense<(.*)> :/.exec(text)?.[1] ?? "";
  const literals = written.match(/[^[\],\s]+/g) ?? [];
  const values = literals.map((literal) => {
    if (literal === "true" || literal === "false") return Number(literal === "true");
    if (!literal.startsWith("0x")) return Number(literal);
    return new Float32Array(Uint32Array.of(Number(literal)).buffer)[0];
  });
  const data = allocate(element, sizeOf(shape));
  if (values.length === 1) data.fill(values[0]);
  else data.set(values);
  return { shape, element, data };
}

function parseType(type: string): Omit<InterpretedArray, "data"> {
  const parts = type.slice("tensor<".length, -1).split("x");
  return { shape: parts.slice(0, -1).map(Number), element: parts.at(-1) as Element };
}

function coordinates(flatIndex: number, shape: readonly number[]): number[] {
  const at = new Array<number>(shape.length);
  for (let axis = shape.length - 1, rest = flatIndex; axis >= 0; axis--) {
    at[axis] = rest % shape[axis];
    rest = Math.floor(rest / shape[axis]);
  }
  return at;
}

function flat(at: readonly number[], shape: readonly number[]): number {
  return at.reduce((sum, c, axis) => sum * shape[axis] + c, 0);
}

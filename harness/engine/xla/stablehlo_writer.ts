/**
 * Writes StableHLO text (openxla.org/stablehlo/spec), each operation with its result type. The forms used here have been
 * stable since 2023; XLA's plugins upgrade them to their version when they parse.
 *
 * @module
 */
import { broadcastShape, sameShape, type Type } from "../graph/graph.ts";

/** Element types of the text: those of the graph, and uint32 for random bits. */
export type ElementType = Type | "uint32";

/** A named result. */
export interface Term {
  readonly id: string;
  readonly shape: readonly number[];
  readonly type: ElementType;
}

/** Parameters of a convolution; `layout` is its dim_numbers. */
export interface ConvolutionForm {
  readonly layout: string;
  readonly shape: readonly number[];
  readonly strides?: readonly number[];
  /** [low, high] of each spatial axis. */
  readonly padding: readonly (readonly number[])[];
  readonly lhsDilation?: readonly number[];
  readonly rhsDilation?: readonly number[];
}

/** Precision of matrix products and convolutions: `DEFAULT` lets a GPU round float32 operands to TF32. */
export type Precision = "DEFAULT" | "HIGHEST";

const ELEMENT: Readonly<Record<ElementType, string>> = {
  float32: "f32",
  int32: "i32",
  bool: "i1",
  uint32: "ui32",
};

/** Type of an array, such as `tensor<2x3xf32>`. */
export function tensorType({ shape, type }: Omit<Term, "id">): string {
  return `tensor<${shape.map((d) => `${d}x`).join("")}${ELEMENT[type]}>`;
}

/** Writes a literal exactly: floats need a point, and non-finite ones are written as bits. */
export function literal(x: number, type: ElementType): string {
  if (type === "bool") return String(Boolean(x));
  if (type === "uint32") return String(x >>> 0);
  if (type === "int32") return String(Math.trunc(x));
  const rounded = Math.fround(x);
  if (Number.isNaN(rounded)) return "0x7FC00000";
  if (!Number.isFinite(rounded)) return rounded > 0 ? "0x7F800000" : "0xFF800000";
  if (Object.is(rounded, -0)) return "-0.0";
  return rounded.toExponential().replace(/^(-?\d)e/, "$1.0e");
}

/** Writes one block of operations: the body of the function or a region of a loop. */
export class Writer {
  readonly lines: string[] = [];
  readonly #next: () => number;
  readonly #precision: Precision;
  readonly #constants = new Map<string, Term>();

  constructor({ next, precision }: { next: () => number; precision: Precision }) {
    this.#next = next;
    this.#precision = precision;
  }

  /** A nested block, with separate lines and constants but names from the same counter. */
  region(): Writer {
    return new Writer({ next: this.#next, precision: this.#precision });
  }

  fresh(): string {
    return `%${this.#next()}`;
  }

  emit(shape: readonly number[], type: ElementType, operation: string): Term {
    const term = { id: this.fresh(), shape, type };
    this.lines.push(`${term.id} = stablehlo.${operation}`);
    return term;
  }

  /** A literal of `shape`, filled by a single number if `data` is one. Written once per block. */
  constant(
    data: readonly number[] | number,
    shape: readonly number[] = [],
    type: ElementType = "float32",
  ): Term {
    const values = typeof data === "number" ? [data] : data;
    const nest = (axis: number, at: number): string =>
      axis === shape.length
        ? literal(values[at], type)
        : `[${
          Array.from({ length: shape[axis] }, (_, i) => nest(axis + 1, at * shape[axis] + i))
            .join(", ")
        }]`;
    const text = values.length === 1 ? literal(values[0], type) : nest(0, 0);
    const operation = `constant dense<${text}> : ${tensorType({ shape, type })}`;
    let term = this.#constants.get(operation);
    if (!term) this.#constants.set(operation, term = this.emit(shape, type, operation));
    return term;
  }

  unary(op: string, x: Term): Term {
    return this.emit(x.shape, x.type, `${op} ${x.id} : ${tensorType(x)}`);
  }

  /** An elementwise operation; operands are broadcast to the common shape, as in numpy. */
  binary(op: string, a: Term, b: Term): Term {
    const shape = broadcastShape(a.shape, b.shape);
    const [x, y] = [this.broadcast(a, shape), this.broadcast(b, shape)];
    return this.emit(shape, a.type, `${op} ${x.id}, ${y.id} : ${tensorType(x)}`);
  }

  compare(direction: "EQ" | "GE" | "GT" | "LE" | "LT", a: Term, b: Term): Term {
    const shape = broadcastShape(a.shape, b.shape);
    const [x, y] = [this.broadcast(a, shape), this.broadcast(b, shape)];
    const result = { shape, type: "bool" } as const;
    return this.emit(
      shape,
      "bool",
      `compare ${direction}, ${x.id}, ${y.id} : (${tensorType(x)}, ${tensorType(y)}) -> ${
        tensorType(result)
      }`,
    );
  }

  select(condition: Term, a: Term, b: Term): Term {
    const shape = broadcastShape(condition.shape, a.shape, b.shape);
    const [p, x, y] = [condition, a, b].map((t) => this.broadcast(t, shape));
    return this.emit(
      shape,
      x.type,
      `select ${p.id}, ${x.id}, ${y.id} : ${tensorType(p)}, ${tensorType(x)}`,
    );
  }

  convert(x: Term, type: ElementType): Term {
    return x.type === type ? x : this.#map(`convert ${x.id}`, x, x.shape, type);
  }

  /** Reads the bits as another type of 32 bits. */
  bitcast(x: Term, type: ElementType): Term {
    return this.#map(`bitcast_convert ${x.id}`, x, x.shape, type);
  }

  reshape(x: Term, shape: readonly number[]): Term {
    return sameShape(x.shape, shape) ? x : this.#map(`reshape ${x.id}`, x, shape);
  }

  /** Broadcasts `x`; axes are matched from the last, as in numpy. */
  broadcast(x: Term, shape: readonly number[]): Term {
    if (sameShape(x.shape, shape)) return x;
    const axes = x.shape.map((_, i) => i + shape.length - x.shape.length);
    return this.#map(`broadcast_in_dim ${x.id}, dims = ${list(axes)}`, x, shape);
  }

  transpose(x: Term, perm: readonly number[]): Term {
    const shape = perm.map((p) => x.shape[p]);
    return this.#map(`transpose ${x.id}, dims = ${list(perm)}`, x, shape);
  }

  reverse(x: Term, axes: readonly number[]): Term {
    return this.emit(x.shape, x.type, `reverse ${x.id}, dims = ${list(axes)} : ${tensorType(x)}`);
  }

  /** 0, 1, 2, ... along `axis`. */
  iota(shape: readonly number[], axis: number, type: ElementType): Term {
    return this.emit(shape, type, `iota dim = ${axis} : ${tensorType({ shape, type })}`);
  }

  reduce(op: string, x: Term, { axes, initial }: { axes: readonly number[]; initial: number }) {
    const init = this.constant(initial, [], x.type);
    const shape = x.shape.filter((_, i) => !axes.includes(i));
    return this.emit(
      shape,
      x.type,
      `reduce(${x.id} init: ${init.id}) applies stablehlo.${op} across dimensions = ${
        list(axes)
      } : (${tensorType(x)}, ${tensorType(init)}) -> ${tensorType({ shape, type: x.type })}`,
    );
  }

  slice(x: Term, { begin, end, steps }: Record<"begin" | "end" | "steps", readonly number[]>) {
    const shape = begin.map((b, i) => Math.ceil((end[i] - b) / steps[i]));
    const ranges = begin.map((b, i) => `${b}:${end[i]}${steps[i] === 1 ? "" : `:${steps[i]}`}`);
    return this.#map(`slice ${x.id} [${ranges.join(", ")}]`, x, shape);
  }

  /** Row `index` (int32) of the first axis, without that axis. */
  row(x: Term, index: Term): Term {
    const zero = this.constant(0, [], "int32");
    const starts = x.shape.map((_, axis) => axis === 0 ? index : zero);
    const sizes = [1, ...x.shape.slice(1)];
    const row = this.emit(
      sizes,
      x.type,
      `dynamic_slice ${[x, ...starts].map((t) => t.id).join(", ")}, sizes = ${list(sizes)} : (${
        [x, ...starts].map(tensorType).join(", ")
      }) -> ${tensorType({ shape: sizes, type: x.type })}`,
    );
    return this.reshape(row, x.shape.slice(1));
  }

  concat(parts: readonly Term[], axis: number): Term {
    const shape = parts[0].shape.map((d, i) =>
      i === axis ? parts.reduce((sum, p) => sum + p.shape[axis], 0) : d
    );
    const { type } = parts[0];
    return this.emit(
      shape,
      type,
      `concatenate ${parts.map((p) => p.id).join(", ")}, dim = ${axis} : (${
        parts.map(tensorType).join(", ")
      }) -> ${tensorType({ shape, type })}`,
    );
  }

  pad(
    x: Term,
    { low, high, value }: { low: readonly number[]; high: readonly number[]; value: number },
  ): Term {
    const fill = this.constant(value, [], x.type);
    const shape = x.shape.map((d, i) => d + low[i] + high[i]);
    return this.emit(
      shape,
      x.type,
      `pad ${x.id}, ${fill.id}, low = ${list(low)}, high = ${list(high)}, interior = ${
        list(low.map(() => 0))
      } : (${tensorType(x)}, ${tensorType(fill)}) -> ${tensorType({ shape, type: x.type })}`,
    );
  }

  /** Rows of `x` along `axis`, selected by `indices`. */
  gather(x: Term, indices: Term, axis: number): Term {
    const rank = indices.shape.length;
    const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
    const offsets = shape.map((_, i) => i).filter((i) => i < axis || i >= axis + rank);
    const sizes = x.shape.map((d, i) => i === axis ? 1 : d);
    const term = { id: this.fresh(), shape, type: x.type };
    this.lines.push(
      `${term.id} = "stablehlo.gather"(${x.id}, ${indices.id}) <{dimension_numbers = ` +
        `#stablehlo.gather<offset_dims = ${list(offsets)}, collapsed_slice_dims = [${axis}], ` +
        `start_index_map = [${axis}], index_vector_dim = ${rank}>, indices_are_sorted = false, ` +
        `slice_sizes = array<i64: ${sizes.join(", ")}>}> : (${tensorType(x)}, ${
          tensorType(indices)
        }) -> ${tensorType(term)}`,
    );
    return term;
  }

  /** Matrix products over the last two axes; operands have equal rank and batch shape. */
  dot(a: Term, b: Term, { transposeA, transposeB }: Record<"transposeA" | "transposeB", boolean>) {
    const n = a.shape.length - 2;
    const batch = [...a.shape.keys()].slice(0, n);
    const shape = [
      ...a.shape.slice(0, n),
      a.shape[transposeA ? n + 1 : n],
      b.shape[transposeB ? n : n + 1],
    ];
    const batching = n > 0 ? `batching_dims = ${list(batch)} x ${list(batch)}, ` : "";
    const [left, right] = [transposeA ? n : n + 1, transposeB ? n + 1 : n];
    return this.emit(
      shape,
      a.type,
      `dot_general ${a.id}, ${b.id}, ${batching}contracting_dims = [${left}] x [${right}], ` +
        `precision = [${this.#precision}, ${this.#precision}] : (${tensorType(a)}, ${
          tensorType(b)
        }) -> ${tensorType({ shape, type: a.type })}`,
    );
  }

  convolution(a: Term, b: Term, form: ConvolutionForm): Term {
    const { layout, shape, strides = ONE, padding, lhsDilation = ONE, rhsDilation = ONE } = form;
    const precision = `#stablehlo<precision ${this.#precision}>`;
    return this.emit(
      shape,
      a.type,
      `convolution(${a.id}, ${b.id}) dim_numbers = ${layout}, window = {stride = ${
        list(strides)
      }, pad = [${padding.map(list).join(", ")}], lhs_dilate = ${list(lhsDilation)}, rhs_dilate = ${
        list(rhsDilation)
      }, reverse = [false, false]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64, ` +
        `precision_config = [${precision}, ${precision}]} : (${tensorType(a)}, ${
          tensorType(b)
        }) -> ${tensorType({ shape, type: a.type })}`,
    );
  }

  #map(operation: string, x: Term, shape: readonly number[], type: ElementType = x.type): Term {
    return this.emit(
      shape,
      type,
      `${operation} : (${tensorType(x)}) -> ${tensorType({ shape, type })}`,
    );
  }
}

const ONE = [1, 1] as const;

function list(values: readonly number[]): string {
  return `[${values.join(", ")}]`;
}

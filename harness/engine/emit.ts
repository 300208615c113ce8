import {
  type OnnxAttribute,
  type OnnxInitializer,
  type OnnxNode,
  type OnnxType,
} from "./onnx_model.ts";

/** Collects nodes and constants; the same node asked for twice is written once. */
export class Emitter {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxInitializer[] = [];
  readonly #made = new Map<string, string>();

  /** Writes a node with one output and returns the name of that. */
  node(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
    domain = "",
  ): string {
    const key = JSON.stringify([op, inputs, attributes, domain]);
    let name = this.#made.get(key);
    if (!name) {
      name = `n${this.nodes.length}`;
      this.nodes.push({ op, domain, inputs, outputs: [name], attributes });
      this.#made.set(key, name);
    }
    return name;
  }

  /** A constant of `shape`; floats, int32, bool or int64. */
  constant(
    type: OnnxType & ("float32" | "int32" | "bool" | "int64"),
    shape: readonly number[],
    data: readonly number[],
  ): string {
    const key = `${type}[${shape}]${data.join()}`;
    let name = this.#made.get(key);
    if (!name) {
      name = `c${this.initializers.length}`;
      const values = type === "float32"
        ? Float32Array.from(data)
        : type === "int32"
        ? Int32Array.from(data)
        : type === "bool"
        ? Uint8Array.from(data)
        : BigInt64Array.from(data.map(BigInt));
      this.initializers.push({ name, type, shape, data: values });
      this.#made.set(key, name);
    }
    return name;
  }

  /** A vector of int64, as shapes, axes and bounds are given. */
  ints(data: readonly number[]): string {
    return this.constant("int64", [data.length], data);
  }

  float(value: number): string {
    return this.constant("float32", [], [value]);
  }

  reshape(x: string, shape: readonly number[]): string {
    return this.node("Reshape", [x, this.ints(shape)]);
  }

  transpose(x: string, perm: readonly number[]): string {
    return perm.every((p, i) => p === i) ? x : this.node("Transpose", [x], { perm });
  }

  slice(
    x: string,
    { begin, end, steps, axes }: {
      begin: readonly number[];
      end: readonly number[];
      steps?: readonly number[];
      axes: readonly number[];
    },
  ): string {
    return this.node("Slice", [
      x,
      this.ints(begin),
      this.ints(end),
      this.ints(axes),
      this.ints(steps ?? axes.map(() => 1)),
    ]);
  }
}

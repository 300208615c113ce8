/**
 * Encodes ONNX models given as plain records. Field numbers are those of onnx.proto (ONNX 1.19,
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
 *
 * @module
 */
import { bytes, encode, float, int, message, type Pieces, text } from "./protobuf.ts";

/** Element types by their TensorProto.DataType number. */
export const ONNX_TYPES = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  bool: 9,
  float64: 11,
} as const;

/** Name of an element type. */
export type OnnxType = keyof typeof ONNX_TYPES;

/** A node's attribute: a plain number is an int64, a list of numbers is int64s, floats are tagged. */
export type OnnxAttribute =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly strings: readonly string[] }
  | { readonly graph: OnnxGraph };

/** An operator call. */
export interface OnnxNode {
  readonly op: string;
  /** Domain of the operator set; the default domain if absent. */
  readonly domain?: string;
  /** Names of values; "" omits an optional input. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
  readonly name?: string;
}

/** The graphs among the attributes of `node`, such as the body of a loop. */
export function graphsOf({ attributes = {} }: OnnxNode): OnnxGraph[] {
  return Object.values(attributes).flatMap((value) =>
    typeof value === "object" && "graph" in value ? [value.graph] : []
  );
}

/** A graph input or output. A null `shape` leaves the shape open. */
export interface OnnxValue {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly (number | string)[] | null;
}

/** A constant tensor, row-major. */
export interface OnnxInitializer {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array;
}

/** A graph; nodes in topological order. */
export interface OnnxGraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly initializers: readonly OnnxInitializer[];
}

/** Operator-set version that the graphs use; {@link IR_VERSION} is the IR version that accompanies it. */
export const ONNX_OPSET = 18;
const IR_VERSION = 10;

/** Encodes a model file. `opsets` adds domains, by name, to the default one at {@link ONNX_OPSET}. */
export function encodeModel(
  graph: OnnxGraph,
  opsets: Readonly<Record<string, number>> = {},
): Uint8Array<ArrayBuffer> {
  const imports = Object.entries({ "": ONNX_OPSET, ...opsets });
  return encode(
    int(1, IR_VERSION),
    text(2, "laebench"),
    message(7, graphFields(graph)),
    ...imports.map(([domain, version]) => message(8, text(1, domain), int(2, version))),
  );
}

/** The fields of a graph as one: a call cannot take the hundred thousand of a deep one as arguments. */
function graphFields(graph: OnnxGraph): Pieces {
  return [
    ...graph.nodes.map((node) => message(1, ...nodeFields(node))),
    text(2, graph.name),
    ...graph.initializers.map((tensor) => message(5, ...tensorFields(tensor))),
    ...graph.inputs.map((value) => message(11, ...valueFields(value))),
    ...graph.outputs.map((value) => message(12, ...valueFields(value))),
  ].flat();
}

function nodeFields(node: OnnxNode): Pieces[] {
  return [
    ...node.inputs.map((name) => text(1, name)),
    ...node.outputs.map((name) => text(2, name)),
    ...(node.name ? [text(3, node.name)] : []),
    text(4, node.op),
    ...Object.entries(node.attributes ?? {}).map(([name, value]) =>
      message(5, text(1, name), ...attributeFields(value))
    ),
    ...(node.domain ? [text(7, node.domain)] : []),
  ];
}

function attributeFields(value: OnnxAttribute): Pieces[] {
  const TYPE = 20;
  if (typeof value === "number") return [int(3, value), int(TYPE, 2)];
  if (typeof value === "string") return [text(4, value), int(TYPE, 3)];
  if ("float" in value) return [float(2, value.float), int(TYPE, 1)];
  if ("floats" in value) return [...value.floats.map((x) => float(7, x)), int(TYPE, 6)];
  if ("strings" in value) return [...value.strings.map((s) => text(9, s)), int(TYPE, 8)];
  if ("graph" in value) return [message(6, graphFields(value.graph)), int(TYPE, 5)];
  return [...value.map((x) => int(8, x)), int(TYPE, 7)];
}

function tensorFields({ name, type, shape, data }: OnnxInitializer): Pieces[] {
  const count = shape.reduce((a, b) => a * b, 1);
  if (data.length !== count) {
    throw new RangeError(
      `Initializer "${name}" of shape [${shape}] needs ${count} elements, got ${data.length}`,
    );
  }
  return [
    ...shape.map((d) => int(1, d)),
    int(2, ONNX_TYPES[type]),
    text(8, name),
    bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  ];
}

function valueFields({ name, type, shape }: OnnxValue): Pieces[] {
  const dimension = (d: number | string) =>
    message(1, typeof d === "number" ? int(1, d) : text(2, d));
  return [
    text(1, name),
    message(
      2,
      message(1, int(1, ONNX_TYPES[type]), ...(shape ? [message(2, ...shape.map(dimension))] : [])),
    ),
  ];
}

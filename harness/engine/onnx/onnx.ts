import type { Key, NoiseKind } from "../../core/noise.ts";
import type { ArraySpec, DType } from "../../core/types.ts";
import { sizeOf, type Value } from "../graph/graph.ts";
import { schedule } from "../graph/loops.ts";
import { live, readBy } from "./emit.ts";
import { lower } from "./lower.ts";
import { encodeModel, graphsOf, type OnnxNode } from "../../formats/onnx_model.ts";
import { type ChunkRule, splitBatch } from "../graph/split_batch.ts";
import { splitState } from "../graph/split_state.ts";
import type { Traced } from "../graph/trace.ts";
import { rewriteLoops } from "../graph/rewrite_loops.ts";

/** A contiguous part of a host array and its name in the model. */
export interface Part {
  readonly value: string;
  readonly shape: readonly number[];
  readonly offset: number;
}

/** An argument, or a part of one, that the graph reads. */
export interface OnnxInput {
  readonly group: "state" | "input";
  readonly name: string;
  readonly part: Part;
}

/** Noise to draw before each run; `counters` names the int32 input with its counters. */
export interface OnnxNoise {
  readonly shape: readonly number[];
  readonly key: Key;
  readonly width: number;
  readonly kind: NoiseKind;
  readonly counters: string;
  readonly parts: readonly Part[];
}

/** A result and the parts of the model's outputs that form it. */
export interface OnnxOutput extends ArraySpec {
  readonly name: string;
  readonly parts: readonly Part[];
}

/** A model and the mapping of its inputs and outputs to the traced function. */
export interface OnnxProgram {
  readonly model: Uint8Array;
  /** Nodes of a loop's body count once. */
  readonly nodeCount: number;
  readonly inputs: readonly OnnxInput[];
  readonly noises: readonly OnnxNoise[];
  /** State entries that the function replaces. */
  readonly state: readonly OnnxOutput[];
  readonly outputs: readonly OnnxOutput[];
}

/** Options for writing a model. */
export interface OnnxOptions {
  /** Channels per block; 0 for plain layout. */
  readonly block: number;
  /** Rows of the batch, along which wide steps are split; 0 to disable splitting. */
  readonly batch?: number;
  readonly chunks?: ChunkRule;
  /** Elements per piece of a state update. */
  readonly pieceElements?: number;
}

/** Writes a traced function as an ONNX model. */
export function emitOnnx({ builder, state, outputs }: Traced, options: OnnxOptions): OnnxProgram {
  const { block, batch, chunks, pieceElements } = options;
  const names = [...Object.keys(state), ...Object.keys(outputs)];
  const rewritten = rewriteLoops(builder, [...Object.values(state), ...Object.values(outputs)]);
  const targets = batch ? splitBatch(builder, rewritten, { batch, rule: chunks }) : rewritten;
  const stateCount = Object.keys(state).length;
  const pieces = [
    ...splitState(builder, targets.slice(0, stateCount), { elements: pieceElements }),
    ...targets.slice(stateCount).map((v) => [v]),
  ];
  const values = schedule(pieces.flat());
  const layouts = lower(values, pieces.flat(), { block });
  const { emitter } = layouts;

  const fed = new Set(values.flatMap((v) => isFed(v) ? [layouts.plain(v)] : []));
  const constants = new Set(emitter.initializers.map((c) => c.name));
  const taken = new Set<string>();
  const outputName = (value: Value) => {
    let name = layouts.plain(value);
    // An output must come from a node that has no other output of the model.
    if (fed.has(name) || constants.has(name) || taken.has(name)) {
      const fresh = `copy${taken.size}`;
      emitter.nodes.push({ op: "Identity", inputs: [name], outputs: [fresh] });
      name = fresh;
    }
    taken.add(name);
    return name;
  };
  const results = targets.map((value, i): OnnxOutput => {
    let offset = 0;
    const parts = pieces[i].map((v): Part => {
      const part = { value: outputName(v), shape: v.shape, offset };
      offset += sizeOf(v.shape);
      return part;
    });
    return { name: names[i], shape: value.shape, dtype: dtypeOf(value), parts };
  });

  const made = results.flatMap(({ parts }) => parts.map((part) => part.value));
  const nodes = live(emitter.nodes, made);
  const read = new Set(nodes.flatMap(readBy));
  const feeds = values.filter((v) => isFed(v) && read.has(layouts.plain(v)));
  const partOf = (v: Value): Part => ({
    value: layouts.plain(v),
    shape: v.shape,
    offset: v.op === "view" ? v.offset : 0,
  });
  const sourceOf = (v: Value) => v.op === "view" ? v.inputs[0] : v;
  const inputs = feeds.flatMap((v): OnnxInput[] => {
    const source = sourceOf(v);
    if (source.op !== "input") return [];
    const [group, ...name] = source.name.split(".");
    return [{ group: group as "state" | "input", name: name.join("."), part: partOf(v) }];
  });
  const noises = values.flatMap((noise): OnnxNoise[] => {
    if (noise.op !== "noise") return [];
    const { key, width, kind, shape } = noise;
    const parts = feeds.filter((v) => sourceOf(v) === noise).map(partOf);
    return [{ key, width, kind, shape, counters: counterOf(noise), parts }];
  });
  const model = encodeModel({
    name: "step",
    nodes,
    initializers: emitter.initializers.filter(({ name }) => read.has(name)),
    inputs: feeds.map((v) => ({ name: layouts.plain(v), type: v.type, shape: v.shape })),
    outputs: results.flatMap(({ parts, dtype }) =>
      parts.map(({ value, shape }) => ({ name: value, type: dtype, shape }))
    ),
  }, { "com.microsoft.nchwc": 1, "com.microsoft": 1 });
  return {
    model,
    nodeCount: nodeCount(nodes),
    inputs,
    noises,
    state: results.slice(0, stateCount),
    outputs: results.slice(stateCount),
  };
}

/** Number of nodes, with those of graphs inside. */
function nodeCount(nodes: readonly OnnxNode[]): number {
  return nodes.reduce(
    (sum, node) => graphsOf(node).reduce((n, graph) => n + nodeCount(graph.nodes), sum + 1),
    0,
  );
}

function isFed({ op }: Value): boolean {
  return op === "input" || op === "noise" || op === "view";
}

function dtypeOf({ type, op }: Value): DType {
  if (type === "bool") {
    throw new TypeError(
      `Outputs of a compiled function must be float32 or int32, got bool (${op}): cast it to int32`,
    );
  }
  return type;
}

/** Name of the input with the counters of `noise`. Noise is drawn on the host before the run, so it must be an input. */
function counterOf(noise: Value): string {
  let [counters] = noise.inputs;
  while (counters.op === "reshape") [counters] = counters.inputs;
  if (counters.op !== "input" || !counters.name.startsWith("input.")) {
    throw new Error(
      `Noise counters are a computed value (${counters.op}): use the step counter or the row indices as given`,
    );
  }
  return counters.name.slice("input.".length);
}

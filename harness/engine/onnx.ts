import type { Key, NoiseKind } from "../noise.ts";
import type { ArraySpec, DType } from "../types.ts";
import { reachable, type Value } from "./graph.ts";
import { Lowering, noiseName } from "./lower.ts";
import { encodeModel } from "./onnx_model.ts";
import { type ChunkRule, splitBatch } from "./split_batch.ts";
import type { Traced } from "./trace.ts";
import { unroll } from "./unroll.ts";

/** A model, and how its inputs and outputs belong to the traced function. */
export interface OnnxProgram {
  readonly model: Uint8Array;
  readonly nodeCount: number;
  /** Arguments that the graph reads: `value` is the name in the model. */
  readonly inputs: readonly {
    readonly group: "state" | "input";
    readonly name: string;
    readonly value: string;
  }[];
  /** Noise to be drawn before each run; `counters` names the int32 input that it counts by. */
  readonly noises: readonly {
    readonly value: string;
    readonly shape: readonly number[];
    readonly key: Key;
    readonly width: number;
    readonly kind: NoiseKind;
    readonly counters: string;
  }[];
  /** State entries that the function replaces. */
  readonly state: readonly (ArraySpec & { readonly name: string; readonly value: string })[];
  readonly outputs: readonly (ArraySpec & { readonly name: string; readonly value: string })[];
}

/** Writes a traced function as an ONNX model; `block` is the number of channels a block, 0 for plain layout; `batch` rows are split into chunks. */
export function emitOnnx(
  traced: Traced,
  { block, batch, chunks }: {
    readonly block: number;
    readonly batch?: number;
    readonly chunks?: ChunkRule;
  },
): OnnxProgram {
  const names = { state: Object.keys(traced.state), outputs: Object.keys(traced.outputs) };
  const unrolled = unroll(traced.builder, [
    ...Object.values(traced.state),
    ...Object.values(traced.outputs),
  ]);
  const targets = batch ? splitBatch(traced.builder, unrolled, { batch, rule: chunks }) : unrolled;
  const schedule = reachable(targets);
  const lowering = new Lowering(schedule, targets, { block });
  const { emitter } = lowering;

  const taken = new Set(
    schedule.flatMap((v) => v.op === "input" ? [v.name] : v.op === "noise" ? [noiseName(v)] : []),
  );
  const outputName = (value: Value) => {
    let name = lowering.plain(value);
    // An output has to be made by a node, and by one that makes no other output.
    if (taken.has(name) || emitter.initializers.some((c) => c.name === name)) {
      const fresh = `copy${taken.size}`;
      emitter.nodes.push({ op: "Identity", inputs: [name], outputs: [fresh] });
      name = fresh;
    }
    taken.add(name);
    return name;
  };
  const described = targets.map((value, i) => ({
    name: [...names.state, ...names.outputs][i],
    shape: value.shape,
    dtype: dtypeOf(value),
    value: outputName(value),
  }));
  const noises = schedule.flatMap((value) => {
    if (value.op !== "noise") return [];
    const { key, width, kind, shape } = value;
    return [{ key, width, kind, shape, value: noiseName(value), counters: counterOf(value) }];
  });
  const inputs = schedule.flatMap((v) => v.op === "input" ? [v] : []).filter((v) =>
    emitter.nodes.some((n) => n.inputs.includes(v.name))
  );
  const model = encodeModel({
    name: "step",
    nodes: emitter.nodes,
    initializers: emitter.initializers,
    inputs: [
      ...inputs.map((v) => ({ name: v.name, type: v.type, shape: v.shape })),
      ...noises.map((n) => ({ name: n.value, type: "float32" as const, shape: n.shape })),
    ],
    outputs: described.map(({ value, dtype, shape }) => ({ name: value, type: dtype, shape })),
  }, { "com.microsoft.nchwc": 1, "com.microsoft": 1 });
  return {
    model,
    nodeCount: emitter.nodes.length,
    inputs: inputs.map((v) => {
      const [group, ...name] = v.name.split(".");
      return { group: group as "state" | "input", name: name.join("."), value: v.name };
    }),
    noises,
    state: described.slice(0, names.state.length),
    outputs: described.slice(names.state.length),
  };
}

function dtypeOf({ type, op }: Value): DType {
  if (type === "bool") {
    throw new TypeError(`A compiled function returned a bool (${op}): cast it to int32`);
  }
  return type;
}

/** Noise is drawn on the host before the run, so its counters have to be an input as it came in. */
function counterOf(noise: Value): string {
  let [counters] = noise.inputs;
  while (counters.op === "reshape") [counters] = counters.inputs;
  if (counters.op !== "input" || !counters.name.startsWith("input.")) {
    throw new Error(
      `Noise counts by a computed value (${counters.op}): use the step counter or the rows as they come in`,
    );
  }
  return counters.name.slice("input.".length);
}

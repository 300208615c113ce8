import * as ort from "onnxruntime-node";
import { fillNoise } from "../noise.ts";
import type {
  ArraySpec,
  Device,
  DeviceState,
  HostArray,
  HostArrays,
  Program,
  PureFunction,
} from "../types.ts";
import { sizeOf } from "./graph.ts";
import { emitOnnx, type OnnxProgram } from "./onnx.ts";
import { encodeModel } from "./onnx_model.ts";
import type { ChunkRule } from "./split_batch.ts";
import { trace } from "./trace.ts";

/** State of the CPU device: arrays of the host, since its memory is the host's. */
interface CpuState extends DeviceState {
  readonly arrays: HostArrays;
}

/** The CPU by ONNX Runtime: a step is one session, state is swapped between two sets of arrays. */
export async function openOnnxRuntime({ threads }: { readonly threads: number }): Promise<Device> {
  const block = await blockSize();
  const copy = (array: HostArray): HostArray => ({ ...array, data: array.data.slice() });
  return {
    name: "cpu",
    description: `onnxruntime-node ${ort.env.versions.node}, ${threads} threads, ${
      block ? `blocks of ${block}` : "plain layout"
    }`,
    upload: (arrays) => {
      const own = mapValues(arrays, copy);
      return Promise.resolve<CpuState>({ specs: own, arrays: own });
    },
    download: (state) => Promise.resolve(mapValues((state as CpuState).arrays, copy)),
    compile: (fn, specs) => compileOnnx(fn, specs, { threads, block }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Compiles `fn` for ONNX Runtime; `block` 0 keeps every array in plain layout, `batch` 0 the batch in one piece. */
export async function compileOnnx(
  fn: PureFunction,
  specs: {
    readonly state: Readonly<Record<string, ArraySpec>>;
    readonly inputs: Readonly<Record<string, ArraySpec>>;
  },
  { threads, block, batch, chunks, profile }: {
    readonly threads: number;
    readonly block: number;
    readonly batch?: number;
    readonly chunks?: ChunkRule;
    readonly profile?: string;
  },
): Promise<Program> {
  const started = performance.now();
  const program = emitOnnx(trace(fn, specs), {
    block,
    batch: batch ?? specs.inputs.images?.shape[0],
    chunks,
  });
  const traced = performance.now();
  const session = await createSession(program.model, { threads, profile });
  const compiled = performance.now();
  return {
    compiled: {
      nodes: program.nodeCount,
      traceSeconds: (traced - started) / 1000,
      compileSeconds: (compiled - traced) / 1000,
    },
    ...runner(session, program, specs),
    async [Symbol.asyncDispose]() {
      if (profile) session.endProfiling();
      await session.release();
    },
  };
}

function createSession(
  model: Uint8Array,
  { threads, profile }: { threads: number; profile?: string },
): Promise<ort.InferenceSession> {
  return ort.InferenceSession.create(model, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // The graph is simplified when it is built; what ONNX Runtime would add is made for constant weights.
    graphOptimizationLevel: "disabled",
    logSeverityLevel: 3,
    ...(profile ? { enableProfiling: true, profileFilePrefix: profile } : {}),
  });
}

function runner(
  session: ort.InferenceSession,
  program: OnnxProgram,
  specs: {
    readonly state: Readonly<Record<string, ArraySpec>>;
    readonly inputs: Readonly<Record<string, ArraySpec>>;
  },
): Pick<Program, "run"> {
  const noises = program.noises.map((draw) => ({
    ...draw,
    data: new Float32Array(sizeOf(draw.shape)),
  }));
  const outputs = program.outputs.map((o) => ({ ...o, array: allocate(o) }));
  // The arrays that the next state is written to: those of the state before.
  let spare: HostArrays = Object.fromEntries(program.state.map((s) => [s.name, allocate(s)]));
  return {
    async run(state, inputs) {
      const { arrays } = state as CpuState;
      checkArrays("state", arrays, specs.state);
      checkArrays("input", inputs, specs.inputs);
      for (const { data, counters, key, width, kind } of noises) {
        fillNoise(data, { key, counters: inputs[counters].data as Int32Array, width, kind });
      }
      const feeds: Record<string, ort.Tensor> = {};
      for (const { group, name, value } of program.inputs) {
        feeds[value] = tensor((group === "state" ? arrays : inputs)[name]);
      }
      for (const { data, shape, value } of noises) {
        feeds[value] = tensor({ data, shape, dtype: "float32" });
      }
      const fetches: Record<string, ort.Tensor> = {};
      const next = spare;
      for (const { name, value } of program.state) fetches[value] = tensor(next[name]);
      for (const { array, value } of outputs) fetches[value] = tensor(array);
      await session.run(feeds, fetches);
      spare = Object.fromEntries(program.state.map(({ name }) => [name, arrays[name]]));
      const all = { ...arrays, ...next };
      return {
        state: { specs: all, arrays: all } as CpuState,
        outputs: Object.fromEntries(
          outputs.map(({ name, array }) => [name, { ...array, data: array.data.slice() }]),
        ),
      };
    },
  };
}

function checkArrays(
  kind: string,
  arrays: HostArrays,
  specs: Readonly<Record<string, ArraySpec>>,
): void {
  for (const [name, { shape, dtype }] of Object.entries(specs)) {
    const array = arrays[name];
    if (!array || array.dtype !== dtype || array.shape.join() !== shape.join()) {
      throw new TypeError(
        `The ${kind} "${name}" should be ${dtype} [${shape}], it is ${
          array ? `${array.dtype} [${array.shape}]` : "missing"
        }`,
      );
    }
  }
}

function allocate({ shape, dtype }: ArraySpec): HostArray {
  const size = sizeOf(shape);
  return {
    shape,
    dtype,
    data: dtype === "float32" ? new Float32Array(size) : new Int32Array(size),
  };
}

function tensor({ data, shape, dtype }: HostArray): ort.Tensor {
  return dtype === "float32"
    ? new ort.Tensor("float32", data as Float32Array, shape)
    : new ort.Tensor("int32", data as Int32Array, shape);
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, f: (a: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([k, v]) => [k, f(v)]));
}

let knownBlock: Promise<number> | undefined;

/**
 * Channels a block on this processor, found by trial: 16 with AVX-512, 8 with AVX and NEON, 0 where a small blocked
 * convolution differs from the plain one or does not run.
 */
export function blockSize(): Promise<number> {
  return knownBlock ??= (async () => {
    for (const block of [16, 8]) if (await blockWorks(block)) return block;
    return 0;
  })();
}

async function blockWorks(block: number): Promise<boolean> {
  const model = encodeModel({
    name: "block_trial",
    nodes: [{
      op: "ReorderInput",
      domain: "com.microsoft.nchwc",
      inputs: ["x"],
      outputs: ["y"],
      attributes: { channels_last: 1 },
    }],
    inputs: [{ name: "x", type: "float32", shape: [1, 1, 2, 32] }],
    outputs: [{ name: "y", type: "float32", shape: null }],
    initializers: [],
  }, { "com.microsoft.nchwc": 1 });
  try {
    const session = await createSession(model, { threads: 1 });
    const { y } = await session.run({
      x: new ort.Tensor("float32", Float32Array.from({ length: 64 }, (_, i) => i), [1, 1, 2, 32]),
    });
    await session.release();
    // [n, c/b, h, w, b] of x[w][c] = 32 w + c: after the first block of pixel 0 comes that of pixel 1.
    return (y.data as Float32Array)[block] === 32 &&
      (y.data as Float32Array)[block - 1] === block - 1;
  } catch {
    return false; // this build has no blocked operators
  }
}

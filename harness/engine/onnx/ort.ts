import * as ort from "onnxruntime-node";
import { fillNoise } from "../../core/noise.ts";
import type {
  ArraySpec,
  Device,
  DeviceState,
  HostArray,
  HostArrays,
  Program,
  PureFunction,
} from "../../core/types.ts";
import { checkSpecs } from "../graph/check_specs.ts";
import { sizeOf } from "../graph/graph.ts";
import { emitOnnx, type OnnxOptions, type OnnxProgram, type Part } from "./onnx.ts";
import { encodeModel } from "../../formats/onnx_model.ts";
import { trace } from "../graph/trace.ts";

/** Shapes and types of the arguments of a program. */
export interface ProgramSpecs {
  readonly state: Readonly<Record<string, ArraySpec>>;
  readonly inputs: Readonly<Record<string, ArraySpec>>;
}

/** State of the CPU device, in host memory. */
interface CpuState extends DeviceState {
  readonly arrays: HostArrays;
}

/** Opens the CPU by ONNX Runtime: a step is one session; its state alternates between two sets of arrays. */
export async function openOnnxRuntime({ threads }: { readonly threads: number }): Promise<Device> {
  const block = await blockSize();
  return {
    name: "cpu",
    description: `onnxruntime-node ${ort.env.versions.node}, ${threads} threads, ${
      block ? `blocks of ${block}` : "plain layout"
    }`,
    upload: (arrays) => Promise.resolve(cpuState(mapValues(arrays, copy))),
    download: (state) => Promise.resolve(mapValues((state as CpuState).arrays, copy)),
    compile: (fn, specs) => compileOnnx(fn, specs, { threads, block }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Makes a state of `arrays` and takes ownership of them. */
function cpuState(arrays: HostArrays): CpuState {
  return { specs: arrays, arrays };
}

function copy(array: HostArray): HostArray {
  return { ...array, data: array.data.slice() };
}

/** Compiles `fn` for ONNX Runtime; `batch` defaults to the number of rows of the input `images`. */
export async function compileOnnx(
  fn: PureFunction,
  specs: ProgramSpecs,
  { threads, profile, open = openOnnxProgram, ...options }: OnnxOptions & {
    readonly threads: number;
    readonly profile?: string;
    /** Opens the session; openOnnxProgram by default. */
    readonly open?: typeof openOnnxProgram;
  },
): Promise<Program> {
  const started = performance.now();
  const program = emitOnnx(trace(fn, specs), { batch: specs.inputs.images?.shape[0], ...options });
  const traced = performance.now();
  const session = await open(program, specs, { threads, profile });
  const compiled = performance.now();
  return {
    compiled: {
      nodes: program.nodeCount,
      noiseCount: program.noises.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
      traceSeconds: (traced - started) / 1000,
      compileSeconds: (compiled - traced) / 1000,
    },
    async run(state, inputs) {
      const { arrays, outputs } = await session.run((state as CpuState).arrays, inputs);
      return { state: cpuState(arrays), outputs };
    },
    [Symbol.asyncDispose]: () => session.close(),
  };
}

/** An opened model; `run` consumes the arrays of the state. */
export interface OnnxSession {
  run(state: HostArrays, inputs: HostArrays): Promise<OnnxResult>;
  close(): Promise<void>;
}

/** The whole next state and the outputs. */
export interface OnnxResult {
  readonly arrays: HostArrays;
  readonly outputs: HostArrays;
}

/** Opens a session of ONNX Runtime in this thread; a run blocks the thread. */
export async function openOnnxProgram(
  program: OnnxProgram,
  specs: ProgramSpecs,
  { threads, profile }: { readonly threads: number; readonly profile?: string },
): Promise<OnnxSession> {
  const session = await createSession(program.model, { threads, profile });
  return {
    run: runner(session, program, specs),
    async close() {
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
    // The builder has simplified the graph; ONNX Runtime's optimizations are made for constant weights.
    graphOptimizationLevel: "disabled",
    logSeverityLevel: 3,
    // Otherwise its threads spin after a run and slow down the next session: 0.046 s instead of 0.028 s for a step of VAE
    // that alternates with a matrix product.
    extra: { session: { force_spinning_stop: "1" } },
    ...(profile ? { enableProfiling: true, profileFilePrefix: profile } : {}),
  });
}

function runner(
  session: ort.InferenceSession,
  program: OnnxProgram,
  specs: ProgramSpecs,
): OnnxSession["run"] {
  const noises = program.noises.map((noise) => ({
    ...noise,
    array: allocate({ ...noise, dtype: "float32" }),
  }));
  const outputs = program.outputs.map((o) => ({ ...o, array: allocate(o) }));
  // Arrays for the next state: those of the previous one.
  let spare: HostArrays = Object.fromEntries(program.state.map((s) => [s.name, allocate(s)]));
  return async (arrays, inputs) => {
    checkSpecs("state", arrays, specs.state);
    checkSpecs("input", inputs, specs.inputs);
    const feeds: Record<string, ort.Tensor> = {};
    for (const { array, counters, key, width, kind, parts } of noises) {
      fillNoise(array.data as Float32Array, {
        key,
        counters: inputs[counters].data as Int32Array,
        width,
        kind,
      });
      for (const part of parts) feeds[part.value] = tensor(array, part);
    }
    for (const { group, name, part } of program.inputs) {
      feeds[part.value] = tensor((group === "state" ? arrays : inputs)[name], part);
    }
    const fetches: Record<string, ort.Tensor> = {};
    const next = spare;
    for (const { name, parts } of program.state) {
      for (const part of parts) fetches[part.value] = tensor(next[name], part);
    }
    for (const { array, parts } of outputs) {
      for (const part of parts) fetches[part.value] = tensor(array, part);
    }
    await session.run(feeds, fetches);
    spare = Object.fromEntries(program.state.map(({ name }) => [name, arrays[name]]));
    return {
      arrays: { ...arrays, ...next },
      outputs: Object.fromEntries(outputs.map(({ name, array }) => [name, copy(array)])),
    };
  };
}

function allocate({ shape, dtype }: ArraySpec): HostArray {
  const size = sizeOf(shape);
  return {
    shape,
    dtype,
    data: dtype === "float32" ? new Float32Array(size) : new Int32Array(size),
  };
}

const tensors = new WeakMap<HostArray, Map<string, ort.Tensor>>();

/** Wraps a part of an array without a copy; cached because the same arrays are used again. */
function tensor(array: HostArray, { value, shape, offset }: Part): ort.Tensor {
  let known = tensors.get(array);
  if (!known) tensors.set(array, known = new Map());
  const key = `${value} [${shape}] ${offset}`; // different programs use the same names for different values
  let made = known.get(key);
  if (!made) {
    const view = array.data.subarray(offset, offset + sizeOf(shape));
    made = array.dtype === "float32"
      ? new ort.Tensor("float32", view as Float32Array, shape)
      : new ort.Tensor("int32", view as Int32Array, shape);
    known.set(key, made);
  }
  return made;
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, f: (a: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([k, v]) => [k, f(v)]));
}

let knownBlock: Promise<number> | undefined;

/**
 * Channels per block on this processor, found by trial: 16 with AVX-512, 8 with AVX and NEON, 0 if the blocked
 * reordering fails or gives another order.
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
    // In [n, c/b, h, w, b] of x[w][c] = 32 w + c, the first block of pixel 0 is followed by that of pixel 1.
    return (y.data as Float32Array)[block] === 32 &&
      (y.data as Float32Array)[block - 1] === block - 1;
  } catch {
    return false; // this build lacks the blocked operators
  }
}

/**
 * Devices of PJRT plugins: XLA compiles the steps, state and noise stay on the device, and only inputs and outputs are
 * copied.
 *
 * @module
 */
import { basename } from "node:path";
import type {
  ArraySpec,
  Device,
  DeviceState,
  HostArrays,
  Program,
  PureFunction,
} from "../../core/types.ts";
import { checkSpecs } from "../graph/check_specs.ts";
import { loadPlugin } from "./pjrt_api.ts";
import { cachedCompile } from "./pjrt_cache.ts";
import { type Client, type DeviceBuffer, type Executable, openClient } from "./pjrt_client.ts";
import type { XlaFlags } from "./pjrt_options.ts";
import { withHint } from "./pjrt_hint.ts";
import { emitStableHlo, type StableHloProgram } from "./stablehlo.ts";
import type { Precision } from "./stablehlo_writer.ts";
import { trace } from "../graph/trace.ts";

/** Options of a PJRT device. */
export interface PjrtOptions {
  /** Name on the command line. */
  readonly name: string;
  /** Whether float32 products on a GPU keep full precision (`HIGHEST`); otherwise operands may be rounded to TF32. */
  readonly highest?: boolean;
  /** Whether a program gives the same bits on every run on a GPU, at some cost in speed. */
  readonly deterministic?: boolean;
  /** Folder with NVIDIA's assembler (`bin/ptxas`) and device library. */
  readonly cudaDataFolder?: string;
  /** Folder for compiled programs; null to disable caching, in the user's cache by default. */
  readonly cache?: string | null;
}

/** A program compiled by XLA. */
export interface XlaProgram extends Program {
  /** The program after XLA's optimizations, for hlo_program.ts. */
  optimized(): Uint8Array<ArrayBuffer>;
}

interface PjrtState extends DeviceState {
  readonly buffers: Readonly<Record<string, DeviceBuffer>>;
}

/** Opens the first device of the plugin at `path`, of any vendor. Throws a one-line Error with the plugin's text and a hint. */
export function openPjrt(
  path: string,
  { name, highest = false, deterministic = false, cudaDataFolder, cache }: PjrtOptions,
): Device {
  const isGpu = /cuda|rocm|gpu/i.test(basename(path));
  const client = withHint(() =>
    // By default, XLA preallocates three quarters of a GPU's memory.
    openClient(loadPlugin(path), isGpu ? { preallocate: false } : {})
  );
  const flags = isGpu ? gpuFlags({ deterministic, cudaDataFolder }) : {};
  const modes = [highest ? "full float32" : "", deterministic ? "deterministic" : ""];
  return {
    name,
    description: [
      `XLA on ${client.kind || client.platform}`,
      `PJRT ${client.plugin.version} of ${basename(path)}`,
      ...modes.filter(Boolean),
    ].join(", "),
    gpuCount: client.deviceCount,
    upload: (arrays) => withHint(() => Promise.resolve(upload(client, arrays))),
    download: (state) => withHint(() => download(client, (state as PjrtState).buffers)),
    compile: (fn, specs) =>
      withHint(() =>
        compile(client, fn, { ...specs, flags, precision: highest ? "HIGHEST" : "DEFAULT", cache })
      ),
    [Symbol.asyncDispose]: () => Promise.resolve(client[Symbol.dispose]()),
  };
}

/**
 * XLA's flags for a GPU. With `deterministic`, xla_gpu_deterministic_ops excludes kernels that sum in a varying order
 * and chooses among the others without timing them, so that runs and processes agree bit for bit.
 */
export function gpuFlags(
  { deterministic = false, cudaDataFolder }: Pick<PjrtOptions, "deterministic" | "cudaDataFolder">,
): XlaFlags {
  return {
    ...deterministic ? { xla_gpu_deterministic_ops: true } : {},
    ...cudaDataFolder ? { xla_gpu_cuda_data_dir: cudaDataFolder } : {},
  };
}

function upload(client: Client, arrays: HostArrays): PjrtState {
  const buffers = Object.fromEntries(
    Object.entries(arrays).map(([name, array]) => [name, client.upload(array)]),
  );
  return { specs: buffers, buffers };
}

async function download(
  client: Client,
  buffers: Readonly<Record<string, DeviceBuffer>>,
): Promise<HostArrays> {
  const arrays = await client.download(Object.values(buffers));
  return Object.fromEntries(Object.keys(buffers).map((name, i) => [name, arrays[i]]));
}

async function compile(
  client: Client,
  fn: PureFunction,
  { state, inputs, flags, precision, cache }: {
    readonly state: Readonly<Record<string, ArraySpec>>;
    readonly inputs: Readonly<Record<string, ArraySpec>>;
    readonly flags: XlaFlags;
    readonly precision: Precision;
    readonly cache?: string | null;
  },
): Promise<XlaProgram> {
  const started = performance.now();
  const program = emitStableHlo(trace(fn, { state, inputs }), { precision });
  const traced = performance.now();
  const signature = { results: [...program.state, ...program.outputs], donated: program.donated };
  const executable = await cachedCompile(client, {
    text: program.text,
    signature,
    flags,
    folder: cache,
  });
  const compiled = performance.now();
  const begin: NonNullable<Program["begin"]> = (from, arrays) =>
    withHint(() => {
      checkSpecs("state", from.specs, state);
      checkSpecs("input", arrays, inputs);
      const begun = beginRun(client, { program, executable }, {
        state: from as PjrtState,
        inputs: arrays,
      });
      return { ...begun, outputs: withHint(() => begun.outputs) };
    });
  return {
    compiled: {
      nodes: program.nodeCount,
      noiseCount: 0,
      traceSeconds: (traced - started) / 1000,
      compileSeconds: (compiled - traced) / 1000,
    },
    begin,
    run: async (from, arrays) => {
      const { state, outputs } = begin(from, arrays);
      return { state, outputs: await outputs };
    },
    optimized: executable.optimized,
    [Symbol.asyncDispose]: () => Promise.resolve(executable[Symbol.dispose]()),
  };
}

function beginRun(
  client: Client,
  { program, executable }: { program: StableHloProgram; executable: Executable },
  { state, inputs }: { state: PjrtState; inputs: HostArrays },
): { state: PjrtState; outputs: Promise<HostArrays> } {
  const fed = new Map<string, DeviceBuffer>();
  let results: DeviceBuffer[];
  try {
    const arguments_ = program.inputs.map(({ group, name }) => {
      if (group === "state") return state.buffers[name];
      const buffer = client.upload(inputs[name]);
      fed.set(name, buffer);
      return buffer;
    });
    results = executable.run(arguments_);
  } finally {
    fed.forEach(client.free); // the device keeps a buffer for as long as it needs it
  }
  const shown = results.slice(program.state.length);
  const outputs = download(
    client,
    Object.fromEntries(program.outputs.map(({ name }, i) => [name, shown[i]])),
  ).finally(() => shown.forEach(client.free));
  // Free the replaced state that the program did not use up.
  for (const { name } of program.state) client.free(state.buffers[name]);
  const buffers = {
    ...state.buffers,
    ...Object.fromEntries(program.state.map(({ name }, i) => [name, results[i]])),
  };
  return { state: { specs: buffers, buffers }, outputs };
}

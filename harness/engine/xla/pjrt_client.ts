/**
 * A device of a PJRT plugin: its buffers and compiled programs.
 *
 * @module
 */
import type { ArraySpec, DType, HostArray } from "../../core/types.ts";
import { sizeOf } from "../graph/graph.ts";
import { Args, type Plugin } from "./pjrt_api.ts";
import {
  compileOptions,
  type NamedValues,
  namedValues,
  programArgs,
  type XlaFlags,
} from "./pjrt_options.ts";

/** PJRT_Buffer_Type of the arrays that are uploaded and downloaded. */
const BUFFER_TYPE: Readonly<Record<DType, number>> = { int32: 4, float32: 11 };
/** PJRT_HostBufferSemantics: the call copies the array. */
const IMMUTABLE_ONLY_DURING_CALL = 0;

/** An array on the device. */
export interface DeviceBuffer extends ArraySpec {
  readonly address: bigint;
}

/** A compiled program. */
export interface Executable extends Disposable {
  /** Runs the program and returns its results in order. It uses up the donated arguments even if it fails. */
  run(inputs: readonly DeviceBuffer[]): DeviceBuffer[];
  /** The program after XLA's optimizations, for hlo_program.ts. Throws PjrtError if the plugin does not show it. */
  optimized(): Uint8Array<ArrayBuffer>;
  /** Bytes for `Client.load`. */
  serialize(): Uint8Array<ArrayBuffer>;
}

/** Results and donated arguments of an executable. */
export interface Signature {
  readonly results: readonly ArraySpec[];
  /** Positions of arguments whose buffers the program reuses. */
  readonly donated: readonly number[];
}

/** A client of a plugin on its first device. */
export interface Client extends Disposable {
  readonly plugin: Plugin;
  /** Such as `cpu` or `cuda`. */
  readonly platform: string;
  readonly platformVersion: string;
  /** Such as `NVIDIA H200`. */
  readonly kind: string;
  /** Number of devices that the plugin found; the client uses the first. */
  readonly deviceCount: number;
  /** Copies the array before it returns. An error of the transfer is reported where the buffer is used. */
  upload(array: HostArray): DeviceBuffer;
  /** Copies several buffers to the host in parallel. */
  download(buffers: readonly DeviceBuffer[]): Promise<HostArray[]>;
  free(buffer: DeviceBuffer): void;
  /** Number of live buffers. */
  bufferCount(): number;
  compile(program: string, signature: Signature, flags: XlaFlags): Promise<Executable>;
  load(bytes: Uint8Array<ArrayBuffer>, signature: Signature): Promise<Executable>;
  /** Current and peak memory use in bytes; peak is 0 if the plugin does not report it. */
  memory(): { readonly inUse: number; readonly peak: number };
}

/** Opens the first device of `plugin`. Buffers are freed when they become garbage, and all of them at disposal. */
export function openClient(plugin: Plugin, options: NamedValues): Client {
  const count = Object.keys(options).length;
  const client = plugin.call("Client_Create", { 16: namedValues(options), 24: count }).word(64);
  const devices = plugin.call("Client_AddressableDevices", { 16: client });
  const pointer = Deno.UnsafePointer.create(devices.word(24));
  if (!pointer || devices.word(32) === 0n) {
    throw new Error(`The plugin ${plugin.path} did not find a device`);
  }
  const device = new Deno.UnsafePointerView(pointer).getBigUint64(0);
  const description = plugin.call("Device_GetDescription", { 16: device }).word(24);

  const live = new Set<bigint>();
  const free = (address: bigint) => {
    if (live.delete(address)) plugin.call("Buffer_Destroy", { 16: address });
  };
  const garbage = new FinalizationRegistry<bigint>(free);
  const own = (address: bigint, { shape, dtype }: ArraySpec): DeviceBuffer => {
    const buffer = { address, shape, dtype };
    live.add(address);
    garbage.register(buffer, address, buffer);
    return buffer;
  };
  const release = (buffer: DeviceBuffer) => {
    garbage.unregister(buffer); // the address may be reused
    free(buffer.address);
  };
  const executable = (address: bigint, { results, donated }: Signature): Executable => ({
    run(inputs) {
      const addresses = BigUint64Array.from(inputs, (b) => b.address);
      const outputs = new BigUint64Array(results.length);
      try {
        plugin.call("LoadedExecutable_Execute", {
          16: address,
          24: EXECUTE_OPTIONS,
          32: [addresses],
          40: 1, // devices
          48: inputs.length,
          56: [outputs],
        });
      } finally {
        // Their memory belongs to the results now, but their handles still must be freed.
        for (const i of donated) release(inputs[i]);
      }
      return results.map((spec, i) => own(outputs[i], spec));
    },
    optimized: () => optimizedProgram(plugin, unloaded(address)),
    serialize() {
      const result = plugin.call("Executable_Serialize", { 16: unloaded(address) });
      const bytes = result.blob(24);
      const deleter = Deno.UnsafePointer.create(result.word(48));
      if (deleter) {
        new Deno.UnsafeFnPointer(
          deleter as Deno.PointerObject<typeof DELETER>,
          DELETER,
        ).call(Deno.UnsafePointer.create(result.word(40)));
      }
      return bytes;
    },
    [Symbol.dispose]: () => void plugin.call("LoadedExecutable_Destroy", { 16: address }),
  });
  const unloaded = (loaded: bigint) =>
    plugin.call("LoadedExecutable_GetExecutable", { 16: loaded }).word(24);

  return {
    plugin,
    platform: plugin.call("Client_PlatformName", { 16: client }).text(24),
    platformVersion: plugin.call("Client_PlatformVersion", { 16: client }).text(24),
    kind: plugin.call("DeviceDescription_Kind", { 16: description }).text(24),
    deviceCount: Number(devices.word(32)),
    upload({ data, shape, dtype }) {
      const result = plugin.call("Client_BufferFromHostBuffer", {
        16: client,
        24: bytesOf(data),
        32: BUFFER_TYPE[dtype],
        40: BigUint64Array.from(shape, BigInt),
        48: shape.length,
        72: IMMUTABLE_ONLY_DURING_CALL,
        80: device,
      });
      plugin.forget(result.word(104)); // signals that the host memory is free, which it is already
      return own(result.word(112), { shape, dtype });
    },
    async download(buffers) {
      const started = buffers.map(({ address, shape, dtype }) => {
        const size = sizeOf(shape);
        const data = dtype === "float32" ? new Float32Array(size) : new Int32Array(size);
        const event = plugin.call("Buffer_ToHostBuffer", {
          16: address,
          32: bytesOf(data),
          40: data.byteLength,
        }).word(48);
        return { array: { shape, dtype, data }, event };
      });
      for (const { event } of started) await plugin.wait(event);
      return started.map(({ array }) => array);
    },
    free: release,
    bufferCount: () => live.size,
    async compile(text, signature, flags) {
      const settings = compileOptions(flags);
      const result = await plugin.callAsync("Client_Compile", {
        16: client,
        24: programArgs(text),
        32: settings,
        40: settings.length,
      });
      return executable(result.word(48), signature);
    },
    async load(bytes, signature) {
      const result = await plugin.callAsync("Executable_DeserializeAndLoad", {
        16: client,
        24: bytes,
        32: bytes.length,
      });
      return executable(result.word(40), signature);
    },
    memory() {
      const { view } = plugin.call("Device_MemoryStats", { 16: device });
      return {
        inUse: Number(view.getBigInt64(24, true)),
        peak: view.getUint8(40) ? Number(view.getBigInt64(32, true)) : 0,
      };
    },
    [Symbol.dispose]() {
      for (const address of [...live]) free(address);
      plugin.call("Client_Destroy", { 16: client });
    },
  };
}

const DELETER = { parameters: ["pointer"], result: "void" } as const;
const EXECUTE_OPTIONS = new Args();

/** The program of a PJRT_Executable after XLA's optimizations, in the form that the plugin shows. */
export function optimizedProgram(plugin: Plugin, executable: bigint): Uint8Array<ArrayBuffer> {
  const program = new Args();
  const fields = { 16: executable, 24: program };
  plugin.call("Executable_OptimizedProgram", fields); // returns its size
  const code = new Uint8Array(Number(program.word(24)));
  program.set(16, code);
  plugin.call("Executable_OptimizedProgram", fields);
  return code;
}

/** Views an array as bytes. */
function bytesOf(data: Float32Array | Int32Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
}

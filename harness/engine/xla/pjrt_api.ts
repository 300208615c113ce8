/**
 * The PJRT C API (xla/pjrt/c/pjrt_c_api.h) through Deno's FFI. Offsets are those of header 0.81, checked against the
 * header with a compiler; since 0.57, fields and functions have only been appended.
 *
 * Every function is `PJRT_Error* f(Args*)`, returns null on success, and writes its results into the same Args. A plugin
 * accepts an Args larger than its own and reads the rest as null, so each call passes one zeroed block that is larger
 * than the Args of any version.
 *
 * @module
 */

import process from "node:process";
import { pinLibrary } from "./pin_library.ts";

/** Byte offset of each function in PJRT_Api. */
const FUNCTIONS = {
  Error_Destroy: 40,
  Error_Message: 48,
  Error_GetCode: 56,
  Plugin_Initialize: 64,
  Event_Destroy: 80,
  Event_IsReady: 88,
  Event_Await: 104,
  Client_Create: 120,
  Client_Destroy: 128,
  Client_PlatformName: 136,
  Client_PlatformVersion: 152,
  Client_AddressableDevices: 168,
  Client_Compile: 200,
  Client_BufferFromHostBuffer: 216,
  DeviceDescription_Kind: 248,
  Device_GetDescription: 272,
  Device_MemoryStats: 312,
  Executable_Destroy: 360,
  Executable_OptimizedProgram: 424,
  Executable_Serialize: 432,
  LoadedExecutable_Destroy: 440,
  LoadedExecutable_GetExecutable: 448,
  LoadedExecutable_Execute: 480,
  Executable_DeserializeAndLoad: 488,
  Buffer_Destroy: 504,
  Buffer_ToHostBuffer: 600,
  TopologyDescription_Create: 696,
  TopologyDescription_Destroy: 704,
  Compile: 752,
  Executable_GetCompiledMemoryStats: 808,
} as const;

/** A function of the API, without its prefix `PJRT_`. */
export type PjrtFunction = keyof typeof FUNCTIONS;

/** Size of the block in bytes, larger than any Args: the largest of header 0.112 has 200. */
const ARGS_SIZE = 512;
/** Minor version since which the layout has only grown. */
const OLDEST_MINOR = 57;
const SIGNATURE = { parameters: ["buffer"], result: "pointer" } as const;
const SIGNATURE_ASYNC = { parameters: ["buffer"], result: "pointer", nonblocking: true } as const;

/** Value of a field: a number or pointer, an array or block (by address), or a list of pointers to arrays. */
export type Field =
  | bigint
  | number
  | Uint8Array
  | BigUint64Array
  | Args
  | readonly BigUint64Array[];

/** Fields by byte offset. */
export type Fields = Readonly<Record<number, Field>>;

/** A little-endian block of arguments that starts with its size. It keeps alive what its fields point to. */
export class Args {
  readonly bytes: Uint8Array<ArrayBuffer> = new Uint8Array(ARGS_SIZE);
  readonly view: DataView = new DataView(this.bytes.buffer);
  readonly #kept: unknown[] = [];

  constructor(fields: Fields = {}) {
    this.set(0, ARGS_SIZE);
    for (const [offset, field] of Object.entries(fields)) this.set(Number(offset), field);
  }

  set(offset: number, field: Field): void {
    this.#kept.push(field);
    this.view.setBigUint64(offset, this.#wordOf(field), true);
  }

  #wordOf(field: Field): bigint {
    if (typeof field === "bigint" || typeof field === "number") return BigInt(field);
    if (field instanceof Args) return addressOf(field.bytes);
    if (ArrayBuffer.isView(field)) return addressOf(field as BufferSource);
    const pointers = BigUint64Array.from(field, (array) => addressOf(array as BufferSource));
    this.#kept.push(pointers);
    return addressOf(pointers);
  }

  /** Reads a 64-bit result. */
  word(offset: number): bigint {
    return this.view.getBigUint64(offset, true);
  }

  /** Reads a result of characters: pointer, then length. */
  text(offset: number): string {
    return new TextDecoder().decode(this.blob(offset));
  }

  /** Copies a result of bytes: pointer, then length. */
  blob(offset: number): Uint8Array<ArrayBuffer> {
    const pointer = Deno.UnsafePointer.create(this.word(offset));
    const size = Number(this.word(offset + 8));
    if (!pointer || size === 0) return new Uint8Array();
    return new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(pointer, size)).slice();
  }
}

/** Address of the first byte of `data`, valid for as long as `data` is alive. */
export function addressOf(data: BufferSource): bigint {
  return data.byteLength === 0 ? 0n : Deno.UnsafePointer.value(Deno.UnsafePointer.of(data));
}

/** An error returned by the plugin, its text in one line. `code` is an absl::StatusCode; 8 is out of memory. */
export class PjrtError extends Error {
  override readonly name = "PjrtError";
  readonly code: number;

  constructor(message: string, code: number) {
    super(message);
    this.code = code;
  }
}

/** A loaded plugin. */
export interface Plugin {
  readonly path: string;
  /** Version of its API, such as `0.112`. */
  readonly version: string;
  /** Calls a function and returns its arguments with the results. Throws PjrtError. */
  call(name: PjrtFunction, fields: Fields): Args;
  /** Like `call`, but on another thread, for long calls. */
  callAsync(name: PjrtFunction, fields: Fields): Promise<Args>;
  /** Waits for an event and destroys it; returns at once for the null event. */
  wait(event: bigint): Promise<void>;
  /** Destroys an event without waiting for it. */
  forget(event: bigint): void;
}

/** Loads and initializes the plugin at `path`. Throws Error if it is not a plugin or its version is unsupported. */
export function loadPlugin(path: string): Plugin {
  const table = openTable(path);
  const size = Number(table.getBigUint64(0));
  const [major, minor] = [table.getInt32(32), table.getInt32(36)];
  const version = `${major}.${minor}`;
  checkVersion({ major, minor }, path);
  const find = (name: PjrtFunction): Deno.PointerObject => {
    const offset = FUNCTIONS[name];
    const pointer = offset + 8 <= size
      ? Deno.UnsafePointer.create(table.getBigUint64(offset))
      : null;
    if (!pointer) {
      throw new Error(
        `The plugin ${path} (PJRT API ${version}) lacks PJRT_${name}: use a newer plugin`,
      );
    }
    return pointer;
  };
  const functions = new Map<PjrtFunction, Deno.UnsafeFnPointer<typeof SIGNATURE>>();
  const invoke = (name: PjrtFunction, args: Args) => {
    let fn = functions.get(name);
    if (!fn) {
      fn = new Deno.UnsafeFnPointer(find(name) as Deno.PointerObject<typeof SIGNATURE>, SIGNATURE);
      functions.set(name, fn);
    }
    return fn.call(args.bytes);
  };
  const check = (name: PjrtFunction, error: Deno.PointerValue) => {
    if (!error) return;
    const address = Deno.UnsafePointer.value(error);
    const [message, code] = [new Args({ 16: address }), new Args({ 16: address })];
    invoke("Error_Message", message);
    invoke("Error_GetCode", code);
    const text = message.text(24).replace(/\s+/g, " ").trim();
    invoke("Error_Destroy", new Args({ 16: address }));
    throw new PjrtError(`PJRT_${name}: ${text}`, code.view.getInt32(24, true));
  };
  const plugin: Plugin = {
    path,
    version,
    call(name, fields) {
      const args = new Args(fields);
      check(name, invoke(name, args));
      return args;
    },
    async callAsync(name, fields) {
      const args = new Args(fields);
      const fn = new Deno.UnsafeFnPointer(
        find(name) as Deno.PointerObject<typeof SIGNATURE_ASYNC>,
        SIGNATURE_ASYNC,
      );
      check(name, await fn.call(args.bytes));
      return args;
    },
    async wait(event) {
      if (event === 0n) return;
      try {
        if (plugin.call("Event_IsReady", { 16: event }).view.getUint8(24) === 0) {
          await plugin.callAsync("Event_Await", { 16: event });
        } else plugin.call("Event_Await", { 16: event }); // reports its error
      } finally {
        plugin.forget(event);
      }
    },
    forget(event) {
      if (event !== 0n) plugin.call("Event_Destroy", { 16: event });
    },
  };
  plugin.call("Plugin_Initialize", {});
  return plugin;
}

/** Throws Error for a plugin whose structs may have another layout. */
export function checkVersion(
  { major, minor }: { readonly major: number; readonly minor: number },
  path: string,
): void {
  if (major === 0 && minor >= OLDEST_MINOR) return;
  throw new Error(
    `The plugin ${path} has PJRT API ${major}.${minor}, but 0.${OLDEST_MINOR} or a later 0.x is needed: use a plugin of another version`,
  );
}

/** Variable that sets how much a plugin of XLA logs, from 0 (all) to 3 (fatal errors). */
const LOG_VARIABLE = "TF_CPP_MIN_LOG_LEVEL";

/** Keeps XLA from logging the errors that it also returns, unless the user has set another level. */
function quieten(): void {
  const { state } = Deno.permissions.querySync({ name: "env", variable: LOG_VARIABLE });
  if (state === "granted") process.env[LOG_VARIABLE] ??= "3";
}

function openTable(path: string): Deno.UnsafePointerView {
  let table: Deno.PointerValue;
  quieten();
  try {
    const library = Deno.dlopen(path, { GetPjrtApi: { parameters: [], result: "pointer" } });
    pinLibrary(path);
    table = library.symbols.GetPjrtApi();
  } catch (error) {
    const text = error instanceof Error ? error.message.replace(/\s+/g, " ") : String(error);
    const reason = text.replace(/^(Could not open library: )+/, "");
    throw new Error(`The plugin ${path} cannot be loaded: ${reason}`, { cause: error });
  }
  if (!table) throw new Error(`The plugin ${path} cannot be loaded: it did not return a PJRT API`);
  return new Deno.UnsafePointerView(table);
}

/**
 * Reads Python pickles: protocol 2 and the few later opcodes that PyTorch and CIFAR-10 use
 * (https://docs.python.org/3/library/pickletools.html). The reader only builds data: it looks up each global in a
 * table given by the caller and refuses a global that the table lacks, so a file cannot run code.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { excerpt } from "../core/plain_text.ts";

/** A value of a pickle: a tuple is an array, a dict is a Map, `opaque` wraps an object made by the table. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly PickleValue[]
  | ReadonlyMap<PickleValue, PickleValue>
  | { readonly opaque: unknown };

/** Meaning of the few names that a file may use. */
export interface PickleTable {
  /** Callables by `module.name`. A name that a file uses without calling it is a plain marker. */
  readonly globals: Readonly<Record<string, (args: readonly PickleValue[]) => PickleValue>>;
  /** Resolves a persistent id; PyTorch uses them for storages. */
  persistent(id: PickleValue): PickleValue;
  /** Applies `state` to an object made by a global; if absent, the state is ignored. */
  build?(object: PickleValue, state: PickleValue): void;
}

/** A global on the stack. */
interface Global {
  readonly opaque: { readonly global: string };
}

/** Describes `value` in a message: numbers as they are, text in quotes, the rest by kind, since nesting has no bounds. */
export function describeValue(value: PickleValue | undefined): string {
  if (value === undefined) return "nothing";
  if (value instanceof Map) return "a dict";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "string") return excerpt(JSON.stringify(value));
  return typeof value === "object" && value !== null ? "an object" : excerpt(String(value));
}

/** Returns the name of the global if `value` is one, else undefined. */
export function globalName(value: PickleValue): string | undefined {
  if (value === null || typeof value !== "object" || !("opaque" in value)) return undefined;
  const inner = value.opaque;
  return typeof inner === "object" && inner !== null && "global" in inner
    ? String(inner.global)
    : undefined;
}

/**
 * Reads one pickle from `bytes` at offset `start`; `end` is the offset after it. Throws SyntaxError, with the
 * offset, on truncated bytes, on an unsupported opcode, and on a global that `table` lacks.
 */
export function unpickle(
  bytes: Uint8Array,
  start: number,
  table: PickleTable,
): { readonly value: PickleValue; readonly end: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stack: PickleValue[] = [];
  const marks: number[] = [];
  const memo = new Map<number, PickleValue>();
  let at = start;

  function fail(what: string): never {
    throw new SyntaxError(`Pickle at byte ${at}: ${what}`);
  }
  function take(count: number): number {
    if (count > bytes.length - at) fail(`ends early, ${count} more bytes expected`);
    at += count;
    return at - count;
  }
  function pop(): PickleValue {
    // A mark opens a collection: values below the mark are out of bounds until the collection closes.
    if (stack.length <= (marks.at(-1) ?? 0)) fail("pops from an empty stack");
    return stack.pop() ?? null;
  }
  function popMarked(): PickleValue[] {
    const mark = marks.pop();
    if (mark === undefined) fail("closes a collection that was not opened");
    return stack.splice(mark);
  }
  function line(): string {
    const end = bytes.indexOf(10, at);
    if (end < 0) fail("ends early, in a name");
    return decode(take(end + 1 - at), end);
  }
  function decode(from: number, to: number): string {
    return new TextDecoder().decode(bytes.subarray(from, to));
  }
  function text(length: number): string {
    const from = take(length);
    return decode(from, from + length);
  }
  /** Reads a byte string of Python 2, one character per byte. */
  function latin1(length: number): string {
    if (length < 0) fail(`holds a string of ${length} bytes`);
    const from = take(length);
    return Buffer.from(bytes.buffer, bytes.byteOffset + from, length).toString("latin1");
  }
  function recall(key: number): PickleValue {
    const value = memo.get(key);
    if (value === undefined) fail(`memo ${key} was never set`);
    return value;
  }
  function memoize(key: number): void {
    if (stack.length === 0) fail("memoizes an empty stack");
    memo.set(key, stack[stack.length - 1]);
  }
  function append(items: readonly PickleValue[]): void {
    const list = stack.at(-1);
    if (!Array.isArray(list)) fail("appends to a value that is not a list");
    for (const item of items) list.push(item);
  }
  function setItems(items: readonly PickleValue[]): void {
    const dict = stack.at(-1);
    if (!(dict instanceof Map)) fail("sets an item of a value that is not a dict");
    if (items.length % 2 !== 0) fail("a key has no value");
    for (let i = 0; i < items.length; i += 2) dict.set(items[i], items[i + 1]);
  }
  function callGlobal(): PickleValue {
    const args = pop();
    const callee = pop();
    const name = globalName(callee);
    if (name === undefined || !Array.isArray(args)) {
      fail("calls a value that is not a known function");
    }
    try {
      return table.globals[name](args);
    } catch (error) {
      fail(`${name}: ${error instanceof Error ? error.message : error}`);
    }
  }
  function lookUp(name: string): Global {
    if (!Object.hasOwn(table.globals, name)) {
      fail(`refused unsupported global ${excerpt(JSON.stringify(name))}`);
    }
    return { opaque: { global: name } };
  }

  for (;;) {
    const opcode = bytes[take(1)];
    switch (opcode) {
      case 0x80: { // PROTO
        const protocol = bytes[take(1)];
        if (protocol > 4) fail(`protocol ${protocol} is newer than 4`);
        break;
      }
      case 0x2e: { // STOP
        const value = pop();
        if (stack.length > 0 || marks.length > 0) fail("stops with values left over");
        return { value, end: at };
      }
      // deno-fmt-ignore
      case 0x28: marks.push(stack.length); break; // MARK
      // deno-fmt-ignore
      case 0x4e: stack.push(null); break; // NONE
      // deno-fmt-ignore
      case 0x88: stack.push(true); break; // NEWTRUE
      // deno-fmt-ignore
      case 0x89: stack.push(false); break; // NEWFALSE
      // deno-fmt-ignore
      case 0x4a: stack.push(view.getInt32(take(4), true)); break; // BININT
      // deno-fmt-ignore
      case 0x4b: stack.push(bytes[take(1)]); break; // BININT1
      // deno-fmt-ignore
      case 0x4d: stack.push(view.getUint16(take(2), true)); break; // BININT2
      // deno-fmt-ignore
      case 0x47: stack.push(view.getFloat64(take(8), false)); break; // BINFLOAT
      case 0x8a: { // LONG1: two's complement, little-endian
        const length = bytes[take(1)];
        const from = take(length);
        let value = 0n;
        for (let i = length - 1; i >= 0; i--) value = value << 8n | BigInt(bytes[from + i]);
        const signed = BigInt.asIntN(8 * length, value);
        const small = Number(signed);
        stack.push(Number.isSafeInteger(small) ? small : signed);
        break;
      }
      // deno-fmt-ignore
      case 0x58: stack.push(text(view.getUint32(take(4), true))); break; // BINUNICODE
      // deno-fmt-ignore
      case 0x8c: stack.push(text(bytes[take(1)])); break; // SHORT_BINUNICODE
      // deno-fmt-ignore
      case 0x55: stack.push(latin1(bytes[take(1)])); break; // SHORT_BINSTRING, of Python 2
      // deno-fmt-ignore
      case 0x54: stack.push(latin1(view.getInt32(take(4), true))); break; // BINSTRING, of Python 2
      // deno-fmt-ignore
      case 0x7d: stack.push(new Map()); break; // EMPTY_DICT
      case 0x5d: // EMPTY_LIST
      case 0x29: // EMPTY_TUPLE
        stack.push([]);
        break;
      // deno-fmt-ignore
      case 0x74: stack.push(popMarked()); break; // TUPLE
      case 0x85:
      case 0x86:
      case 0x87: { // TUPLE1, TUPLE2, TUPLE3
        const items = Array.from({ length: opcode - 0x84 }, pop);
        stack.push(items.reverse());
        break;
      }
      // deno-fmt-ignore
      case 0x61: append([pop()]); break; // APPEND
      // deno-fmt-ignore
      case 0x65: append(popMarked()); break; // APPENDS
      // deno-fmt-ignore
      case 0x73: setItems([pop(), pop()].reverse()); break; // SETITEM
      // deno-fmt-ignore
      case 0x75: setItems(popMarked()); break; // SETITEMS
      // deno-fmt-ignore
      case 0x71: memoize(bytes[take(1)]); break; // BINPUT
      // deno-fmt-ignore
      case 0x72: memoize(view.getUint32(take(4), true)); break; // LONG_BINPUT
      // deno-fmt-ignore
      case 0x94: memoize(memo.size); break; // MEMOIZE
      // deno-fmt-ignore
      case 0x68: stack.push(recall(bytes[take(1)])); break; // BINGET
      // deno-fmt-ignore
      case 0x6a: stack.push(recall(view.getUint32(take(4), true))); break; // LONG_BINGET
      // deno-fmt-ignore
      case 0x95: take(8); break; // FRAME: a size hint for streaming readers
      // deno-fmt-ignore
      case 0x63: stack.push(lookUp(`${line()}.${line()}`)); break; // GLOBAL
      case 0x93: { // STACK_GLOBAL
        const [name, module] = [pop(), pop()];
        if (typeof name !== "string" || typeof module !== "string") fail("a name is not a string");
        stack.push(lookUp(`${module}.${name}`));
        break;
      }
      // deno-fmt-ignore
      case 0x52: stack.push(callGlobal()); break; // REDUCE
      // deno-fmt-ignore
      case 0x51: stack.push(table.persistent(pop())); break; // BINPERSID
      case 0x62: { // BUILD: PyTorch attaches attributes to a state_dict (_metadata), which are not needed
        const state = pop();
        const object = pop();
        table.build?.(object, state);
        stack.push(object);
        break;
      }
      default:
        fail(`refused unsupported opcode 0x${opcode.toString(16).padStart(2, "0")}`);
    }
  }
}

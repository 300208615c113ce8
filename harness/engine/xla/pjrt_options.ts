/**
 * Encodes the arguments that PJRT takes as bytes: named options, compilation settings and program text.
 *
 * @module
 */
import { addressOf, Args } from "./pjrt_api.ts";
import { encode, int, message, text } from "../../formats/protobuf.ts";

/** Options of a client or of a topology description. */
export type NamedValues = Readonly<Record<string, boolean | string>>;

/** Overrides of XLA's flags for one compilation. */
export type XlaFlags = Readonly<Record<string, boolean | string>>;

const NAMED_VALUE_SIZE = 56;
/** PJRT_NamedValue_Type. */
const NAMED_STRING = 0;
const NAMED_BOOL = 4;

/** Encodes an array of PJRT_NamedValue structs, followed by the texts to which they point. */
export function namedValues(options: NamedValues): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const entries = Object.entries(options).map(([name, value]) => ({
    name: encoder.encode(name),
    value: typeof value === "string" ? encoder.encode(value) : value,
  }));
  const texts = entries.flatMap(({ name, value }) =>
    typeof value === "boolean" ? [name] : [name, value]
  );
  const bytes = new Uint8Array(
    texts.reduce((sum, { length }) => sum + length, entries.length * NAMED_VALUE_SIZE),
  );
  const view = new DataView(bytes.buffer);
  let free = entries.length * NAMED_VALUE_SIZE;
  const place = (content: Uint8Array): bigint => {
    bytes.set(content, free);
    free += content.length;
    return addressOf(bytes) + BigInt(free - content.length);
  };
  entries.forEach(({ name, value }, i) => {
    const at = i * NAMED_VALUE_SIZE;
    const isText = typeof value !== "boolean";
    view.setBigUint64(at, BigInt(NAMED_VALUE_SIZE), true);
    view.setBigUint64(at + 16, place(name), true);
    view.setBigUint64(at + 24, BigInt(name.length), true);
    view.setInt32(at + 32, isText ? NAMED_STRING : NAMED_BOOL, true);
    view.setBigUint64(at + 40, isText ? place(value) : BigInt(value), true);
    view.setBigUint64(at + 48, BigInt(isText ? value.length : 1), true);
  });
  return bytes;
}

/**
 * Encodes a CompileOptionsProto (xla/pjrt/proto/compile_options.proto): executable_build_options (field 3) with
 * device_ordinal -1, one replica and one partition; then env_option_overrides (field 7), a map from flag to value.
 */
export function compileOptions(flags: XlaFlags): Uint8Array<ArrayBuffer> {
  const build = message(3, int(1, -1), int(4, 1), int(5, 1));
  const overrides = Object.entries(flags).map(([name, value]) =>
    message(
      7,
      text(1, name),
      message(2, typeof value === "string" ? text(1, value) : int(2, Number(value))),
    )
  );
  return encode(build, ...overrides);
}

/** Encodes a program's text as a PJRT_Program, followed by a zero: MLIR's lexer reads one byte beyond the end. */
export function programArgs(text: string): Args {
  const code = new TextEncoder().encode(`${text}\0`);
  const format = new TextEncoder().encode("mlir");
  return new Args({ 16: code, 24: code.length - 1, 32: format, 40: format.length });
}

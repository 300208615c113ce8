/**
 * Reader of programs as XLA's compiler leaves them (HloModuleProto of xla/service/hlo.proto, ShapeProto of
 * xla/xla_data.proto): which kernels they launch, how often, and what these move.
 *
 * @module
 */
import { type Field, fields, integers, utf8 } from "../../formats/protobuf.ts";

/** An instruction. */
export interface HloInstruction {
  readonly opcode: string;
  /** Function of a library that a custom call calls, or "". */
  readonly target: string;
  /** Bytes of its result. */
  readonly bytes: number;
  readonly operands: readonly number[];
  /** Ids of the computations that it calls. */
  readonly called: readonly number[];
  /** How often a loop's body runs, where XLA knows it. */
  readonly trips: number | undefined;
}

/** A program: the instructions of each computation by id, those in turn by theirs. */
export interface HloProgram {
  readonly entry: number;
  readonly computations: ReadonlyMap<number, ReadonlyMap<number, HloInstruction>>;
}

/** Work that a program hands to the device, loops counted as often as they run. */
export interface HloWork {
  /** Kernels and calls of libraries. */
  readonly launches: number;
  /** Bytes that they read and write; an operand counts whole, also where a part of it is read. */
  readonly bytes: number;
  /** The same, of convolutions alone. */
  readonly convolutionBytes: number;
  /** Launches by the function of cuDNN or cuBLAS. */
  readonly libraryCalls: Readonly<Record<string, number>>;
}

/** Instructions that launch nothing. */
const FREE = new Set([
  "parameter",
  "constant",
  "tuple",
  "get-tuple-element",
  "bitcast",
  "after-all",
]);

/** Reads an HloModuleProto, or an HloModuleProtoWithConfig around it. Throws SyntaxError. */
export function readHloProgram(bytes: Uint8Array<ArrayBuffer>): HloProgram {
  const outer = [...fields(bytes)];
  // Computations are field 3 of a module; around it, the module is field 1.
  const isWrapped = !outer.some(({ number }) => number === 3);
  const module = isWrapped ? [...fields(one(outer, 1)?.bytes ?? new Uint8Array())] : outer;
  const computations = new Map<number, ReadonlyMap<number, HloInstruction>>();
  for (const { number, bytes } of module) {
    if (number !== 3) continue;
    const parts = [...fields(bytes)];
    const instructions = parts.filter(({ number }) => number === 2).map((f) =>
      instruction(f.bytes)
    );
    computations.set(one(parts, 5)?.value ?? 0, new Map(instructions));
  }
  const entry = one(module, 6)?.value;
  if (entry === undefined || !computations.has(entry)) {
    throw new SyntaxError("This is no program of XLA: it has no entry computation");
  }
  return { entry, computations };
}

/** What one run of `program` launches. A loop whose trips XLA does not know counts once. */
export function workOf({ entry, computations }: HloProgram): HloWork {
  let launches = 0;
  let bytes = 0;
  let convolutionBytes = 0;
  const libraryCalls: Record<string, number> = {};
  const visit = (id: number, times: number) => {
    const instructions = computations.get(id) ?? new Map<number, HloInstruction>();
    for (
      const { opcode, operands, called, trips = 1, target, bytes: result } of instructions.values()
    ) {
      if (FREE.has(opcode)) continue;
      if (opcode === "while" || opcode === "call" || opcode === "conditional") {
        // A loop's condition is a comparison of the host's where its trips are known.
        for (const computation of opcode === "while" ? called.slice(0, 1) : called) {
          visit(computation, times * trips);
        }
        continue;
      }
      const read = operands.reduce((sum, o) => sum + (instructions.get(o)?.bytes ?? 0), 0);
      launches += times;
      bytes += times * (result + read);
      if (target.startsWith("__cudnn$conv")) convolutionBytes += times * (result + read);
      if (target.startsWith("__cu")) libraryCalls[target] = (libraryCalls[target] ?? 0) + times;
    }
  };
  visit(entry, 1);
  return { launches, bytes, convolutionBytes, libraryCalls };
}

function instruction(bytes: Uint8Array<ArrayBuffer>): [id: number, HloInstruction] {
  const parts = [...fields(bytes)];
  const text = (number: number) => utf8(one(parts, number)?.bytes ?? new Uint8Array());
  const list = (number: number) => parts.filter((f) => f.number === number).flatMap(integers);
  const trips = /"known_trip_count":\{"n":"(\d+)"/.exec(text(43));
  return [one(parts, 35)?.value ?? 0, {
    opcode: text(2),
    target: text(28),
    bytes: shapeBytes(one(parts, 3)?.bytes ?? new Uint8Array()),
    operands: list(36),
    called: list(38),
    trips: trips ? Number(trips[1]) : undefined,
  }];
}

/** Bytes of an element by PrimitiveType; of others none are counted. */
const ELEMENT_BYTES: Readonly<Record<number, number>> = {
  1: 1, // pred
  2: 1, // s8
  3: 2,
  4: 4,
  5: 8,
  6: 1, // u8
  7: 2,
  8: 4,
  9: 8,
  10: 2, // f16
  11: 4,
  12: 8,
  16: 2, // bf16
};

/** Bytes of a ShapeProto: an array's, or of all of a tuple. */
function shapeBytes(bytes: Uint8Array<ArrayBuffer>): number {
  const parts = [...fields(bytes)];
  const elements = parts.filter(({ number }) => number === 3).flatMap(integers)
    .reduce((a, b) => a * b, 1);
  const own = elements * (ELEMENT_BYTES[one(parts, 2)?.value ?? 0] ?? 0);
  return parts.filter(({ number }) => number === 4)
    .reduce((sum, { bytes }) => sum + shapeBytes(bytes), own);
}

function one(parts: readonly Field[], number: number): Field | undefined {
  return parts.find((field) => field.number === number);
}

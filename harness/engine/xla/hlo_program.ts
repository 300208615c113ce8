/**
 * Reads programs compiled by XLA (HloModuleProto of xla/service/hlo.proto, ShapeProto of xla/xla_data.proto) and counts
 * the kernels that they launch and the bytes that these move.
 *
 * @module
 */
import { type Field, fields, integers, utf8 } from "../../formats/protobuf.ts";

/** An instruction of HLO. */
export interface HloInstruction {
  readonly opcode: string;
  /** Library function of a custom call, or "". */
  readonly target: string;
  /** Size of the result in bytes. */
  readonly bytes: number;
  readonly operands: readonly number[];
  /** Ids of the called computations. */
  readonly called: readonly number[];
  /** Number of iterations of a loop; undefined if XLA does not know it. */
  readonly trips: number | undefined;
}

/** A program: its computations by id, each with its instructions by id. */
export interface HloProgram {
  readonly entry: number;
  readonly computations: ReadonlyMap<number, ReadonlyMap<number, HloInstruction>>;
}

/** Work of one run of a program on the device; the body of a loop counts once per iteration. */
export interface HloWork {
  /** Number of kernels and library calls. */
  readonly launches: number;
  /** Bytes that they read and write; an operand counts in full even if only a part of it is read. */
  readonly bytes: number;
  /** Bytes that convolutions read and write. */
  readonly convolutionBytes: number;
  /** Number of launches of each function of cuDNN or cuBLAS. */
  readonly libraryCalls: Readonly<Record<string, number>>;
}

/** Opcodes of instructions that do not launch a kernel. */
const FREE = new Set([
  "parameter",
  "constant",
  "tuple",
  "get-tuple-element",
  "bitcast",
  "after-all",
]);

/** Reads an HloModuleProto or an HloModuleProtoWithConfig. Throws SyntaxError if `bytes` is neither. */
export function readHloProgram(bytes: Uint8Array<ArrayBuffer>): HloProgram {
  const outer = [...fields(bytes)];
  // Computations are field 3 of a module; the module is field 1 of an HloModuleProtoWithConfig.
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
    throw new SyntaxError("Not an XLA program: it has no entry computation");
  }
  return { entry, computations };
}

/** Counts the work of one run. A loop whose number of iterations XLA does not know counts as one iteration. */
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
        // If the number of iterations is known, the host evaluates the loop's condition.
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

/** Bytes per element by PrimitiveType; other types count as 0. */
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

/** Size in bytes of an array or of all elements of a tuple, from its ShapeProto. */
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

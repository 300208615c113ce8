import assert from "node:assert/strict";
import { readHloProgram, workOf } from "./hlo_program.ts";
import { bytes, encode, int, message, type Pieces, text } from "../../formats/protobuf.ts";

const F32 = 11;
const TUPLE = 13;

/** Fields of a ShapeProto of float32. */
const floats = (...dimensions: number[]): Pieces[] => [
  int(2, F32),
  bytes(3, Uint8Array.from(dimensions)), // packed; each below 128
];

/** Encodes an HloInstructionProto. */
const instruction = (
  id: number,
  opcode: string,
  { shape = floats(), operands = [], called = [], target = "", config = "" }: {
    shape?: Pieces[];
    operands?: number[];
    called?: number[];
    target?: string;
    config?: string;
  },
): Pieces =>
  message(
    2,
    text(1, `${opcode}.${id}`),
    text(2, opcode),
    message(3, ...shape),
    ...target ? [text(28, target)] : [],
    int(35, id),
    bytes(36, Uint8Array.from(operands)),
    bytes(38, Uint8Array.from(called)),
    ...config ? [text(43, config)] : [],
  );

const INPUT_GRADIENT = "__cudnn$convBackwardInput";
const PRODUCT = "__cublas$gemm";

/** A module with a loop of 20 iterations, each a convolution and a fusion, and then a product. */
const MODULE: Pieces[] = [
  text(1, "step"),
  message(
    3,
    int(5, 1),
    instruction(10, "parameter", { shape: floats(10, 3) }),
    instruction(11, "custom-call", {
      shape: [int(2, TUPLE), message(4, ...floats(10, 5)), message(4, int(2, 6), int(3, 8))], // and a workspace of 8 bytes
      operands: [10],
      target: INPUT_GRADIENT,
    }),
    instruction(12, "get-tuple-element", { shape: floats(10, 5), operands: [11] }),
    instruction(13, "fusion", { shape: floats(10, 3), operands: [12, 10], called: [4] }),
  ),
  message(3, int(5, 2), instruction(20, "compare", {})),
  message(3, int(5, 4), instruction(40, "add", {}), instruction(41, "multiply", {})),
  message(
    3,
    int(5, 3),
    instruction(30, "parameter", { shape: floats(10, 3) }),
    instruction(31, "while", {
      shape: floats(10, 3),
      operands: [30],
      called: [1, 2],
      config: '{"known_trip_count":{"n":"20"},"known_init_step":{"init":"0","step":"1"}}',
    }),
    instruction(32, "custom-call", { shape: floats(10), operands: [31, 31], target: PRODUCT }),
  ),
  int(6, 3),
];

Deno.test("workOf() counts the kernels of each loop iteration and the bytes that they read and write", () => {
  const convolution = 4 * (10 * 5 + 2) + 4 * 10 * 3;
  const fusion = 4 * 10 * 3 + 4 * 10 * 5 + 4 * 10 * 3;
  const product = 4 * 10 + 2 * 4 * 10 * 3;
  assert.deepEqual(workOf(readHloProgram(encode(...MODULE))), {
    launches: 20 * 2 + 1,
    bytes: 20 * (convolution + fusion) + product,
    convolutionBytes: 20 * convolution,
    libraryCalls: { [INPUT_GRADIENT]: 20, [PRODUCT]: 1 },
  });
});

Deno.test("readHloProgram() reads a program with its configuration", () => {
  const wrapped = encode(message(1, ...MODULE), message(2, int(1, 1)));
  assert.deepEqual(readHloProgram(wrapped), readHloProgram(encode(...MODULE)));
});

Deno.test("readHloProgram() refuses bytes that are not a program", () => {
  const whole = encode(...MODULE);
  assert.throws(() => readHloProgram(whole.slice(0, whole.length - 1)), SyntaxError);
  assert.throws(() => readHloProgram(encode(text(1, "a"))), SyntaxError);
  assert.throws(() => readHloProgram(encode(...MODULE.slice(0, -1))), /no entry computation/);
});

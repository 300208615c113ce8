import assert from "node:assert/strict";
import { readTorchFile, type Weights } from "./torch_file.ts";

function fixture(name: string): Uint8Array<ArrayBuffer> {
  return Deno.readFileSync(new URL(`../../fixtures/fid/${name}`, import.meta.url));
}

/** The tensors that ci/parity/inception_torch_files.py saves. */
const EXPECTED = {
  weight: { shape: [2, 3], data: [0, 0.25, 0.5, 0.75, 1, 1.25] },
  first_part: { shape: [4], data: [-1, -0.75, -0.5, -0.25] },
  second_part: { shape: [5, 1, 1], data: [0, 0.25, 0.5, 0.75, 1] },
  parameter: { shape: [2], data: [1.5, -2.5] },
  empty: { shape: [0, 3], data: [] },
  scalar: { shape: [], data: [7.25] },
};

function plain(weights: Weights): unknown {
  return Object.fromEntries(
    [...weights].map(([name, { shape, data }]) => [name, { shape, data: [...data] }]),
  );
}

Deno.test("readTorchFile() reads both formats of torch.save, including views and parameters", () => {
  assert.deepEqual(plain(readTorchFile(fixture("torch_legacy.pth"))), EXPECTED);
  assert.deepEqual(plain(readTorchFile(fixture("torch_zip.pth"))), EXPECTED);
});

Deno.test("readTorchFile() refuses tensors that are transposed or not float32", () => {
  assert.throws(() => readTorchFile(fixture("torch_transposed.pth")), /not row-major/);
  assert.throws(() => readTorchFile(fixture("torch_half.pth")), /torch\.HalfStorage/);
});

Deno.test("readTorchFile() refuses a legacy or zip file truncated at any byte", () => {
  for (const name of ["torch_legacy.pth", "torch_zip.pth"]) {
    const whole = fixture(name);
    for (let length = 0; length < whole.length; length++) {
      assert.throws(() => readTorchFile(whole.slice(0, length)), SyntaxError, `${name} ${length}`);
    }
  }
});

Deno.test("readTorchFile() reads a file with one wrong byte or throws SyntaxError", () => {
  for (const name of ["torch_legacy.pth", "torch_zip.pth"]) {
    const whole = fixture(name);
    let refused = 0;
    for (let at = 0; at < whole.length; at++) {
      for (const flip of [0x01, 0x80]) {
        const bytes = whole.slice();
        bytes[at] ^= flip;
        try {
          readTorchFile(bytes);
        } catch (error) {
          assert.ok(error instanceof SyntaxError, `${name} at ${at}: ${error}`);
          refused++;
        }
      }
    }
    assert.ok(refused > whole.length / 4);
  }
});

/** Makes a legacy file around the pickle of its object, the part that an attacker would replace. */
function legacyFile(object: readonly number[]): Uint8Array<ArrayBuffer> {
  const signature = Uint8Array.fromHex("80028a0a6cfc9c46f9206aa850192e");
  const version = [0x80, 2, 0x4d, 0xe9, 3, 0x2e]; // 1001
  const system = [0x80, 2, 0x7d, ...text("little_endian"), 0x88, 0x73, 0x2e];
  const noStorages = [0x80, 2, 0x5d, 0x2e];
  return Uint8Array.from([...signature, ...version, ...system, ...object, ...noStorages]);
}

function text(value: string): number[] {
  return [0x58, value.length, 0, 0, 0, ...new TextEncoder().encode(value)];
}

function ascii(value: string): number[] {
  return [...new TextEncoder().encode(value)];
}

Deno.test("readTorchFile() reads a hand-made file without tensors", () => {
  assert.equal(readTorchFile(legacyFile([0x80, 2, 0x7d, 0x2e])).size, 0);
});

Deno.test("readTorchFile() runs no function that a hostile pickle names", () => {
  const command = [...text("echo owned"), 0x85]; // a tuple of the command
  const hostile: Record<string, { pickle: number[]; error: RegExp }> = {
    "os.system by GLOBAL": {
      pickle: [...ascii("cos\nsystem\n"), ...command, 0x52],
      error: /refused unsupported global "os\.system"/,
    },
    "eval by STACK_GLOBAL": {
      pickle: [...text("builtins"), ...text("eval"), 0x93, ...command, 0x52],
      error: /refused unsupported global "builtins\.eval"/,
    },
    "a property name of JavaScript": {
      pickle: [...ascii("c__proto__\nconstructor\n"), ...command, 0x52],
      error: /refused/,
    },
    "INST": {
      pickle: [0x28, ...text("x"), ...ascii("ios\nsystem\n")],
      error: /refused unsupported opcode 0x69/,
    },
    "OBJ": { pickle: [0x28, ...ascii("cos\nsystem\n"), 0x6f], error: /refused/ },
    "NEWOBJ": { pickle: [0x7d, 0x29, 0x81], error: /refused unsupported opcode 0x81/ },
    "EXT1": { pickle: [0x82, 1], error: /refused unsupported opcode 0x82/ },
    "PERSID": { pickle: [0x50, ...ascii("0\n")], error: /refused unsupported opcode 0x50/ },
    "a call of a string": {
      pickle: [...text("os.system"), ...command, 0x52],
      error: /not a known function/,
    },
    "a call of a storage type": {
      pickle: [...ascii("ctorch\nFloatStorage\n"), ...command, 0x52],
      error: /storage type is called/,
    },
    "a persistent id that is not a storage": {
      pickle: [...command, 0x51],
      error: /not a storage/,
    },
    "values left over": { pickle: [0x4e, 0x4e], error: /left over/ },
    "a pop below a mark": { pickle: [0x4e, 0x28, 0x85], error: /empty stack/ },
    "an unset memo": { pickle: [0x68, 9], error: /memo 9/ },
    "a list in place of the dict": { pickle: [0x5d], error: /does not hold a state_dict/ },
    "a number in place of a tensor": {
      pickle: [0x7d, ...text("w"), 0x4b, 1, 0x73],
      error: /Entry "w" is not a tensor/,
    },
  };
  for (const [name, { pickle, error }] of Object.entries(hostile)) {
    const file = legacyFile([0x80, 2, ...pickle, 0x2e]);
    assert.throws(() => readTorchFile(file), (thrown: unknown) => {
      assert.ok(thrown instanceof SyntaxError, `${name}: ${thrown}`);
      assert.match(thrown.message, error, name);
      return true;
    });
  }
});

Deno.test("readTorchFile() refuses tensors that exceed their storage before it allocates them", () => {
  const storage = [
    0x28,
    ...text("storage"),
    ...ascii("ctorch\nFloatStorage\n"),
    ...text("0"),
    ...text("cpu"),
    ...[0x4b, 4], // four elements
    0x4e,
    0x74,
    0x51,
  ];
  const tensor = [
    0x7d,
    ...text("w"),
    ...ascii("ctorch._utils\n_rebuild_tensor_v2\n"),
    0x28,
    ...storage,
    ...[0x4b, 0],
    ...[0x4a, 0xff, 0xff, 0xff, 0x7f, 0x85], // shape [2147483647]
    ...[0x4b, 1, 0x85],
    ...[0x89, 0x4e],
    0x74,
    0x52,
    0x73,
  ];
  assert.throws(() => readTorchFile(legacyFile([0x80, 2, ...tensor, 0x2e])), /exceeds its storage/);
});

Deno.test("readTorchFile() refuses files of other formats", () => {
  assert.throws(() => readTorchFile(new Uint8Array()), /Not a file of torch\.save/);
  assert.throws(() => readTorchFile(Uint8Array.from(ascii("<html>404</html>"))), /Not a file/);
});

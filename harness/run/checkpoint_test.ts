import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { withTempDir } from "../testing/temp_dir.ts";
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from "./checkpoint.ts";
import { CHECKPOINT_FILE, loadCheckpoint, saveCheckpoint } from "./checkpoint_files.ts";

const CHECKPOINT: Checkpoint = {
  id: "0123456789ab",
  epochs: [{ epoch: 0, seconds: 1.5, warmup: true, steps: 40, metrics: { loss: 0.1 } }],
  partial: { steps: 3, seconds: 0.1 + 0.2, cpuSeconds: 0.7, sums: { loss: 0.1 + 0.7 } },
  segments: [{
    epoch: 0,
    step: 0,
    startedAt: "2026-01-02T03:04:05.678Z",
    machine: { host: "node1", device: "cpu", cpu: "a cpu", cores: 2, jobs: 1, os: "linux" },
  }],
  seconds: { train: 1.5, sample: 0, score: 0, other: 0.25 },
  untrained: { fd: 300.25 },
  state: {
    "decoder/w": {
      shape: [2, 2],
      dtype: "float32",
      data: new Float32Array([0.1, -0, 1e-42, Infinity]),
    },
    count: { shape: [], dtype: "int32", data: new Int32Array([-7]) },
  },
  chains: { z: { shape: [1, 3], dtype: "float32", data: new Float32Array([1, 2, 3]) } },
};

Deno.test("decodeCheckpoint() inverts encodeCheckpoint(), to the bit", () => {
  const back = decodeCheckpoint(encodeCheckpoint(CHECKPOINT));
  assert.deepEqual(back, CHECKPOINT);
  assert.ok(Object.is(back.state["decoder/w"].data[1], -0), "the sign of zero is kept");
});

Deno.test("encodeCheckpoint() writes the safetensors layout", () => {
  const bytes = encodeCheckpoint(CHECKPOINT);
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  assert.equal(length % 8, 0);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  assert.deepEqual(header["state/decoder/w"], {
    dtype: "F32",
    shape: [2, 2],
    data_offsets: [0, 16],
  });
  assert.deepEqual(header["chains/z"].data_offsets, [20, 32]);
  assert.equal(bytes.length, 8 + length + 32);
});

Deno.test("decodeCheckpoint() refuses every flipped bit and every truncation", () => {
  const bytes = encodeCheckpoint(CHECKPOINT);
  for (let at = 0; at < bytes.length; at++) {
    assert.throws(() => decodeCheckpoint(bytes.slice(0, at)), SyntaxError, `length ${at}`);
    const flipped = bytes.slice();
    flipped[at] ^= 1 << (at % 8);
    assert.throws(() => decodeCheckpoint(flipped), SyntaxError, `byte ${at}`);
  }
});

/** Where the checksum's digits stand, as the documentation says: after these first bytes. */
const DIGITS_AT = 8 + '{"__metadata__":{"sha256":"'.length;

/** Makes the checksum of changed bytes right. */
function reseal(bytes: Uint8Array<ArrayBuffer>): void {
  bytes.fill("0".charCodeAt(0), DIGITS_AT, DIGITS_AT + 64);
  bytes.set(
    new TextEncoder().encode(createHash("sha256").update(bytes).digest("hex")),
    DIGITS_AT,
  );
}

Deno.test("decodeCheckpoint() refuses files of other programs and versions", () => {
  const bytes = encodeCheckpoint(CHECKPOINT);
  const cases: [from: string, to: string, message: RegExp][] = [
    ['"chains/z"', '"chein/z" ', /unknown entry "chein\/z"/],
    ['"dtype":"I32"', '"dtype":"I64"', /"state\/count": dtype: /],
    ['"shape":[2,2]', '"shape":[2,3]', /"state\/decoder\/w" has 16 bytes for the shape \[2,3\]/],
    ["[20,32]", "[20,36]", /"chains\/z" ends beyond the file/],
    ["laebench", "other---", /its metadata has no entry laebench/],
    ["sha256", "sha512", /it has no checksum/],
    ['\\"untrained\\"', '\\"unlearned\\"', /Not a checkpoint: untrained: /],
  ];
  for (const [from, to, message] of cases) { // of the same length, so that all else stays in place
    const at = new TextDecoder("latin1").decode(bytes).indexOf(from);
    assert.ok(at > 0, from);
    const changed = bytes.slice();
    changed.set(new TextEncoder().encode(to), at);
    reseal(changed);
    assert.throws(() => decodeCheckpoint(changed), { name: "SyntaxError", message });
  }
});

Deno.test("saveCheckpoint() keeps the previous file and leaves no temporary file", () =>
  withTempDir(async (dir) => {
    assert.equal(await loadCheckpoint(dir), undefined);
    const former = { ...CHECKPOINT, id: "ba9876543210" };
    await saveCheckpoint(dir, former);
    await saveCheckpoint(dir, CHECKPOINT);
    assert.deepEqual(await loadCheckpoint(dir), CHECKPOINT);
    const files = [...Deno.readDirSync(dir)].map(({ name }) => name).sort();
    assert.deepEqual(files, ["checkpoint.previous.safetensors", CHECKPOINT_FILE]);
    assert.deepEqual(decodeCheckpoint(await Deno.readFile(`${dir}/${files[0]}`)), former);
  }));

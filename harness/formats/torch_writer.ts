/**
 * Writes the legacy format of torch.save, to test its reader; float32 tensors only.
 *
 * @module
 */
import type { Weights } from "./torch_file.ts";

/** Encodes a state_dict as PyTorch before 1.6 saved it. */
export function writeLegacyTorchFile(weights: Weights): Uint8Array<ArrayBuffer> {
  const entries = [...weights].map(([name, tensor], i) => ({ name, ...tensor, key: String(i) }));
  const object = entries.flatMap(({ name, shape, data, key }) => {
    const strides = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
    return [
      ...text(name),
      ...global("torch._utils", "_rebuild_tensor_v2"),
      ...tuple(
        [
          ...tuple(
            text("storage"),
            global("torch", "FloatStorage"),
            text(key),
            text("cpu"),
            integer(data.length),
            NONE,
          ),
          BINPERSID,
        ],
        integer(0),
        tuple(...shape.map(integer)),
        tuple(...strides.map(integer)),
        [0x89], // requires_grad: False
        [...global("collections", "OrderedDict"), 0x29, 0x52], // no hooks
      ),
      0x52, // REDUCE
    ];
  });
  const keys = entries.map(({ key }) => key).sort();
  const head = Uint8Array.from([
    ...pickle([0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]),
    ...pickle(integer(1001)),
    ...pickle([0x7d, 0x28, ...text("little_endian"), 0x88, 0x75]),
    ...pickle([0x7d, 0x28, ...object, 0x75]),
    ...pickle([0x5d, 0x28, ...keys.flatMap(text), 0x65]),
  ]);
  const byKey = new Map(entries.map(({ key, data }) => [key, data]));
  const storages = keys.flatMap((key) => {
    const data = byKey.get(key) ?? new Float32Array();
    return [
      new Uint8Array(BigInt64Array.of(BigInt(data.length)).buffer),
      new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    ];
  });
  const parts = [head, ...storages];
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

const NONE = [0x4e];
const BINPERSID = 0x51;

function pickle(body: readonly number[]): number[] {
  return [0x80, 2, ...body, 0x2e];
}

function text(value: string): number[] {
  const bytes = new TextEncoder().encode(value);
  return [0x58, ...new Uint8Array(Uint32Array.of(bytes.length).buffer), ...bytes];
}

function integer(value: number): number[] {
  return [0x4a, ...new Uint8Array(Int32Array.of(value).buffer)];
}

function global(module: string, name: string): number[] {
  return [0x63, ...new TextEncoder().encode(`${module}\n${name}\n`)];
}

function tuple(...items: readonly (readonly number[])[]): number[] {
  return [0x28, ...items.flat(), 0x74];
}

/**
 * Reads the tensors of a PyTorch file in both formats of torch.save: the stream of pickles that was the
 * default before 1.6 (`_legacy_save` in torch/serialization.py), and the zip archive used since.
 *
 * @module
 */
import {
  describeValue,
  globalName,
  type PickleTable,
  type PickleValue,
  unpickle,
} from "./pickle.ts";
import { excerpt } from "../core/plain_text.ts";
import { bytesSource } from "./byte_source.ts";
import { zipMembers } from "./zip.ts";

/** A tensor of weights, row-major. */
export interface WeightTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}

/** Tensors by name. */
export type Weights = ReadonlyMap<string, WeightTensor>;

/** A tensor as described by the pickle, before its storage is read. */
interface TensorView {
  readonly kind: "tensor";
  readonly storage: Storage;
  readonly offset: number;
  readonly shape: readonly number[];
}

interface Storage {
  readonly kind: "storage";
  readonly key: string;
  readonly type: StorageType;
  readonly count: number;
}

/** Bytes per element. Only float32 is decoded; int64 (batch counters) is skipped. */
const STORAGE_BYTES = { "torch.FloatStorage": 4, "torch.LongStorage": 8 } as const;
type StorageType = keyof typeof STORAGE_BYTES;

/** The pickled integer 0x1950a86a20f9469cfc6c with which a legacy file starts. */
const LEGACY_SIGNATURE = Uint8Array.fromHex("80028a0a6cfc9c46f9206aa850192e");
const PROTOCOL_VERSION = 1001;

/** Whether `bytes` start like a file of torch.save, in either format (any zip archive counts). */
export function isTorchFile(bytes: Uint8Array): boolean {
  return isLegacy(bytes) || isZip(bytes);
}

/** Whether `bytes` start like a file of torch.save before version 1.6. */
export function isLegacy(bytes: Uint8Array): boolean {
  return LEGACY_SIGNATURE.every((byte, i) => bytes[i] === byte);
}

function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4;
}

/** Reads the float32 tensors of a state_dict saved by torch.save. Throws SyntaxError on any other content. */
export function readTorchFile(bytes: Uint8Array<ArrayBuffer>): Weights {
  if (isLegacy(bytes)) return readLegacy(bytes);
  if (isZip(bytes)) return readArchive(bytes);
  throw new SyntaxError(
    "Not a file of torch.save: it has neither the pickle nor the zip signature",
  );
}

function readLegacy(bytes: Uint8Array<ArrayBuffer>): Weights {
  const noTensors: PickleTable = { globals: {}, persistent: refuseStorage };
  const version = unpickle(bytes, LEGACY_SIGNATURE.length, noTensors);
  if (version.value !== PROTOCOL_VERSION) {
    throw new SyntaxError(
      `Protocol version of torch.save must be 1001, got ${describeValue(version.value)}`,
    );
  }
  const system = unpickle(bytes, version.end, noTensors);
  if (!(system.value instanceof Map) || system.value.get("little_endian") !== true) {
    throw new SyntaxError(
      "Tensors are not little-endian: save them again on an x86 or ARM machine",
    );
  }
  const object = unpickle(bytes, system.end, TENSORS);
  const keys = unpickle(bytes, object.end, noTensors);
  if (!Array.isArray(keys.value)) throw new SyntaxError("The list of storages is missing");
  const views = tensorViews(object.value);
  const storages = new Map([...views.values()].map(({ storage }) => [storage.key, storage]));
  const content = new Map<string, Uint8Array<ArrayBuffer>>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = keys.end;
  for (const key of keys.value) {
    const storage = typeof key === "string" ? storages.get(key) : undefined;
    if (!storage) throw new SyntaxError(`Storage ${describeValue(key)} belongs to no tensor`);
    if (at + 8 > bytes.length) throw new SyntaxError(`File ends before storage ${key}: truncated`);
    const count = Number(view.getBigInt64(at, true));
    const size = count * STORAGE_BYTES[storage.type];
    if (count !== storage.count) {
      throw new SyntaxError(`Storage ${key} has ${count} elements, expected ${storage.count}`);
    }
    if (at + 8 + size > bytes.length) {
      throw new SyntaxError(`File ends within storage ${key}: truncated`);
    }
    content.set(storage.key, bytes.subarray(at + 8, at + 8 + size));
    at += 8 + size;
  }
  return readViews(views, content);
}

function readArchive(bytes: Uint8Array<ArrayBuffer>): Weights {
  const members = new Map(zipMembers(bytesSource(bytes)).map((member) => [member.name, member]));
  const pickleName = [...members.keys()].find((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickleName === undefined) {
    throw new SyntaxError("Zip archive has no data.pkl: not a file of torch.save");
  }
  const top = pickleName.slice(0, -"data.pkl".length);
  const order = members.get(`${top}byteorder`)?.read();
  if (order && new TextDecoder().decode(order).trim() !== "little") {
    throw new SyntaxError(
      "Tensors are not little-endian: save them again on an x86 or ARM machine",
    );
  }
  const pickle = members.get(pickleName)?.read() ?? new Uint8Array();
  const views = tensorViews(unpickle(pickle, 0, TENSORS).value);
  const content = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const { storage } of views.values()) {
    const data = members.get(`${top}data/${storage.key}`)?.read();
    if (!data) throw new SyntaxError(`Zip archive has no storage ${storage.key}`);
    const size = storage.count * STORAGE_BYTES[storage.type];
    if (data.length !== size) {
      throw new SyntaxError(`Storage ${storage.key} has ${data.length} bytes, expected ${size}`);
    }
    content.set(storage.key, data);
  }
  return readViews(views, content);
}

/** The globals that a state_dict may use. */
const TENSORS: PickleTable = {
  globals: {
    "collections.OrderedDict": () => new Map(),
    "torch._utils._rebuild_tensor_v2": ([storage, offset, shape, stride]) => {
      const source = opaque(storage);
      if (!isStorage(source)) throw new SyntaxError("a tensor has no storage");
      const sizes = wholeNumbers(shape),
        steps = wholeNumbers(stride),
        [from] = wholeNumbers([offset]);
      let step = 1;
      for (let i = sizes.length - 1; i >= 0; i--) {
        if (sizes[i] > 1 && steps[i] !== step) {
          throw new SyntaxError(
            `strides [${excerpt(`${steps}`)}] of shape [${excerpt(`${sizes}`)}] are not row-major`,
          );
        }
        step *= sizes[i];
      }
      if (from + step > source.count) {
        throw new SyntaxError(
          `shape [${
            excerpt(`${sizes}`)
          }] at ${from} exceeds its storage of ${source.count} elements`,
        );
      }
      const view: TensorView = { kind: "tensor", storage: source, offset: from, shape: sizes };
      return { opaque: view };
    },
    "torch._utils._rebuild_parameter": ([tensor]) => tensor,
    "torch.FloatStorage": notCallable,
    "torch.LongStorage": notCallable,
  },
  persistent(id) {
    if (!Array.isArray(id) || id[0] !== "storage") return refuseStorage();
    const type = globalName(id[1]) ?? "";
    if (!isStorageType(type)) {
      throw new SyntaxError(
        `Storage type must be float32 or int64, got ${type || "another value"}`,
      );
    }
    if (id.length > 5 && id[5] !== null) {
      throw new SyntaxError("A storage is a view of another one: not supported");
    }
    const [, , key, , size] = id;
    if (typeof key !== "string") throw new SyntaxError("the name of a storage is not a string");
    const [count] = wholeNumbers([size]);
    const storage: Storage = { kind: "storage", key, type, count };
    return { opaque: storage };
  },
};

function refuseStorage(): never {
  throw new SyntaxError("A persistent id is not a storage");
}

function notCallable(): never {
  throw new SyntaxError("a storage type is called");
}

function opaque(value: PickleValue): unknown {
  return value !== null && typeof value === "object" && "opaque" in value
    ? value.opaque
    : undefined;
}

function isStorage(value: unknown): value is Storage {
  return hasKind(value) && value.kind === "storage";
}

function isTensorView(value: unknown): value is TensorView {
  return hasKind(value) && value.kind === "tensor";
}

function hasKind(value: unknown): value is { readonly kind: unknown } {
  return typeof value === "object" && value !== null && "kind" in value;
}

function isStorageType(name: string): name is StorageType {
  return Object.hasOwn(STORAGE_BYTES, name);
}

function wholeNumbers(value: PickleValue): number[] {
  if (!Array.isArray(value)) throw new SyntaxError("sizes are not a tuple");
  return value.map((x) => {
    if (typeof x === "number" && Number.isSafeInteger(x) && x >= 0) return x;
    throw new SyntaxError(`size must be an integer >= 0, got ${describeValue(x)}`);
  });
}

function tensorViews(value: PickleValue): Map<string, TensorView> {
  if (!(value instanceof Map)) throw new SyntaxError("The file does not hold a state_dict");
  const views = new Map<string, TensorView>();
  for (const [name, item] of value) {
    const view = opaque(item);
    if (typeof name !== "string" || !isTensorView(view)) {
      throw new SyntaxError(
        `Entry ${describeValue(name)} is not a tensor: save the state_dict itself`,
      );
    }
    views.set(name, view);
  }
  return views;
}

function readViews(
  views: ReadonlyMap<string, TensorView>,
  content: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
): Weights {
  const weights = new Map<string, WeightTensor>();
  for (const [name, { storage, offset, shape }] of views) {
    if (storage.type !== "torch.FloatStorage") continue;
    const bytes = content.get(storage.key);
    if (!bytes) throw new SyntaxError(`Storage ${storage.key} of ${name} is missing`);
    const count = shape.reduce((a, b) => a * b, 1);
    // Copy: tensors of a legacy file start at any byte offset, but a Float32Array must be aligned.
    const data = new Float32Array(bytes.slice(4 * offset, 4 * (offset + count)).buffer);
    weights.set(name, { shape, data });
  }
  return weights;
}

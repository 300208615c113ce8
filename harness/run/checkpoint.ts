import { createHash } from "node:crypto";
import * as z from "zod";
import {
  EPOCH_RECORD,
  firstIssue,
  NUMBERS,
  RUN_CODE,
  SECONDS,
  SEGMENT,
} from "../experiment/record_schema.ts";
import type { HostArray, HostArrays } from "../core/types.ts";
import type { EpochRecord, RunCode, Seconds, Segment } from "../core/records.ts";
import type { PartialEpoch } from "./train.ts";

/** State of a run between two steps: everything needed to resume to the same bits. */
export interface Checkpoint {
  /** Id of the run, so that a checkpoint is never resumed under another spec. */
  readonly id: string;
  /** The code that trained it; absent from checkpoints of older versions. */
  readonly code?: RunCode;
  readonly epochs: readonly EpochRecord[];
  /** The epoch after `epochs`, as far as it is done; absent between two epochs. */
  readonly partial?: PartialEpoch;
  /** The processes so far. */
  readonly segments: readonly Segment[];
  readonly seconds: Seconds;
  /** Scores of the initial state. */
  readonly untrained: Readonly<Record<string, number>>;
  /** Scores of the initial state by alternative; absent if there are none. */
  readonly untrainedAlternatives?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly state: HostArrays;
  readonly chains: HostArrays;
}

const DTYPES = { float32: "F32", int32: "I32" } as const;

const TENSOR_ENTRY = z.object({
  dtype: z.enum(["F32", "I32"]),
  shape: z.array(z.int().min(0)).readonly(),
  data_offsets: z.tuple([z.int().min(0), z.int().min(0)]).readonly(),
});

/** Content of `__metadata__.laebench`. */
const REST = z.object({
  id: z.string(),
  code: RUN_CODE.optional(),
  epochs: z.array(EPOCH_RECORD),
  partial: z.object({
    steps: z.int().min(1),
    seconds: z.number().min(0),
    cpuSeconds: z.number().min(0),
    sums: NUMBERS,
    last: NUMBERS.optional(),
  }).optional(),
  segments: z.array(SEGMENT),
  seconds: SECONDS,
  untrained: NUMBERS,
  untrainedAlternatives: z.record(z.string(), NUMBERS).optional(),
});

/** First bytes of the JSON header: the checksum stands at one place, so that it is verified before anything is parsed. */
const PREFIX = new TextEncoder().encode('{"__metadata__":{"sha256":"');

/** Hexadecimal digits of a SHA-256. */
const DIGITS = 64;

/**
 * Encodes a checkpoint in the safetensors format (8 bytes of header length, a JSON header, the arrays): tensors `state/NAME`
 * and `chains/NAME`, the rest as JSON in `__metadata__.laebench`. `__metadata__.sha256` is the SHA-256 of the whole file with
 * the digits of the checksum itself replaced by zeros. https://huggingface.co/docs/safetensors
 */
export function encodeCheckpoint({ state, chains, ...rest }: Checkpoint): Uint8Array<ArrayBuffer> {
  const tensors = [
    ...Object.entries(state).map(([name, array]) => [`state/${name}`, array] as const),
    ...Object.entries(chains).map(([name, array]) => [`chains/${name}`, array] as const),
  ];
  const header: Record<string, unknown> = {
    __metadata__: { sha256: "0".repeat(DIGITS), laebench: JSON.stringify(rest) },
  };
  let end = 0;
  for (const [name, { dtype, shape, data }] of tensors) {
    header[name] = {
      dtype: DTYPES[dtype],
      shape,
      data_offsets: [end, end += data.byteLength],
    } satisfies z.infer<typeof TENSOR_ENTRY>;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const padded = Math.ceil(json.length / 8) * 8; // arrays start at a multiple of 8
  const out = new Uint8Array(8 + padded + end);
  new DataView(out.buffer).setBigUint64(0, BigInt(padded), true);
  out.fill(0x20, 8, 8 + padded).set(json, 8);
  let at = 8 + padded;
  for (const [, { data }] of tensors) {
    out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  out.set(new TextEncoder().encode(checksum(out)), 8 + PREFIX.length);
  return out;
}

/** SHA-256 of the file `bytes`, with zeros for the digits of the checksum in it. */
function checksum(bytes: Uint8Array<ArrayBuffer>): string {
  const at = 8 + PREFIX.length;
  return createHash("sha256").update(bytes.subarray(0, at)).update("0".repeat(DIGITS))
    .update(bytes.subarray(at + DIGITS)).digest("hex");
}

/** Why `bytes` are not a file as `encodeCheckpoint` wrote it; undefined if they are. */
function damageOf(bytes: Uint8Array<ArrayBuffer>): string | undefined {
  const at = 8 + PREFIX.length;
  if (bytes.length < at + DIGITS) return `${bytes.length} bytes`;
  if (PREFIX.some((byte, i) => bytes[8 + i] !== byte)) return "it has no checksum";
  const written = new TextDecoder().decode(bytes.subarray(at, at + DIGITS));
  return written === checksum(bytes) ? undefined : "its content does not match its checksum";
}

/** Inverts `encodeCheckpoint`. Throws SyntaxError if a bit of `bytes` differs from what it wrote. */
export function decodeCheckpoint(bytes: Uint8Array<ArrayBuffer>): Checkpoint {
  const broken = (why: string) => new SyntaxError(`Not a checkpoint: ${why}`);
  const damage = damageOf(bytes);
  if (damage !== undefined) throw broken(damage);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const start = 8 + Number(view.getBigUint64(0, true));
  if (start > bytes.length) throw broken(`its header ends at byte ${start} of ${bytes.length}`);
  const { __metadata__, ...entries } = JSON.parse(
    new TextDecoder().decode(bytes.subarray(8, start)),
  ) as Record<string, unknown> & { readonly __metadata__?: { readonly laebench?: string } };
  if (__metadata__?.laebench === undefined) throw broken("its metadata has no entry laebench");
  const rest = REST.safeParse(JSON.parse(__metadata__.laebench));
  if (!rest.success) throw broken(firstIssue(rest.error));
  const arrays: Record<"state" | "chains", Record<string, HostArray>> = { state: {}, chains: {} };
  for (const [path, value] of Object.entries(entries)) {
    const [, group, name] = /^(state|chains)\/(.+)$/s.exec(path) ?? [];
    const entry = TENSOR_ENTRY.safeParse(value);
    if (group === undefined) throw broken(`unknown entry "${path}"`);
    if (!entry.success) throw broken(`"${path}": ${firstIssue(entry.error)}`);
    const { dtype, shape, data_offsets: [begin, end] } = entry.data;
    if (start + end > bytes.length) throw broken(`"${path}" ends beyond the file`);
    if (end - begin !== 4 * shape.reduce((a, b) => a * b, 1)) {
      throw broken(`"${path}" has ${end - begin} bytes for the shape [${shape}]`);
    }
    const buffer = bytes.slice(start + begin, start + end).buffer;
    arrays[group as "state" | "chains"][name] = dtype === "F32"
      ? { shape, dtype: "float32", data: new Float32Array(buffer) }
      : { shape, dtype: "int32", data: new Int32Array(buffer) };
  }
  return { ...rest.data, ...arrays };
}

/** The code that trained the checkpoint in `file`, read without its arrays and unchecked; undefined if it cannot be read. */
export async function readCheckpointCode(file: Deno.FsFile): Promise<RunCode | undefined> {
  const length = await readBytes(file, 8);
  if (length === undefined) return undefined;
  const end = new DataView(length.buffer).getBigUint64(0, true);
  if (end > BigInt((await file.stat()).size)) return undefined;
  const header = await readBytes(file, Number(end));
  try {
    const { __metadata__ } = JSON.parse(new TextDecoder().decode(header));
    return REST.parse(JSON.parse(__metadata__.laebench)).code;
  } catch {
    return undefined; // a broken checkpoint: the run moves it aside
  }
}

async function readBytes(
  file: Deno.FsFile,
  count: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const bytes = new Uint8Array(count);
  for (let at = 0; at < count;) {
    const read = await file.read(bytes.subarray(at));
    if (read === null) return undefined;
    at += read;
  }
  return bytes;
}

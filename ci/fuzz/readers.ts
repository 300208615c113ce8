/**
 * Every reader of files, with sound inputs from which the mutated ones are made.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { gunzipSync, gzipSync, zipSync } from "fflate";
import sharp from "sharp";
import { decodeCifar10 } from "../../datasets/cifar10.ts";
import { decodePicture } from "../../datasets/parts/decode_picture.ts";
import { decodeSvhn } from "../../datasets/svhn.ts";
import { exampleRecord } from "../../reports/example_records.ts";
import type { AnnealedResult } from "../../harness/core/annealed.ts";
import { projectPath } from "../../harness/core/project.ts";
import { parseSpec } from "../../harness/experiment/record_schema.ts";
import { bytesSource } from "../../harness/formats/byte_source.ts";
import { readDrawsFile } from "../../harness/formats/draws_file.ts";
import { gunzip, readIdx } from "../../harness/formats/idx.ts";
import { openImageFiles } from "../../harness/formats/image_files.ts";
import { readMat5 } from "../../harness/formats/mat5.ts";
import { NETCDF_EXAMPLE } from "../../harness/formats/netcdf_example.ts";
import { readNpy, writeNpy } from "../../harness/formats/npy.ts";
import { npyPictures } from "../../harness/formats/npy_images.ts";
import { encodeModel } from "../../harness/formats/onnx_model.ts";
import { type PickleTable, unpickle } from "../../harness/formats/pickle.ts";
import {
  type Field,
  fields,
  int,
  integers,
  message,
  text,
} from "../../harness/formats/protobuf.ts";
import { bytes as content, encode } from "../../harness/formats/protobuf.ts";
import { tarMembers } from "../../harness/formats/tar.ts";
import { readTorchFile } from "../../harness/formats/torch_file.ts";
import { zipMembers } from "../../harness/formats/zip.ts";
import { decodeImage } from "../../harness/metrics/fid/decode_image.ts";
import { inceptionUnits } from "../../harness/metrics/fid/inception_network.ts";
import { readGraphDef, tensorflowName } from "../../harness/metrics/fid/graph_def.ts";
import { readStatistics, writeStatistics } from "../../harness/metrics/fid/statistics_file.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../../harness/run/checkpoint.ts";
import { readLikelihoods } from "../../harness/sweep/likelihood_store.ts";
import { readRecordFile } from "../../harness/sweep/record_file.ts";
import { readRunList } from "../../harness/sweep/run_list.ts";
import { readSlurmOptions } from "../../harness/sweep/slurm/options.ts";
import { parseQueue, readSubmission } from "../../harness/sweep/slurm/queue.ts";
import { parseResults } from "../../harness/sweep/store.ts";
import { parseBaseline } from "../../harness/toy/baseline.ts";

/** A reader under test. */
export interface Reader {
  /** Sound inputs; the reader need not accept all. */
  seeds(): Promise<readonly Uint8Array[]>;
  /** Reads all of `bytes`. `folder` is one that it may write to. */
  read(bytes: Uint8Array<ArrayBuffer>, folder: string): unknown;
  /** Corrects checksums that would otherwise refuse nearly every input. */
  repair?(bytes: Uint8Array<ArrayBuffer>): void;
}

const encoder = new TextEncoder();
const decodeText = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function files(...names: readonly string[]): () => Promise<Uint8Array[]> {
  return () => Promise.all(names.map((name) => Deno.readFile(projectPath(`fixtures/${name}`))));
}

function texts(...values: readonly string[]): () => Promise<Uint8Array[]> {
  return () => Promise.resolve(values.map((value) => encoder.encode(value)));
}

function given(...values: readonly Uint8Array[]): () => Promise<Uint8Array[]> {
  return () => Promise.resolve([...values]);
}

function streamOf(bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new Blob([bytes]).stream();
}

/** Reads a file called `name` with the content of an input. */
function asFile(name: string, read: (path: string) => Promise<unknown>): Reader["read"] {
  return async (bytes, folder) => {
    await Deno.writeFile(`${folder}/${name}`, bytes);
    await read(`${folder}/${name}`);
  };
}

/** Reads every image file of an archive. */
async function readAll(path: string): Promise<void> {
  for await (const _ of (await openImageFiles(path)).files()) { /* read */ }
}

/** Nested messages of a protocol buffer that are read: the errors of 300,000 that are none take a second, their bytes 20 ms. */
const NESTED_MESSAGES = 50_000;
const CUBE = writeNpy({ shape: [2, 4, 2], data: new Float64Array(16).map((_, i) => i) });
const IMAGES = (() => {
  const header = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3, 4, 3), }".padEnd(117) +
    "\n";
  return new Uint8Array([
    ...[0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0],
    ...encoder.encode(header),
    ...new Uint8Array(72).map((_, i) => i),
  ]);
})();
const IDX = new Uint8Array([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, ...new Uint8Array(24)]);
const STATISTICS = writeStatistics({
  statistics: { count: null, mean: Float64Array.of(1, 2), covariance: Float64Array.of(2, 1, 1, 2) },
  origin: null,
});
const RECORDS = [
  exampleRecord({ scores: { fd_fashion: 3.5 } }),
  exampleRecord({ end: { status: "failed", error: "out of memory" } }),
];
const LINES = RECORDS.map((record) => `${JSON.stringify(record)}\n`);

const CHECKPOINT = encodeCheckpoint(
  {
    id: "0123456789ab",
    epochs: [],
    segments: [],
    seconds: { train: 1, sample: 0, score: 0, other: 0 },
    untrained: { fd_fashion: 3 },
    state: { weights: { shape: [2, 2], dtype: "float32", data: Float32Array.of(1, 2, 3, 4) } },
    chains: { visits: { shape: [3], dtype: "int32", data: Int32Array.of(1, 2, 3) } },
  },
);

/** A constant of a GraphDef with one value for all of its elements. */
function constant(name: string, shape: readonly number[]) {
  const dims = shape.map((size) => message(2, int(1, size)));
  const tensor = message(8, int(1, 1), message(2, ...dims), content(5, new Uint8Array(4)));
  return message(
    1,
    text(1, name),
    text(2, "Const"),
    message(5, text(1, "dtype"), message(2, int(6, 1))),
    message(5, text(1, "value"), message(2, tensor)),
  );
}

/** Every constant of Inception, as small as its axes allow; and one alone. */
const GRAPH_DEFS = [
  encode(
    ...inceptionUnits().map(({ unit }) => tensorflowName(unit)).flatMap((node) => [
      constant(`${node}/conv2d_params`, [1, 1, 1, 1]),
      ...["gamma", "beta", "moving_mean", "moving_variance"].map((name) =>
        constant(`${node}/batchnorm/${name}`, [1])
      ),
    ]),
    constant("softmax/weights", [2, 1]),
    constant("softmax/biases", [1]),
  ),
  encode(constant("conv/conv2d_params", [4096, 64])),
];

const ONNX = encodeModel({
  name: "g",
  nodes: [{ op: "Relu", inputs: ["x"], outputs: ["y"] }],
  inputs: [{ name: "x", type: "float32", shape: [2, "n"] }],
  outputs: [{ name: "y", type: "float32", shape: null }],
  initializers: [],
});

/** A table that knows two functions, one of which makes an object with a state. */
const PICKLE_TABLE: PickleTable = {
  globals: { "a.b": (args) => args.length, "torch.FloatStorage": () => ({ opaque: {} }) },
  persistent: (id) => ({ opaque: id }),
};

/** Pickles of protocols 2 to 4 that use every opcode of the reader. */
const PICKLES = [
  [
    0x80,
    2,
    0x7d,
    0x71,
    0,
    0x28,
    0x58,
    1,
    0,
    0,
    0,
    97,
    0x5d,
    0x71,
    1,
    0x28,
    0x4b,
    1,
    0x4d,
    1,
    2,
    0x65,
    0x58,
    1,
    0,
    0,
    0,
  ],
  [0x80, 4, 0x95, 9, 0, 0, 0, 0, 0, 0, 0, 0x8c, 1, 97, 0x8c, 1, 98, 0x93, 0x29, 0x52, 0x94, 0x2e],
  [0x80, 2, 0x63, 97, 10, 98, 10, 0x29, 0x52, 0x7d, 0x62, 0x85, 0x71, 0, 0x68, 0, 0x86, 0x2e],
  [
    0x80,
    2,
    0x28,
    0x8a,
    3,
    1,
    2,
    3,
    0x47,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0x4e,
    0x88,
    0x89,
    0x4a,
    1,
    0,
    0,
    0,
    0x74,
    0x51,
    0x2e,
  ],
  [0x5d, 0x4b, 1, 0x61, 0x7d, 0x4b, 1, 0x55, 1, 97, 0x73, 0x87, 0x2e],
];
PICKLES[0].push(98, 0x58, 1, 0, 0, 0, 99, 0x75, 0x2e);

/** Small pictures in every format that is read. */
async function pictures(
  ...formats: readonly ("png" | "jpeg" | "tiff" | "webp" | "gif" | "avif")[]
) {
  const data = Uint8Array.from({ length: 16 * 12 * 3 }, (_, i) => (i * 37) & 255);
  const raw = { width: 16, height: 12, channels: 3 } as const;
  return await Promise.all(
    formats.map(async (format) =>
      new Uint8Array(await sharp(data, { raw }).toFormat(format).toBuffer())
    ),
  );
}

/** Writes the right checksum into every header of a tar archive. */
function repairTar(bytes: Uint8Array): void {
  for (let at = 0; at + 512 <= bytes.length; at += 512) {
    const header = bytes.subarray(at, at + 512);
    if (header.every((byte) => byte === 0)) continue;
    const sum = header.reduce((all, byte, i) => all + (i >= 148 && i < 156 ? 32 : byte), 0);
    header.set(encoder.encode(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
    const size = parseInt(decodeText(header.subarray(124, 135)), 8);
    if (size > 0) at += 512 * Math.ceil(size / 512);
  }
}

/** Writes the right checksum into a checkpoint: the SHA-256 of the file with zeros in its place. */
function repairCheckpoint(bytes: Uint8Array): void {
  const mark = encoder.encode('"sha256":"');
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(mark) +
    mark.length;
  if (start < mark.length || start + 64 > bytes.length) return;
  const digits = bytes.subarray(start, start + 64).fill(0x30);
  digits.set(encoder.encode(createHash("sha256").update(bytes).digest("hex")));
}

const ESTIMATE = { mean: -1, standardError: 0.1 };
const LIKELIHOOD: AnnealedResult = {
  schema: 1,
  id: RECORDS[0].id,
  settings: { images: 1, temperatures: 50, chains: 2 },
  likelihood: {
    dimensions: 6,
    test: { ...ESTIMATE, imagesError: 0.2, largestError: 0.3 },
    simulated: { lower: ESTIMATE, upper: ESTIMATE, gap: ESTIMATE },
    normaliser: null,
    curvature: 1,
    acceptance: 0.7,
  },
  seconds: 1,
  device: "cpu",
  startedAt: "2026-01-02T03:04:05.678Z",
};

const SPEC = JSON.stringify(RECORDS[0].spec);
const ID = RECORDS[0].id;

/** The readers by name. */
export const READERS: Readonly<Record<string, Reader>> = {
  npy: { seeds: given(CUBE), read: (bytes) => readNpy(bytes) },
  npy_pictures: { seeds: given(IMAGES), read: (bytes) => npyPictures(bytes, "a.npy") },
  draws_npz: {
    seeds: given(
      zipSync({ "z.npy": CUBE }),
      zipSync({ "z.npy": [CUBE, { level: 0 }], "w.npy": CUBE }),
    ),
    read: asFile("a.npz", readDrawsFile),
  },
  draws_csv: {
    seeds: texts("0,1\n2,3\n", '".chain",".draw","z"\n1,1,5\n2,2,nan\n', "# x\nlp__,z.1\n-1,inf\n"),
    read: asFile("a.csv", readDrawsFile),
  },
  draws_json: {
    seeds: texts('{"posterior":{"z":[[[1,2],[NaN,4]],[[5,6],[-Infinity,8]]]},"attrs":{}}'),
    read: asFile("a.json", readDrawsFile),
  },
  draws_netcdf: {
    seeds: given(gunzipSync(Uint8Array.fromBase64(NETCDF_EXAMPLE))),
    read: asFile("a.nc", (path) => readDrawsFile(path, { variable: "z" })),
  },
  statistics: {
    seeds: given(STATISTICS),
    read: (bytes) => readStatistics(bytes, "a.npz"),
  },
  idx: { seeds: given(IDX), read: (bytes) => readIdx(bytes) },
  idx_gzip: {
    seeds: given(gzipSync(IDX, { mtime: 0 })),
    read: async (bytes) => readIdx(await gunzip(bytes)),
  },
  pickle: {
    seeds: given(...PICKLES.map((bytes) => Uint8Array.from(bytes))),
    read: (bytes) => unpickle(bytes, 0, PICKLE_TABLE),
  },
  torch_legacy: { seeds: files("fid/torch_legacy.pth"), read: (bytes) => readTorchFile(bytes) },
  torch_zip: { seeds: files("fid/torch_zip.pth"), read: (bytes) => readTorchFile(bytes) },
  cifar10: {
    seeds: files("datasets/cifar10_python.tar.gz", "datasets/cifar10_binary.tar.gz"),
    read: (bytes) => decodeCifar10(streamOf(bytes), { split: "test", what: "cifar" }),
  },
  zip: {
    seeds: given(
      zipSync({ a: encoder.encode("Langevin ".repeat(50)), b: [new Uint8Array(20), { level: 0 }] }),
    ),
    read: (bytes) => zipMembers(bytesSource(bytes)).map((member) => member.read()),
  },
  zip_pictures: {
    seeds: files("datasets/pictures.zip", "datasets/link.zip", "datasets/huge.zip"),
    read: asFile("a.zip", readAll),
  },
  tar: {
    seeds: files("datasets/link.tar", "datasets/traversal.tar"),
    read: async (bytes) => {
      for await (const _ of tarMembers(streamOf(bytes))) { /* read */ }
    },
    repair: repairTar,
  },
  tar_pictures: {
    seeds: async () => [
      gunzipSync(await Deno.readFile(projectPath("fixtures/datasets/grey.tar.gz"))),
      ...await files("datasets/link.tar", "datasets/traversal.tar")(),
    ],
    read: asFile("a.tar", readAll),
    repair: repairTar,
  },
  tar_gzip: { seeds: files("datasets/grey.tar.gz"), read: asFile("a.tar.gz", readAll) },
  mat5: {
    seeds: files("datasets/svhn_plain.mat", "datasets/svhn_labels_only.mat"),
    read: async (bytes) => {
      for await (const { pieces } of readMat5(streamOf(bytes), "a.mat")) {
        for await (const _ of pieces) { /* read */ }
      }
    },
  },
  svhn: {
    seeds: files("datasets/svhn_compressed.mat", "datasets/svhn_plain.mat"),
    read: (bytes) => decodeSvhn(streamOf(bytes), "a.mat"),
  },
  protobuf: {
    seeds: given(ONNX, GRAPH_DEFS[1]),
    read: (bytes) => {
      let left = NESTED_MESSAGES;
      const visit = (message: Uint8Array<ArrayBuffer>, depth: number) => {
        for (const field of fields(message)) {
          // Bytes may be text, numbers or a message: only the top level must be sound.
          const nested = ({ bytes }: Field) => depth < 3 && left-- > 0 && visit(bytes, depth + 1);
          for (const read of [integers, nested]) {
            try {
              read(field);
            } catch (error) {
              if (!(error instanceof SyntaxError)) throw error;
            }
          }
        }
      };
      visit(bytes, 0);
    },
  },
  graph_def: { seeds: given(...GRAPH_DEFS), read: (bytes) => readGraphDef(bytes) },
  png: {
    seeds: () => pictures("png"),
    read: async (bytes) => {
      await decodeImage(bytes, "a.png").catch(rethrowUnclean);
      await decodePicture(bytes, "a.png");
    },
  },
  jpeg: { seeds: () => pictures("jpeg"), read: (bytes) => decodeImage(bytes, "a.jpg") },
  tiff: { seeds: () => pictures("tiff"), read: (bytes) => decodePicture(bytes, "a.tif") },
  webp: { seeds: () => pictures("webp"), read: (bytes) => decodeImage(bytes, "a.webp") },
  avif: { seeds: () => pictures("avif"), read: (bytes) => decodePicture(bytes, "a.avif") },
  gif: { seeds: () => pictures("gif"), read: (bytes) => decodeImage(bytes, "a.gif") },
  checkpoint: {
    seeds: given(CHECKPOINT),
    read: (bytes) => decodeCheckpoint(bytes),
    repair: repairCheckpoint,
  },
  results: {
    seeds: texts(LINES.join(""), LINES[0] + LINES[1].slice(0, 50)),
    read: (bytes) => parseResults(decodeText(bytes), "results.jsonl"),
  },
  record: {
    seeds: texts(...LINES),
    read: async (bytes, folder) => {
      await Deno.writeFile(`${folder}/record.json`, bytes);
      await readRecordFile(folder, ID);
    },
  },
  spec: { seeds: texts(SPEC), read: (bytes) => parseSpec(decodeText(bytes), "spec.json") },
  run_list: {
    seeds: texts(JSON.stringify({ name: "x", runs: [RECORDS[0].spec] })),
    read: asFile(
      "experiment.json",
      (path) => readRunList(path.slice(0, -"/experiment.json".length)),
    ),
  },
  likelihoods: {
    seeds: texts(`${JSON.stringify(LIKELIHOOD)}\n`),
    read: asFile(
      "likelihood.jsonl",
      (path) => readLikelihoods(path.slice(0, -"/likelihood.jsonl".length)),
    ),
  },
  baseline: {
    seeds: async () => [await Deno.readFile(projectPath("ci/baselines/toy.json"))],
    read: (bytes) => parseBaseline(decodeText(bytes)),
  },
  slurm_config: {
    seeds: texts(
      "slurm:\n  partition: gpu\n  time: 04:00:00\n  setup:\n    - &a module load cuda\n    - *a\n",
      'slurm: {mem: 16, arg: ["account=x", --exclusive], array-parallelism: 8}\n',
    ),
    read: (bytes) => readSlurmOptions({}, { path: "p.yaml", text: decodeText(bytes) }),
  },
  submission: {
    seeds: texts('{"runs":["0123456789ab"],"arrayParallelism":2}'),
    read: asFile("slurm.json", (path) => readSubmission(path.slice(0, -"/slurm.json".length))),
  },
  queue: {
    seeds: texts("12_0|RUNNING|/out/sweep.sbatch\n13_1|PENDING|/out/sweep.sbatch\n"),
    read: (bytes) =>
      parseQueue(decodeText(bytes), { script: "/out/sweep.sbatch", runs: ["a", "b"] }),
  },
};

/** Ignores a clean error of the first of two readers of an input. */
function rethrowUnclean(error: unknown): void {
  if (!(error instanceof SyntaxError)) throw error;
}

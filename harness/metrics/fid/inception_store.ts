/**
 * Converts Inception's weights to a network on disk, and finds that network.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import { dataFolder } from "../../core/cache_folder.ts";
import { encodeModel } from "../../formats/onnx_model.ts";
import { ifThere, replaceFile } from "../../core/files.ts";
import { readFile } from "../../formats/byte_source.ts";
import { inceptionGraph } from "./inception_onnx.ts";
import { readInceptionWeights } from "./weights.ts";

/** Facts of a converted network, in the file beside it. */
export interface SideCar {
  readonly schema: 1;
  /** Hash of the parameters, which identifies the network in caches and records. */
  readonly weightsSha256: string;
  /** Hash of the file from which they were read. */
  readonly sourceSha256: string;
  readonly sourceFormat: string;
  /** Whether that file is the published one. */
  readonly published: boolean;
  readonly onnxSha256: string;
}

const SIDE_CAR_SCHEMA: z.ZodType<SideCar> = z.strictObject({
  schema: z.literal(1),
  weightsSha256: z.hex().length(64),
  sourceSha256: z.hex().length(64),
  sourceFormat: z.string(),
  published: z.boolean(),
  onnxSha256: z.hex().length(64),
});

/** A converted network on disk. */
export interface StoredInception extends SideCar {
  /** Path of the ONNX file. */
  readonly path: string;
}

/** Folder of the converted network, inside the data folder. */
export function inceptionFolder(): string {
  return join(dataFolder(), "inception");
}

const NETWORK = "inception.onnx";
const SIDE_CAR = "inception.json";

/** Finds the converted network in `folder`; null if there is none. Throws Error if its side-car file is broken. */
export function findInception(folder: string): StoredInception | null {
  let text: string;
  try {
    text = Deno.readTextFileSync(join(folder, SIDE_CAR));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
  try {
    return { ...SIDE_CAR_SCHEMA.parse(JSON.parse(text)), path: join(folder, NETWORK) };
  } catch (error) {
    throw new Error(
      `${join(folder, SIDE_CAR)} is broken: delete it and run deno task inception again`,
      { cause: error },
    );
  }
}

/** Checks the SHA-256 of the network on disk (95 MB) against its side-car file. Throws Error if it differs. */
export async function verifyInception(stored: StoredInception): Promise<void> {
  const bytes = await ifThere(Deno.readFile(stored.path));
  if (!bytes || createHash("sha256").update(bytes).digest("hex") !== stored.onnxSha256) {
    throw new Error(
      `${stored.path} is missing or altered: delete its folder and run deno task inception again`,
    );
  }
}

/** Reads the weights file `path`, converts it and stores the network in `folder`. Throws like `readInceptionWeights`. */
export async function convertInception(path: string, folder: string): Promise<StoredInception> {
  const checked = readInceptionWeights(await readFile(path), path);
  const model = encodeModel(inceptionGraph(checked.weights));
  const sideCar: SideCar = {
    schema: 1,
    weightsSha256: checked.parametersSha256,
    sourceSha256: checked.fileSha256,
    sourceFormat: checked.format,
    published: checked.published,
    onnxSha256: createHash("sha256").update(model).digest("hex"),
  };
  await Deno.mkdir(folder, { recursive: true });
  await replaceFile(join(folder, NETWORK), model);
  await replaceFile(join(folder, SIDE_CAR), JSON.stringify(sideCar, null, 2));
  return { ...sideCar, path: join(folder, NETWORK) };
}

/**
 * Inception's published weights: which file they are, how a file is recognized and checked.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { readGraphDef } from "./graph_def.ts";
import { inceptionParameters } from "./inception_network.ts";
import { isLegacy, isTorchFile, readTorchFile, type Weights } from "../../formats/torch_file.ts";

/**
 * The file that pytorch-fid and torch-fidelity download: Google's parameters of 2015-12-05 (Apache 2.0)
 * in PyTorch's legacy format. Both projects host the same bytes.
 */
export const PUBLISHED_WEIGHTS = {
  urls: [
    "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth",
    "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth",
  ],
  names: [
    "pt_inception-2015-12-05-6726825d.pth",
    "weights-inception-2015-12-05-6726825d.pth",
  ],
  bytes: 95_628_359,
  sha256: "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
} as const;

/** Formats that weights are read from. */
export type WeightsFormat = "torch legacy" | "torch zip" | "TensorFlow GraphDef";

/** Weights that have every parameter of the network in its shape. */
export interface CheckedWeights {
  readonly weights: Weights;
  readonly format: WeightsFormat;
  /** Of the file. */
  readonly fileSha256: string;
  /** Whether the file is the published one to the last bit. */
  readonly published: boolean;
  /** Over the parameters' float32 bytes in the order of `inceptionParameters()`: the same for every format. */
  readonly parametersSha256: string;
}

/**
 * Reads Inception's weights of any known format. `name` is the file's, for errors. Throws SyntaxError when
 * the file is broken, is another network's, or bears the published name but not its hash.
 *
 * A copy saved again by torch, or Google's GraphDef, has no published hash: it is read, and `published` is
 * false.
 */
export function readInceptionWeights(
  bytes: Uint8Array<ArrayBuffer>,
  name: string,
): CheckedWeights {
  const fileSha256 = createHash("sha256").update(bytes).digest("hex");
  const published = fileSha256 === PUBLISHED_WEIGHTS.sha256;
  const named = PUBLISHED_WEIGHTS.names.some((known) => name.endsWith(known));
  if (named && !published && (isLegacy(bytes) || !isTorchFile(bytes))) {
    throw new SyntaxError(
      `${name}: SHA-256 is ${fileSha256} over ${bytes.length} bytes, should be ${PUBLISHED_WEIGHTS.sha256} over ${PUBLISHED_WEIGHTS.bytes}: truncated or altered, fetch it again`,
    );
  }
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    throw new SyntaxError(`${name}: gzip archive: unpack it and name the .pb or .pth file within`);
  }
  try {
    const torch = isTorchFile(bytes);
    const weights = torch ? readTorchFile(bytes) : readGraphDef(bytes);
    checkParameters(weights);
    return {
      weights,
      format: !torch ? "TensorFlow GraphDef" : isLegacy(bytes) ? "torch legacy" : "torch zip",
      fileSha256,
      published,
      parametersSha256: hashParameters(weights),
    };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new SyntaxError(`${name}: ${error.message}`, { cause: error });
  }
}

function checkParameters(weights: Weights): void {
  for (const [name, shape] of inceptionParameters()) {
    const found = weights.get(name);
    if (!found) {
      throw new SyntaxError(`No parameter ${name}: not the weights of the FID's Inception network`);
    }
    if (found.shape.join() !== shape.join()) {
      throw new SyntaxError(
        `Parameter ${name} has shape [${found.shape}], the FID's network has [${shape}]: other weights, of torchvision or TF-Slim perhaps, whose distances are not comparable`,
      );
    }
    const bad = found.data.findIndex((x) => !Number.isFinite(x));
    if (bad >= 0) throw new SyntaxError(`Parameter ${name} has ${found.data[bad]} at ${bad}`);
  }
}

function hashParameters(weights: Weights): string {
  const hash = createHash("sha256");
  for (const name of inceptionParameters().keys()) {
    const data = weights.get(name)?.data;
    if (data) hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest("hex");
}

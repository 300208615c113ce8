/**
 * Reads and checks Inception's weights, and knows the published file.
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

/** Supported formats of weights files. */
export type WeightsFormat = "torch legacy" | "torch zip" | "TensorFlow GraphDef";

/** Weights that have every parameter of the network with its shape. */
export interface CheckedWeights {
  readonly weights: Weights;
  readonly format: WeightsFormat;
  /** Hash of the file. */
  readonly fileSha256: string;
  /** Whether the file is the published one, bit for bit. */
  readonly published: boolean;
  /** Hash of the parameters' float32 bytes in the order of `inceptionParameters()`; the same for every format. */
  readonly parametersSha256: string;
}

/**
 * Reads Inception's weights in any supported format; `name` names the file in errors. Throws SyntaxError if the file is
 * broken, belongs to another network, or has the published name but another hash.
 *
 * A copy saved again by torch and Google's GraphDef have no published hash; they are read with `published` false.
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
      `${name}: SHA-256 must be ${PUBLISHED_WEIGHTS.sha256} (${PUBLISHED_WEIGHTS.bytes} bytes), got ${fileSha256} (${bytes.length} bytes): the file is truncated or altered, download it again`,
    );
  }
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    throw new SyntaxError(`${name}: gzip archive: unpack it and name the .pb or .pth file inside`);
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
      throw new SyntaxError(
        `Parameter ${name} is missing: not the weights of the FID's Inception network`,
      );
    }
    if (found.shape.join() !== shape.join()) {
      throw new SyntaxError(
        `Parameter ${name} must have shape [${shape}], got [${found.shape}]: these weights are of another network, perhaps torchvision's or TF-Slim's, whose distances are not comparable`,
      );
    }
    const bad = found.data.findIndex((x) => !Number.isFinite(x));
    if (bad >= 0) {
      throw new SyntaxError(`Parameter ${name} is not finite: ${found.data[bad]} at index ${bad}`);
    }
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

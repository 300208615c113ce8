/**
 * Reads and writes files of statistics in the format of TTUR, pytorch-fid, clean-fid and EDM: an .npz archive with `mu`
 * [d] and `sigma` [d, d]. A further member, which those tools ignore, records how they were made.
 *
 * @module
 */
import { zipSync } from "fflate";
import { z } from "zod";
import { bytesSource } from "../../formats/byte_source.ts";
import { readNpy, writeNpy } from "../../formats/npy.ts";
import { type Mode, MODES } from "./preprocess.ts";
import type { Statistics } from "./feature_statistics.ts";
import { zipMembers } from "../../formats/zip.ts";

/** Record of how statistics were made. */
export interface Origin {
  readonly schema: 1;
  /** Number of images. */
  readonly count: number;
  readonly mode: Mode;
  /** Hash of the network's parameters: `CheckedWeights.parametersSha256`. */
  readonly weightsSha256: string;
  /** Hash of the decoded images in order. */
  readonly imagesSha256: string;
  /** Description of the images: a path or a data set. */
  readonly images: string;
  /** Rounding of generated pixels; files and data sets are always bytes. */
  readonly quantize: "bytes";
}

const ORIGIN_SCHEMA: z.ZodType<Origin> = z.strictObject({
  schema: z.literal(1),
  count: z.int().min(2),
  mode: z.enum(MODES),
  weightsSha256: z.hex().length(64),
  imagesSha256: z.hex().length(64),
  images: z.string(),
  quantize: z.literal("bytes"),
});

/** Statistics and their origin; `origin` is null if another tool wrote the file. */
export interface SavedStatistics {
  readonly statistics: Statistics;
  readonly origin: Origin | null;
}

const ORIGIN = "laebench.json";
const SYMMETRY_TOLERANCE = 1e-6;

/** Encodes statistics as an .npz file. */
export function writeStatistics(
  { statistics, origin }: SavedStatistics,
): Uint8Array<ArrayBuffer> {
  const { mean, covariance } = statistics;
  const d = mean.length;
  const members = {
    "mu.npy": writeNpy({ shape: [d], data: mean }),
    "sigma.npy": writeNpy({ shape: [d, d], data: covariance }),
    ...(origin ? { [ORIGIN]: new TextEncoder().encode(JSON.stringify(origin, null, 2)) } : {}),
  };
  // Covariances hardly compress, so members are stored. The fixed date makes equal statistics equal bytes.
  return zipSync(members, { level: 0, mtime: "1980-01-01T00:00:00" }) as Uint8Array<ArrayBuffer>;
}

/** Reads an .npz file; `name` names it in errors. Throws SyntaxError if it is broken or not a file of statistics. */
export function readStatistics(bytes: Uint8Array<ArrayBuffer>, name: string): SavedStatistics {
  try {
    const members = new Map(zipMembers(bytesSource(bytes)).map((member) => [member.name, member]));
    const array = (key: string) => {
      const member = members.get(`${key}.npy`);
      if (!member) {
        const keys = [...members.keys()].map((k) => k.replace(/\.npy$/, "")).join(", ");
        throw new SyntaxError(
          `no array "${key}", only ${keys || "nothing"}: not a file of statistics`,
        );
      }
      return readNpy(member.read());
    };
    const mu = array("mu"), sigma = array("sigma");
    const d = mu.data.length;
    if (mu.shape.length !== 1 || sigma.shape.join() !== `${d},${d}`) {
      throw new SyntaxError(
        `mu and sigma must have shapes [d] and [d, d], got [${mu.shape}] and [${sigma.shape}]`,
      );
    }
    checkCovariance(sigma.data, mu.data);
    const json = members.get(ORIGIN)?.read();
    const origin = json ? ORIGIN_SCHEMA.parse(JSON.parse(new TextDecoder().decode(json))) : null;
    const statistics = { count: origin?.count ?? null, mean: mu.data, covariance: sigma.data };
    return { statistics, origin };
  } catch (error) {
    if (error instanceof z.ZodError) {
      throw new SyntaxError(`${name}: ${ORIGIN} is broken: ${error.issues[0]?.message}`);
    }
    if (error instanceof SyntaxError) throw new SyntaxError(`${name}: ${error.message}`);
    throw error;
  }
}

function checkCovariance(sigma: Float64Array, mu: Float64Array): void {
  if (!mu.every(Number.isFinite) || !sigma.every(Number.isFinite)) {
    throw new SyntaxError("mu or sigma has entries that are not finite");
  }
  const d = mu.length;
  const scale = sigma.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  for (let i = 0; i < d; i++) {
    for (let j = 0; j < i; j++) {
      if (Math.abs(sigma[i * d + j] - sigma[j * d + i]) > SYMMETRY_TOLERANCE * scale) {
        throw new SyntaxError(`sigma is not symmetric at (${i}, ${j}): not a covariance`);
      }
    }
  }
}

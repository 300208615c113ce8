/**
 * Reader of zip archives that other programs made: bounded in size, and nothing is written to disk.
 *
 * @module
 */
import { type Unzipped, unzipSync } from "fflate";

/** Limits that hold while an archive is opened. */
export interface ZipLimits {
  /** Total size of the members, unpacked, in bytes. */
  readonly totalBytes: number;
}

/** 2 GiB: twenty times the size of Inception's weights, and more than a zip archive of 10,000 large images. */
const LIMITS: ZipLimits = { totalBytes: 2 ** 31 };

/**
 * The members of a zip archive by name, those that `wanted` accepts; folders are left out.
 * Throws SyntaxError when the archive is broken, announces more than `limits`, or holds more than it announces.
 */
export function readZip(
  bytes: Uint8Array<ArrayBuffer>,
  wanted: (name: string) => boolean = () => true,
  limits: ZipLimits = LIMITS,
): Map<string, Uint8Array<ArrayBuffer>> {
  let total = 0;
  const sizes = new Map<string, number>();
  let members: Unzipped;
  try {
    members = unzipSync(bytes, {
      filter({ name, originalSize }) {
        if (name.endsWith("/") || !wanted(name)) return false;
        total += originalSize;
        if (total > limits.totalBytes) {
          throw new RangeError(`unpacks to more than ${limits.totalBytes} bytes`);
        }
        sizes.set(name, originalSize);
        return true;
      },
    });
  } catch (error) {
    throw new SyntaxError(`Zip archive: ${error instanceof Error ? error.message : error}`);
  }
  const out = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const [name, data] of Object.entries(members)) {
    if (data.length !== sizes.get(name)) {
      throw new SyntaxError(
        `Zip archive: member ${name} has ${data.length} bytes, ${sizes.get(name)} announced`,
      );
    }
    out.set(name, data as Uint8Array<ArrayBuffer>);
  }
  return out;
}

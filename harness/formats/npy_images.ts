import { excerpt } from "../core/plain_text.ts";

/** An image, row-major [height, width, channels]. */
export interface ArrayImage {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly data: Uint8Array;
}

/** How to turn statistics that Python pickled into a file that is read. */
export const UNPICKLE =
  "convert statistics by python3 -c 'import numpy as n, sys; d = n.load(sys.argv[1], allow_pickle=True); " +
  'd = d if isinstance(d, dict) else d.item(); n.savez(sys.argv[2], mu=d["mu"], sigma=d["sigma"])\' FILE OUT.npz';

const MAGIC = "934e554d5059"; // \x93NUMPY

/**
 * Reads the images of a .npy array of uint8 (numpy.lib.format): [height, width, channels] or [channels, height, width],
 * with 1 or 3 channels and an optional leading axis. Throws Error that names the file if it has another type or shape.
 */
export function npyPictures(bytes: Uint8Array<ArrayBuffer>, name: string): ArrayImage[] {
  const { shape, data } = readUint8(bytes, name);
  const [a, b, c] = shape.slice(-3);
  const isChannels = (length: number) => length === 1 || length === 3;
  const planar = isChannels(a) && !isChannels(c);
  if (shape.length < 3 || shape.length > 4 || (!planar && !isChannels(c)) || data.length === 0) {
    throw new Error(
      `${name} must have images of 1 or 3 channels, got shape [${excerpt(`${shape}`)}]`,
    );
  }
  const [height, width, channels] = planar ? [b, c, a] : [a, b, c];
  const size = height * width * channels;
  return Array.from({ length: data.length / size }, (_, i) => {
    const picture = data.subarray(i * size, (i + 1) * size);
    return { height, width, channels, data: planar ? interleaved(picture, channels) : picture };
  });
}

function readUint8(
  bytes: Uint8Array<ArrayBuffer>,
  name: string,
): { shape: readonly number[]; data: Uint8Array } {
  if (bytes.length < 12 || bytes.subarray(0, 6).toHex() !== MAGIC) {
    throw new Error(`${name} is not a .npy array`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const first = bytes[6] === 1;
  const start = first ? 10 + view.getUint16(8, true) : 12 + view.getUint32(8, true);
  const header = new TextDecoder().decode(bytes.subarray(first ? 10 : 12, start));
  const type = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  const shape = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1].split(",").filter((s) => s.trim())
    .map(Number);
  if (type === "|O") throw new Error(`${name} is a pickled object: ${UNPICKLE}`);
  if (type !== "|u1" || !shape || !/'fortran_order':\s*False/.test(header)) {
    throw new Error(`${name} must be row-major uint8, got ${excerpt(type ?? "an unknown type")}`);
  }
  const data = bytes.subarray(start);
  const expected = shape.reduce((product, length) => product * length, 1);
  if (data.length !== expected) {
    throw new Error(
      `${name} of shape [${excerpt(`${shape}`)}] needs ${expected} bytes, got ${data.length}`,
    );
  }
  return { shape, data };
}

/** Converts [channels, area] to [area, channels]. */
function interleaved(planes: Uint8Array, channels: number): Uint8Array {
  const area = planes.length / channels;
  const out = new Uint8Array(planes.length);
  for (let channel = 0; channel < channels; channel++) {
    for (let at = 0; at < area; at++) out[at * channels + channel] = planes[channel * area + at];
  }
  return out;
}

import type { Picture } from "./area_resize.ts";

const MAGIC = "934e554d5059"; // \x93NUMPY

/**
 * The pictures in a .npy array of uint8 (numpy.lib.format): [height, width, channels] or
 * [channels, height, width], alone or with a leading axis, 1 or 3 channels. Throws an Error that names the
 * file and its shape.
 */
export function npyPictures(bytes: Uint8Array<ArrayBuffer>, name: string): Picture[] {
  const { shape, data } = readUint8(bytes, name);
  const [a, b, c] = shape.slice(-3);
  const isChannels = (length: number) => length === 1 || length === 3;
  const planar = isChannels(a) && !isChannels(c);
  if (shape.length < 3 || shape.length > 4 || (!planar && !isChannels(c)) || data.length === 0) {
    throw new Error(`${name} has shape [${shape}]: no pictures of 1 or 3 channels`);
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
    throw new Error(`${name} is no .npy array`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const first = bytes[6] === 1;
  const start = first ? 10 + view.getUint16(8, true) : 12 + view.getUint32(8, true);
  const header = new TextDecoder().decode(bytes.subarray(first ? 10 : 12, start));
  const type = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  const shape = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1].split(",").filter((s) => s.trim())
    .map(Number);
  if (type !== "|u1" || !shape || !/'fortran_order':\s*False/.test(header)) {
    throw new Error(`${name} holds ${type ?? "no known type"}, expected row-major uint8 pictures`);
  }
  const data = bytes.subarray(start);
  const expected = shape.reduce((product, length) => product * length, 1);
  if (data.length !== expected) {
    throw new Error(`${name} of shape [${shape}] has ${data.length} bytes, needs ${expected}`);
  }
  return { shape, data };
}

/** [channels, area] to [area, channels]. */
function interleaved(planes: Uint8Array, channels: number): Uint8Array {
  const area = planes.length / channels;
  const out = new Uint8Array(planes.length);
  for (let channel = 0; channel < channels; channel++) {
    for (let at = 0; at < area; at++) out[at * channels + channel] = planes[channel * area + at];
  }
  return out;
}

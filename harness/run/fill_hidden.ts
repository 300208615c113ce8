import type { ImageSet, ImageShape } from "../core/types.ts";

/** Share of the mass of a Gaussian that seen pixels must have for its width to be taken. */
const LEAST_MASS = 0.02;

/** The Gaussians are cut off at this many standard deviations. */
const REACH = 3;

/**
 * `set` with a blur of the seen pixels in the place of hidden ones, so that no later step can use what they were: a pixel is
 * the mean of the seen ones, weighted by a Gaussian of the least standard deviation of 1, 2, 4, ... pixels that finds any.
 * Channels are apart. `set` itself if it hides none.
 */
export function fillHidden(set: ImageSet): ImageSet {
  const { image, count, seen } = set;
  if (seen === undefined) return set;
  const { height, width, channels } = image;
  const size = height * width;
  const pixels = set.pixels.slice();
  for (let row = 0; row < count; row++) {
    const mask = seen.subarray(row * size, (row + 1) * size);
    const own = pixels.subarray(row * size * channels, (row + 1) * size * channels);
    fillImage(own, { mask, image });
  }
  return { ...set, pixels };
}

/** Fills the hidden pixels of one image, [height, width, channels], in place. */
function fillImage(
  pixels: Uint8Array,
  { mask, image: { height, width, channels } }: {
    readonly mask: Uint8Array;
    readonly image: ImageShape;
  },
): void {
  const shape = { height, width };
  const planes = Array.from(
    { length: channels },
    (_, channel) => Float64Array.from(mask, (seen, i) => seen * pixels[i * channels + channel]),
  );
  const missing = new Set(mask.keys().filter((i) => mask[i] === 0));
  for (let deviation = 1; missing.size > 0; deviation *= 2) {
    const kernel = gaussian(deviation);
    const mass = smooth(Float64Array.from(mask), { kernel, shape });
    const sums = planes.map((plane) => smooth(plane, { kernel, shape }));
    // A Gaussian much wider than the image sees all of it.
    const least = deviation > height + width ? 0 : LEAST_MASS;
    for (const i of missing) {
      if (mass[i] <= least) continue;
      sums.forEach((sum, channel) => {
        pixels[i * channels + channel] = Math.round(sum[i] / mass[i]);
      });
      missing.delete(i);
    }
    if (least === 0) break; // nothing is seen
  }
}

/** Weights of a Gaussian at whole distances, 0 to its reach, which sum to 1 over both sides. */
function gaussian(deviation: number): number[] {
  const weights = Array.from(
    { length: Math.ceil(REACH * deviation) + 1 },
    (_, i) => Math.exp(-0.5 * (i / deviation) ** 2),
  );
  const sum = weights.reduce((total, w, i) => total + (i === 0 ? w : 2 * w), 0);
  return weights.map((w) => w / sum);
}

/** Convolves `values` [height, width], zero outside, with `kernel` along both axes. */
function smooth(
  values: Float64Array,
  { kernel, shape: { height, width } }: {
    readonly kernel: readonly number[];
    readonly shape: { readonly height: number; readonly width: number };
  },
): Float64Array {
  const rows = { count: height, start: width, length: width, stride: 1 };
  const columns = { count: width, start: 1, length: height, stride: width };
  return smoothLines(smoothLines(values, { kernel, lines: rows }), { kernel, lines: columns });
}

/** Convolves each of `count` lines; line k has its `length` elements at start k + stride j. */
function smoothLines(
  values: Float64Array,
  { kernel, lines: { count, start, length, stride } }: {
    readonly kernel: readonly number[];
    readonly lines: Readonly<Record<"count" | "start" | "length" | "stride", number>>;
  },
): Float64Array {
  const out = new Float64Array(values.length);
  const reach = kernel.length - 1;
  for (let line = 0; line < count; line++) {
    const first = line * start;
    for (let i = 0; i < length; i++) {
      const [from, to] = [Math.max(0, i - reach), Math.min(length - 1, i + reach)];
      let sum = 0;
      for (let j = from; j <= to; j++) sum += kernel[Math.abs(j - i)] * values[first + stride * j];
      out[first + stride * i] = sum;
    }
  }
  return out;
}

/** A decoded image file, one byte per channel, row-major [height, width, channels]. */
export interface Picture {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly data: Uint8Array;
}

/** Crops the largest centred square; of an odd remainder, the larger half is cut off below and on the right. */
export function centreSquare(picture: Picture): Picture {
  const { height, width, channels, data } = picture;
  const side = Math.min(height, width);
  if (height === width) return picture;
  const top = (height - side) >> 1;
  const left = (width - side) >> 1;
  const square = new Uint8Array(side * side * channels);
  for (let row = 0; row < side; row++) {
    const start = ((top + row) * width + left) * channels;
    square.set(data.subarray(start, start + side * channels), row * side * channels);
  }
  return { height: side, width: side, channels, data: square };
}

/**
 * Resizes to `size` x `size` by exact areas: output pixel (i, j) is the mean of the source over the rectangle
 * [i h/size, (i + 1) h/size) x [j w/size, (j + 1) w/size), each source pixel weighted by its area inside; in float64,
 * rounded half up. This antialiases when shrinking without a choice of filter. For integer ratios it is the mean of
 * blocks, and for equal sizes the identity.
 */
export function resizeArea(picture: Picture, size: number): Picture {
  const { height, width, channels, data } = picture;
  if (height === size && width === size) return picture;
  const rows = coverage(height, size);
  const columns = coverage(width, size);
  const stride = width * channels;
  const out = new Uint8Array(size * size * channels);
  const line = new Float64Array(stride); // one output row, not yet resized horizontally
  for (let i = 0; i < size; i++) {
    line.fill(0);
    for (const { at, weight } of rows[i]) {
      const start = at * stride;
      for (let k = 0; k < stride; k++) line[k] += weight * data[start + k];
    }
    for (let j = 0; j < size; j++) {
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        for (const { at, weight } of columns[j]) sum += weight * line[at * channels + channel];
        out[(i * size + j) * channels + channel] = Math.floor(sum + 0.5 + ROUNDING);
      }
    }
  }
  return { height: size, width: size, channels, data: out };
}

/** Tolerance so that exact halves round up although sums of weights have errors of about 1e-13. */
const ROUNDING = 1e-9;

/** A source position and its weight in an output pixel. */
interface Share {
  readonly at: number;
  /** Fraction of the output pixel that it covers; the weights of a pixel sum to 1. */
  readonly weight: number;
}

/** For each of `to` output positions, the overlapping ones of `from` source positions. */
function coverage(from: number, to: number): Share[][] {
  const scale = from / to;
  return Array.from({ length: to }, (_, position) => {
    const start = position * from / to;
    const end = (position + 1) * from / to;
    const shares: Share[] = [];
    for (let at = Math.floor(start); at < Math.min(from, Math.ceil(end)); at++) {
      const weight = (Math.min(end, at + 1) - Math.max(start, at)) / scale;
      if (weight > 0) shares.push({ at, weight });
    }
    return shares;
  });
}

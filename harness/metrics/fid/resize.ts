/**
 * The three ways in which FID implementations resize an image to Inception's 299x299 pixels. They differ by more than
 * rounding, and so do the FIDs (Parmar et al. 2022, arXiv:2104.11222), so each has a name and none is chosen silently.
 *
 * @module
 */

/** An image of three channels, interleaved: value (y, x, c) is data[(y * width + x) * 3 + c]. */
export interface Raster {
  readonly height: number;
  readonly width: number;
  /** Values in [0, 255]. */
  readonly data: Uint8Array | Float32Array;
}

/** A size in pixels. */
export interface Size {
  readonly height: number;
  readonly width: number;
}

const CHANNELS = 3;

/**
 * Bilinear as in TensorFlow 1 (`resize_bilinear` without align_corners): position i maps to i * in / out, without
 * half-pixel shift or antialiasing. Every operation is rounded to float32 in TensorFlow's order
 * (core/kernels/resize_bilinear_op.cc), so the result is bit-exact.
 */
export function resizeTensorflow1(image: Raster, size: Size): Float32Array {
  const axis = (from: number, to: number): Taps => {
    const scale = Math.fround(from / to);
    return twoTaps(from, to, (i) => Math.fround(i * scale));
  };
  const { low: y0, high: y1, fraction: dy } = axis(image.height, size.height);
  const { low: x0, high: x1, fraction: dx } = axis(image.width, size.width);
  const { data, width } = image;
  const out = new Float32Array(size.height * size.width * CHANNELS);
  const f = Math.fround;
  for (let y = 0, at = 0; y < size.height; y++) {
    const top = y0[y] * width, bottom = y1[y] * width;
    for (let x = 0; x < size.width; x++) {
      for (let c = 0; c < CHANNELS; c++, at++) {
        const a = data[(top + x0[x]) * CHANNELS + c], b = data[(top + x1[x]) * CHANNELS + c];
        const d = data[(bottom + x0[x]) * CHANNELS + c], e = data[(bottom + x1[x]) * CHANNELS + c];
        const t = f(a + f(f(b - a) * dx[x]));
        const u = f(d + f(f(e - d) * dx[x]));
        out[at] = t + f(f(u - t) * dy[y]);
      }
    }
  }
  return out;
}

/**
 * Bilinear as in torch.nn.functional.interpolate with align_corners=False: position i maps to
 * max(0, (i + 1/2) in / out - 1/2), without antialiasing. Float32; torch's order of rounding varies with the processor.
 */
export function resizeHalfPixel(image: Raster, size: Size): Float32Array {
  const axis = (from: number, to: number): Taps => {
    const scale = Math.fround(from / to);
    return twoTaps(from, to, (i) => Math.max(0, Math.fround(Math.fround(i + 0.5) * scale - 0.5)));
  };
  const { low: y0, high: y1, fraction: dy } = axis(image.height, size.height);
  const { low: x0, high: x1, fraction: dx } = axis(image.width, size.width);
  const { data, width } = image;
  const out = new Float32Array(size.height * size.width * CHANNELS);
  for (let y = 0, at = 0; y < size.height; y++) {
    const top = y0[y] * width, bottom = y1[y] * width;
    for (let x = 0; x < size.width; x++) {
      for (let c = 0; c < CHANNELS; c++, at++) {
        const a = data[(top + x0[x]) * CHANNELS + c], b = data[(top + x1[x]) * CHANNELS + c];
        const d = data[(bottom + x0[x]) * CHANNELS + c], e = data[(bottom + x1[x]) * CHANNELS + c];
        const t = (1 - dx[x]) * a + dx[x] * b;
        const u = (1 - dx[x]) * d + dx[x] * e;
        out[at] = (1 - dy[y]) * t + dy[y] * u;
      }
    }
  }
  return out;
}

/**
 * Bicubic with antialiasing as Pillow resizes an image of mode F (src/libImaging/Resample.c): a horizontal and then a
 * vertical pass with float64 weights and sums and a float32 intermediate image. Overshoots are clipped to [0, 255], as
 * in clean-fid (cleanfid/resize.py).
 */
export function resizePillowBicubic(image: Raster, size: Size): Float32Array {
  const { height, width, data } = image;
  const across = cubicWeights(width, size.width);
  const middle = new Float32Array(height * size.width * CHANNELS);
  for (let y = 0, at = 0; y < height; y++) {
    for (const { first, weights } of across) {
      for (let c = 0; c < CHANNELS; c++, at++) {
        let sum = 0;
        const from = (y * width + first) * CHANNELS + c;
        for (let k = 0; k < weights.length; k++) sum += data[from + k * CHANNELS] * weights[k];
        middle[at] = sum;
      }
    }
  }
  const row = size.width * CHANNELS;
  const out = new Float32Array(size.height * row);
  for (const [y, { first, weights }] of cubicWeights(height, size.height).entries()) {
    for (let x = 0; x < row; x++) {
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += middle[(first + k) * row + x] * weights[k];
      out[y * row + x] = Math.min(Math.max(sum, 0), 255);
    }
  }
  return out;
}

/** For each output position, the two neighbouring input positions and the fractional distance from the lower one. */
interface Taps {
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly fraction: Float32Array;
}

function twoTaps(from: number, to: number, position: (i: number) => number): Taps {
  const positions = Array.from({ length: to }, (_, i) => position(i));
  const low = Int32Array.from(positions, (p) => Math.min(Math.floor(p), from - 1));
  return {
    low,
    high: low.map((p) => Math.min(p + 1, from - 1)),
    fraction: Float32Array.from(positions, (p, i) => p - low[i]),
  };
}

/** Weights of the input positions `first`, `first + 1`, ... in one output position. */
interface Window {
  readonly first: number;
  readonly weights: Float64Array;
}

function cubicWeights(from: number, to: number): Window[] {
  const scale = from / to;
  const stretch = Math.max(scale, 1); // widens the kernel when shrinking, for antialiasing
  const support = 2 * stretch;
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(from, Math.trunc(centre + support + 0.5));
    const weights = Float64Array.from(
      { length: end - first },
      (_, k) => keysCubic((first + k - centre + 0.5) / stretch),
    );
    const sum = weights.reduce((a, b) => a + b, 0);
    return { first, weights: weights.map((w) => w / sum) };
  });
}

/** Keys' cubic with a = -1/2 (Keys 1981, "Cubic convolution interpolation"). */
function keysCubic(x: number): number {
  const t = Math.abs(x);
  if (t < 1) return (1.5 * t - 2.5) * t * t + 1;
  if (t < 2) return ((-0.5 * t + 2.5) * t - 4) * t + 2;
  return 0;
}

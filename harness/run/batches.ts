import type { HostArray, HostArrays, ImageSet, Noise } from "../core/types.ts";
import type * as tf from "@tensorflow/tfjs";

/** pixel / 255, indexed by pixel. */
const INTENSITY = Float32Array.from({ length: 256 }, (_, pixel) => pixel / 255);

/** Writes the images `rows` of `set` into `out` [rows.length, height, width, channels] as pixel / 255. */
export function gatherImages(set: ImageSet, rows: Int32Array, out: Float32Array): void {
  const size = set.image.height * set.image.width * set.image.channels;
  for (let i = 0; i < rows.length; i++) {
    const from = rows[i] * size;
    const to = i * size;
    for (let j = 0; j < size; j++) out[to + j] = INTENSITY[set.pixels[from + j]];
  }
}

/** The images `rows` of `set` as a program input, [rows.length, height, width, channels] in [0, 1]. */
export function imagesOfRows(set: ImageSet, rows: Int32Array): HostArray {
  const { height, width, channels } = set.image;
  const data = new Float32Array(rows.length * height * width * channels);
  gatherImages(set, rows, data);
  return { shape: [rows.length, height, width, channels], dtype: "float32", data };
}

/** The labels of the images `rows` of `set` as a program input, [rows.length]. Throws RangeError if the set has none. */
export function labelsOfRows({ labels }: ImageSet, rows: Int32Array): HostArray {
  if (labels === undefined) throw new RangeError("The images have no labels");
  return { shape: [rows.length], dtype: "int32", data: rows.map((row) => labels[row]) };
}

/** The mask of the images `rows` of `set` as a program input, [rows.length, height, width, 1]. Throws RangeError if the set has none. */
export function seenOfRows({ image, seen }: ImageSet, rows: Int32Array): HostArray {
  if (seen === undefined) throw new RangeError("The images have no hidden pixels");
  const { height, width } = image;
  const size = height * width;
  const data = new Float32Array(rows.length * size);
  rows.forEach((row, i) => data.set(seen.subarray(row * size, (row + 1) * size), i * size));
  return { shape: [rows.length, height, width, 1], dtype: "float32", data };
}

/** Persistent chains of all rows on the host: for each name [count, ...shape], float32. */
export type Chains = Readonly<Record<string, HostArray & { readonly data: Float32Array }>>;

/** Starts the chains `shapes` of `count` rows, each row at its own standard normal draw. */
export function startChains(
  shapes: Readonly<Record<string, readonly number[]>>,
  { count, noise, rows }: {
    readonly count: number;
    readonly noise: Noise;
    readonly rows: tf.Tensor1D;
  },
): Chains {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => {
      const width = shape.reduce((a, b) => a * b, 1);
      const draws = noise.split(name).normalOfRows(rows, width);
      const data = draws.dataSync<"float32">().slice();
      draws.dispose();
      return [name, { shape: [count, ...shape], dtype: "float32", data } as const];
    }),
  );
}

/** The chains of `rows`, [rows.length, ...shape] for each name: the input of a step. */
export function gatherChains(chains: Chains, rows: Int32Array): Chains {
  return Object.fromEntries(
    Object.entries(chains).map(([name, { shape, data }]) => {
      const [, ...rest] = shape;
      const width = rest.reduce((a, b) => a * b, 1);
      const out = new Float32Array(rows.length * width);
      rows.forEach((row, i) => out.set(data.subarray(row * width, (row + 1) * width), i * width));
      return [name, { shape: [rows.length, ...rest], dtype: "float32", data: out } as const];
    }),
  );
}

/** Writes the chains that a step returned for `rows` into `chains`. Throws RangeError for a missing chain or a wrong shape. */
export function scatterChains(chains: Chains, rows: Int32Array, updated: HostArrays): void {
  for (const [name, { shape, data }] of Object.entries(chains)) {
    const width = shape.slice(1).reduce((a, b) => a * b, 1);
    const from = updated[name];
    if (from === undefined || from.data.length !== rows.length * width) {
      throw new RangeError(
        `Chain "${name}" ${
          from === undefined ? "is missing" : `has shape [${from.shape}]`
        } after the step, expected shape [${[rows.length, ...shape.slice(1)]}]`,
      );
    }
    rows.forEach((row, i) =>
      data.set(from.data.subarray(i * width, (i + 1) * width) as Float32Array, row * width)
    );
  }
}

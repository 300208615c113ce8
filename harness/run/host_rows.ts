import { draws, type Key } from "../core/noise.ts";
import type { HostArray } from "../core/types.ts";

/** Standard normal draws [rows, dim] of the stream `key`. */
export function normalRows(key: Key, rows: number, dim: number): HostArray {
  const data = draws(key, { counter: 0, count: rows * dim, kind: "normal" });
  return { shape: [rows, dim], dtype: "float32", data };
}

/** The rows `places` of an array [n, ...]: [places.length, ...]. */
export function takeRows({ shape: [, ...rest], data }: HostArray, places: Int32Array): HostArray {
  const size = rest.reduce((a, b) => a * b, 1);
  const out = new Float32Array(places.length * size);
  places.forEach((place, i) => out.set(data.subarray(place * size, (place + 1) * size), i * size));
  return { shape: [places.length, ...rest], dtype: "float32", data: out };
}

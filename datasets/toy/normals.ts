import { draws, foldIn, keyOf } from "../../harness/noise.ts";

/** Rows of standard normal draws that make up a target's data: the same on every machine, named by `path`. */
export function fixedNormals(
  path: string,
  { rows, width }: { readonly rows: number; readonly width: number },
): number[][] {
  const flat = draws(foldIn(keyOf(0), path), { counter: 0, count: rows * width, kind: "normal" });
  return Array.from({ length: rows }, (_, i) => [...flat.subarray(i * width, (i + 1) * width)]);
}

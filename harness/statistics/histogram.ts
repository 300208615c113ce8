import type { Sample } from "./sample.ts";

/** Histogram of a two-dimensional sample: fractions in the cells of a square grid on [-extent, extent]^2, x-major. */
export function histogram2d(
  { data, count }: Sample,
  { extent, bins }: { readonly extent: number; readonly bins: number },
): Float64Array {
  const shares = new Float64Array(bins * bins);
  for (let n = 0; n < count; n++) {
    const i = Math.floor((data[2 * n] + extent) / (2 * extent) * bins);
    const j = Math.floor((data[2 * n + 1] + extent) / (2 * extent) * bins);
    if (i >= 0 && i < bins && j >= 0 && j < bins) shares[i * bins + j] += 1 / count;
  }
  return shares;
}

/** Total variation distance of two histograms. Mass outside the grid counts as one further cell. */
export function totalVariation(p: Float64Array, q: Float64Array): number {
  let sum = 0;
  let [insideP, insideQ] = [0, 0];
  p.forEach((v, i) => {
    sum += Math.abs(v - q[i]);
    insideP += v;
    insideQ += q[i];
  });
  return (sum + Math.abs(insideP - insideQ)) / 2;
}

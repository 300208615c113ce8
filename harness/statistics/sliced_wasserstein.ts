import type { Sample } from "./sample.ts";

/** Directions in the half plane, or coordinates: enough for dimension two, where the integrand is smooth. */
const DIRECTIONS = 16;

/**
 * Sliced 2-Wasserstein distance: the root of the mean over directions of the squared distance of the projections. Exact in
 * one dimension; evenly spaced directions in two. Bonneel et al. 2015. Throws RangeError in other dimensions.
 */
export function slicedWasserstein(x: Sample, y: Sample): number {
  const directions = directionsOf(x.dim);
  const squares = directions.map((direction) => {
    const [a, b] = [project(x, direction), project(y, direction)];
    // Quantile functions of unequal counts are compared on the finer grid.
    const count = Math.max(a.length, b.length);
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const q = (i + 0.5) / count;
      sum += (a[Math.floor(q * a.length)] - b[Math.floor(q * b.length)]) ** 2;
    }
    return sum / count;
  });
  return Math.sqrt(squares.reduce((s, v) => s + v, 0) / squares.length);
}

function directionsOf(dim: number): number[][] {
  if (dim === 1) return [[1]];
  if (dim !== 2) throw new RangeError(`Sliced distances of dimension ${dim}: 1 and 2 are written`);
  return Array.from({ length: DIRECTIONS }, (_, i) => {
    const angle = Math.PI * i / DIRECTIONS;
    return [Math.cos(angle), Math.sin(angle)];
  });
}

function project({ data, count, dim }: Sample, direction: readonly number[]): Float64Array {
  const out = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < dim; k++) out[i] += data[i * dim + k] * direction[k];
  }
  return out.sort();
}

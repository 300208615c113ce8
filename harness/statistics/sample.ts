/** Draws from a distribution, row-major [count, dim]. */
export interface Sample {
  readonly count: number;
  readonly dim: number;
  readonly data: Float32Array | Float64Array;
}

/** Golden ratio - 1: its multiples modulo 1 fill [0, 1) evenly, and are not in phase with any number of interleaved chains. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** Selects at most `count` different draws, evenly spread over the sample and in its order. */
export function thinned(sample: Sample, count: number): Sample {
  if (sample.count <= count) return sample;
  const { dim } = sample;
  // Draws i with the smallest i GOLDEN mod 1: the gaps between them take at most three values (three-gap theorem).
  const places = Float64Array.from({ length: sample.count }, (_, i) => (i * GOLDEN) % 1);
  const limit = places.toSorted()[count - 1];
  const data = new Float64Array(count * dim);
  let kept = 0;
  for (let i = 0; i < sample.count; i++) {
    if (places[i] > limit) continue;
    data.set(sample.data.subarray(i * dim, (i + 1) * dim), kept++ * dim);
  }
  return { count, dim, data };
}

/** The sample of `map` of each draw. */
export function mapRows(
  { count, dim, data }: Sample,
  map: (row: readonly number[]) => readonly number[],
): Sample {
  const out = new Float64Array(data.length);
  for (let n = 0; n < count; n++) {
    out.set(map([...data.subarray(n * dim, (n + 1) * dim)]), n * dim);
  }
  return { count, dim, data: out };
}

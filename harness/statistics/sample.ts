/** Draws from a distribution, row-major [count, dim]. */
export interface Sample {
  readonly count: number;
  readonly dim: number;
  readonly data: Float32Array | Float64Array;
}

/** Golden ratio - 1: its multiples fill [0, 1) evenly and are not in phase with any number of interleaved chains. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** Selects at most `count` draws, evenly spread over the sample. */
export function thinned(sample: Sample, count: number): Sample {
  if (sample.count <= count) return sample;
  const { dim } = sample;
  const data = new Float64Array(count * dim);
  for (let i = 0; i < count; i++) {
    const from = Math.floor((i * GOLDEN) % 1 * sample.count) * dim;
    data.set(sample.data.subarray(from, from + dim), i * dim);
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

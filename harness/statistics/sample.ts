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

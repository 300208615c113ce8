/** Features of many images: rows of equal width, kept in memory. */
export interface FeatureTable {
  readonly dim: number;
  readonly count: number;
  /** [count, dim], row-major. */
  readonly data: Float32Array;
}

/** A table of `data` [n, dim]. */
export function featureTable(data: Float32Array, dim: number): FeatureTable {
  if (data.length % dim !== 0) {
    throw new RangeError(`${data.length} numbers are no whole rows of ${dim} features`);
  }
  return { dim, count: data.length / dim, data };
}

/** A table that grows row by row; `count` is a guess of its final length. */
export function growingTable(
  dim: number,
  count: number | null,
): { add(rows: Float32Array): void; table(): FeatureTable } {
  let data = new Float32Array(dim * (count ?? 1024));
  let filled = 0;
  return {
    add(rows) {
      if (filled + rows.length > data.length) {
        const larger = new Float32Array(Math.max(2 * data.length, filled + rows.length));
        larger.set(data);
        data = larger;
      }
      data.set(rows, filled);
      filled += rows.length;
    },
    table: () => featureTable(data.subarray(0, filled), dim),
  };
}

/** The rows `rows` of a table, in their order. */
export function selectRows({ dim, data }: FeatureTable, rows: ArrayLike<number>): FeatureTable {
  const out = new Float32Array(rows.length * dim);
  for (let i = 0; i < rows.length; i++) {
    out.set(data.subarray(rows[i] * dim, (rows[i] + 1) * dim), i * dim);
  }
  return { dim, count: rows.length, data: out };
}

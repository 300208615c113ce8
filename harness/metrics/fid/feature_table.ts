/** Features of many images in memory, one row per image. */
export interface FeatureTable {
  readonly dim: number;
  readonly count: number;
  /** [count, dim], row-major. */
  readonly data: Float32Array;
}

/** Makes a table of `data` [n, dim]. Throws RangeError unless its length is a multiple of `dim`. */
export function featureTable(data: Float32Array, dim: number): FeatureTable {
  if (data.length % dim !== 0) {
    throw new RangeError(
      `Number of values must be a multiple of ${dim} features, got ${data.length}`,
    );
  }
  return { dim, count: data.length / dim, data };
}

/** Makes a table that grows by rows; `count` is an estimate of its final length. */
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

/** Selects the given rows of a table, in the given order. */
export function selectRows({ dim, data }: FeatureTable, rows: ArrayLike<number>): FeatureTable {
  const out = new Float32Array(rows.length * dim);
  for (let i = 0; i < rows.length; i++) {
    out.set(data.subarray(rows[i] * dim, (rows[i] + 1) * dim), i * dim);
  }
  return { dim, count: rows.length, data: out };
}

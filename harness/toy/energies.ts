import type { Device } from "../core/types.ts";
import type { Draws, Target } from "../core/toy_types.ts";

/** Draws of all points in one call of the program. */
const BLOCK = 4096;

/** U = -log density of `target` at `draws`, up to its constant, [draws, chains, points], computed on `device`. */
export async function energiesOf(
  { count, chains, points, dim, data }: Draws,
  { target: { logDensity, parameters }, device }: {
    readonly target: Pick<Target, "logDensity" | "parameters">;
    readonly device: Device;
  },
): Promise<Float32Array> {
  const rows = count * chains;
  const shape = [Math.min(BLOCK, rows), points, dim] as const;
  await using program = await device.compile(({ state, inputs }) => ({
    outputs: { density: logDensity(inputs.z as Parameters<typeof logDensity>[0], state) },
  }), {
    state: Object.fromEntries(
      Object.entries(parameters).map(([name, { shape, dtype }]) => [name, { shape, dtype }]),
    ),
    inputs: { z: { shape, dtype: "float32" } },
  });
  let state = await device.upload(parameters);
  const energies = new Float32Array(rows * points);
  for (let begin = 0; begin < rows; begin += shape[0]) {
    const z = new Float32Array(shape[0] * points * dim);
    z.set(data.subarray(begin * points * dim, (begin + shape[0]) * points * dim));
    const result = await program.run(state, { z: { shape, dtype: "float32", data: z } });
    state = result.state;
    const { data: densities } = result.outputs.density;
    const kept = Math.min(shape[0], rows - begin) * points;
    for (let i = 0; i < kept; i++) energies[begin * points + i] = -densities[i];
  }
  return energies;
}

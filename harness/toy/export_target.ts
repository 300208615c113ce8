/**
 * A target as files that any language reads, so that its density can be ported and the port be proven.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { zipSync } from "fflate";
import { writeNpy } from "../formats/npy.ts";
import type { Target } from "../core/toy_types.ts";
import type { Device, HostArray } from "../core/types.ts";
import { gridDistribution } from "./known_distribution.ts";
import { openTruth } from "./open_truth.ts";
import type { Truth } from "./truth.ts";

/** Exact draws of each posterior. */
const DRAWS = 10_000;
/** Places at which density and gradient are written. */
const PLACES = 100;

/**
 * The files of `target` by name: `target.json` with its parameters and exact answer, `draws.npy` with exact draws [draws, points,
 * dim], `density.npz` with `z` [places, points, dim], `log_density` [places, points] and `gradient` [places, points, dim], and for
 * tabulated posteriors `grid.npy` with masses [posteriors, cells in x, cells in y]. Points that share a posterior count as one.
 */
export async function exportTarget(
  target: Target,
  device: Device,
): Promise<Record<string, string | Uint8Array<ArrayBuffer>>> {
  const truth = await openTruth(target, device);
  const { dim } = target;
  const points = truth.count;
  const draws = exactDraws({ points, dim }, truth);
  const places = draws.subarray(0, PLACES * points * dim);
  const { density, gradient } = await evaluate(places, { target, points, device });
  const { grids } = truth;
  return {
    "target.json": `${JSON.stringify(describe(target, truth), null, 1)}\n`,
    "draws.npy": writeNpy({ shape: [DRAWS, points, dim], data: draws }),
    "density.npz": zipSync({
      "z.npy": writeNpy({ shape: [PLACES, points, dim], data: places.slice() }),
      "log_density.npy": writeNpy({ shape: [PLACES, points], data: density }),
      "gradient.npy": writeNpy({ shape: [PLACES, points, dim], data: gradient }),
    }, { level: 0, mtime: "1980-01-01T00:00:00" }) as Uint8Array<ArrayBuffer>,
    ...grids.length > 0 && {
      "grid.npy": writeNpy({
        shape: [grids.length, grids[0].cells, grids[0].cells],
        data: Float64Array.from(grids.flatMap(({ mass }) => [...mass])),
      }),
    },
  };
}

/** Exact draws of all posteriors, [draws, points, dim], rounded to float32 as the densities see them. */
function exactDraws(
  { points, dim }: { readonly points: number; readonly dim: number },
  truth: Truth,
): Float64Array {
  const data = new Float64Array(DRAWS * points * dim);
  for (let point = 0; point < points; point++) {
    const sample = truth.draw(point, { count: DRAWS, seed: `export/${point}` });
    for (let n = 0; n < DRAWS; n++) {
      const row = sample.data.subarray(n * dim, (n + 1) * dim);
      data.set(row, (n * points + point) * dim);
    }
  }
  return data.map(Math.fround);
}

/** log density [places, points] and its gradient [places, points, dim]. */
async function evaluate(
  z: Float64Array,
  { target: { logDensity, parameters, dim }, points, device }: {
    readonly target: Target;
    readonly points: number;
    readonly device: Device;
  },
): Promise<{ readonly density: Float64Array; readonly gradient: Float64Array }> {
  const shape = [PLACES, points, dim] as const;
  await using program = await device.compile(({ state, inputs }) => {
    const at = (z: tf.Tensor) => logDensity(z as tf.Tensor3D, state);
    return {
      outputs: {
        density: at(inputs.z),
        gradient: tf.grad((z: tf.Tensor) => tf.sum(at(z)))(inputs.z),
      },
    };
  }, {
    state: Object.fromEntries(
      Object.entries(parameters).map(([name, { shape, dtype }]) => [name, { shape, dtype }]),
    ),
    inputs: { z: { shape, dtype: "float32" } },
  });
  const { outputs } = await program.run(await device.upload(parameters), {
    z: { shape, dtype: "float32", data: Float32Array.from(z) },
  });
  return {
    density: Float64Array.from(outputs.density.data),
    gradient: Float64Array.from(outputs.gradient.data),
  };
}

/** Facts, parameters and exact answer of a target as JSON. */
function describe(target: Target, truth: Truth) {
  const { name, label, source, deviations, dim, points, inputs, parameters } = target;
  return {
    schema: 1,
    name,
    label,
    source,
    deviations,
    /** Posteriors; points that share one count as one. */
    posteriors: truth.count,
    dim,
    ...truth.count > 1 && points === truth.count && { observations: inputs },
    parameters: Object.fromEntries(
      Object.entries(parameters).map(([key, array]) => [key, nested(array)]),
    ),
    /** Mean of U = -log density, up to the constant of the density, over the posteriors. */
    meanEnergy: truth.energy,
    /** Step size of Euler's rule in the suite. */
    stepSize: target.stepSize,
    answer: answerOf(target, truth),
  };
}

function answerOf({ answer }: Target, truth: Truth) {
  switch (answer.kind) {
    case "gaussian":
      return answer;
    case "grid": {
      const { extent, cells } = answer;
      const each = truth.grids.map((grid) => {
        const { mean, second } = gridDistribution(grid, grid.mass);
        const covariance = second.map((row, i) => row.map((v, j) => v - mean[i] * mean[j]));
        return { mean, covariance, logNormalizer: grid.logNormalizer };
      });
      return {
        kind: "grid",
        extent,
        cells,
        means: each.map(({ mean }) => mean),
        covariances: each.map(({ covariance }) => covariance),
        logNormalizers: each.map(({ logNormalizer }) => logNormalizer),
      };
    }
    case "transport":
      return { kind: "transport", means: [answer.mean], covariances: [answer.covariance] };
  }
}

/** Nested lists of an array's numbers. */
function nested({ shape, data }: HostArray): unknown {
  const [first, ...rest] = shape;
  if (first === undefined) return data[0];
  if (rest.length === 0) return Array.from(data);
  const size = data.length / first;
  return Array.from(
    { length: first },
    (_, i) =>
      nested({
        shape: rest,
        dtype: "float32",
        data: data.slice(i * size, (i + 1) * size) as Float32Array,
      }),
  );
}

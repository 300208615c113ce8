import type { Scalar, Tensor1D } from "@tensorflow/tfjs";
import { createNoise, type Key } from "../core/noise.ts";
import { unflatten } from "../core/tree.ts";
import type { Conditional, Device, HostArrays, ImageBatch, ImageShape } from "../core/types.ts";
import { toBytes } from "./generator.ts";

/** Images of each class, side by side, and classes at most: what a grid of samples holds. */
const COLUMNS = 10;
const ROWS = 10;

/** COLUMNS samples of each of the first ROWS classes from `state`, class by class. Throws NotFiniteError for NaN. */
export async function sampleClasses(
  state: HostArrays,
  { device, conditional, key, image }: {
    readonly device: Device;
    readonly conditional: Conditional;
    readonly key: Key;
    readonly image: ImageShape;
  },
): Promise<ImageBatch> {
  const count = COLUMNS * Math.min(ROWS, conditional.classCount);
  const inputs: HostArrays = {
    draw: { shape: [], dtype: "int32", data: Int32Array.of(0) },
    labels: {
      shape: [count],
      dtype: "int32",
      data: Int32Array.from({ length: count }, (_, i) => Math.floor(i / COLUMNS)),
    },
  };
  const uploaded = await device.upload(state);
  await using program = await device.compile(({ state, inputs }) => {
    const noise = createNoise(key, inputs.draw as Scalar);
    return {
      outputs: {
        images: conditional.sample(unflatten(state), inputs.labels as Tensor1D, noise),
      },
    };
  }, { state: uploaded.specs, inputs });
  const { outputs } = await program.run(uploaded, inputs);
  return { image, count, pixels: toBytes(outputs.images.data as Float32Array) };
}

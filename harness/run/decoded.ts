import type { Scalar, Tensor4D } from "@tensorflow/tfjs";
import { createNoise, foldIn, type Key } from "../core/noise.ts";
import { shuffledRows } from "../core/row_order.ts";
import { unflatten } from "../core/tree.ts";
import type { Device, DeviceState, ImageSet, Latents } from "../core/types.ts";
import { imagesOfRows } from "./batches.ts";
import { type Generator, toBytes } from "./generator.ts";

/** Training images that are encoded by one call of the compiled program: fixed, since the numbers depend on it. */
const CHUNK = 100;

/**
 * Compiles a generator of decoded encodings: it draws one latent from the posterior of each of `count` training images and
 * decodes it. The images come in random order, and again from the start where `count` exceeds `trainCount`. Samples of a
 * prior equal to the aggregate posterior would be distributed as these images.
 */
export async function compileDecodedEncodings(
  device: Device,
  { latents, key, state, images, trainCount, count }: {
    readonly latents: Latents;
    readonly key: Key;
    /** Any state of the model: only its shapes are used. */
    readonly state: DeviceState;
    /** The training part, of which the first `trainCount` images were trained on. */
    readonly images: ImageSet;
    readonly trainCount: number;
    readonly count: number;
  },
): Promise<Generator> {
  const { image } = images;
  const size = image.height * image.width * image.channels;
  const chunk = Math.min(CHUNK, count);
  const order = shuffledRows(foldIn(key, "rows"), 0, trainCount);
  const inputsFrom = (from: number) => ({
    images: imagesOfRows(
      images,
      Int32Array.from({ length: chunk }, (_, i) => order[(from + i) % trainCount]),
    ),
    chunk: { shape: [], dtype: "int32", data: Int32Array.of(from / chunk) } as const,
  });
  const program = await device.compile(({ state, inputs }) => {
    const noise = createNoise(key, inputs.chunk as Scalar);
    const tree = unflatten(state);
    const z = latents.infer(tree, inputs.images as Tensor4D, noise);
    return { outputs: { images: latents.decode(tree, z) } };
  }, { state: state.specs, inputs: inputsFrom(0) });
  return {
    count,
    async draw(state, { use }) {
      for (let from = 0; from < count; from += chunk) {
        const result = await program.run(state, inputsFrom(from));
        state = result.state;
        const wanted = Math.min(chunk, count - from);
        const decoded = result.outputs.images.data as Float32Array;
        await use({ image, count: wanted, pixels: toBytes(decoded.subarray(0, wanted * size)) });
      }
      return state;
    },
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

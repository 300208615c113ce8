/**
 * Restores images, or their hidden pixels, some at a time.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import { createNoise, type Key } from "../core/noise.ts";
import { NotFiniteError } from "../core/not_finite.ts";
import { unflatten } from "../core/tree.ts";
import type {
  Device,
  DeviceState,
  HostArrays,
  ImageSet,
  Noise,
  PartialImages,
  Restoration,
  State,
  Tree,
} from "../core/types.ts";
import { imagesOfRows, seenOfRows } from "./batches.ts";

/** Images per call of a compiled program that decodes latents. */
const DECODED = 100;

/** Images per call for a model that fits chains: memory grows with their steps. */
const FITTED = 10;

/** The images to restore, and the key of the noise, whose counter is the index of the call. */
export interface RestoreSetting {
  readonly device: Device;
  readonly key: Key;
  /** Hidden pixels, if any, are restored. */
  readonly images: ImageSet;
  /** Names the images in the error of one that is not finite. */
  readonly what: string;
}

/** Restored images of [0, 1], row-major, and the state. */
export interface Restored {
  readonly state: DeviceState;
  readonly values: Float32Array;
}

/** Restores images by one program. Consumes `state`. Throws NotFiniteError. */
export async function restoreImages(
  state: DeviceState,
  { restore, ...setting }: RestoreSetting & {
    readonly restore: (state: Tree, images: PartialImages, noise: Noise) => tf.Tensor4D;
  },
): Promise<Restored> {
  const { device, key, images } = setting;
  const chunk = Math.min(DECODED, images.count);
  await using program = await device.compile(({ state, inputs }) => ({
    outputs: { images: restore(unflatten(state), givenIn(inputs), noiseIn(inputs, key)) },
  }), { state: state.specs, inputs: inputsFrom(0, images, chunk) });
  return await inChunks(state, { ...setting, chunk, run: (s, inputs) => program.run(s, inputs) });
}

/** Restores images by fits. Consumes `state`. Throws NotFiniteError. */
export async function fitImages(
  state: DeviceState,
  { restoration, ...setting }: RestoreSetting & { readonly restoration: Restoration },
): Promise<Restored> {
  const { device, key, images } = setting;
  const chunk = Math.min(FITTED, images.count);
  const { draw, ...given } = inputsFrom(0, images, chunk);
  const fit = given.images; // of the same shape and type
  await using start = await device.compile(({ state, inputs }) => ({
    outputs: { fit: restoration.start(unflatten(state), chunk, noiseIn(inputs, key)) },
  }), { state: state.specs, inputs: { draw } });
  await using step = await device.compile(({ state, inputs }) => ({
    outputs: {
      fit: restoration.step(unflatten(state), inputs.fit as tf.Tensor4D, givenIn(inputs)),
    },
  }), { state: state.specs, inputs: { ...given, fit } });
  await using finish = await device.compile(({ state, inputs }) => ({
    outputs: { images: restoration.finish(unflatten(state), inputs.fit as tf.Tensor4D) },
  }), { state: state.specs, inputs: { fit } });
  return await inChunks(state, {
    ...setting,
    chunk,
    async run(state, { draw, ...given }) {
      let reached = await start.run(state, { draw });
      for (let k = 0; k < restoration.steps; k++) {
        reached = await step.run(reached.state, { ...given, fit: reached.outputs.fit });
      }
      return await finish.run(reached.state, { fit: reached.outputs.fit });
    },
  });
}

/** Runs `run` on `chunk` images at a time, and puts what it gives together. */
async function inChunks(
  state: DeviceState,
  { images, chunk, what, run }: RestoreSetting & {
    readonly chunk: number;
    run(
      state: DeviceState,
      inputs: HostArrays,
    ): Promise<{ readonly state: DeviceState; readonly outputs: HostArrays }>;
  },
): Promise<Restored> {
  const { count } = images;
  const values = new Float32Array(images.pixels.length);
  const size = values.length / count;
  let reached = state;
  for (let from = 0; from < count; from += chunk) {
    const result = await run(reached, inputsFrom(from, images, chunk));
    reached = result.state;
    const wanted = Math.min(chunk, count - from) * size;
    values.set(result.outputs.images.data.subarray(0, wanted) as Float32Array, from * size);
  }
  const wrong = values.find((value) => !Number.isFinite(value));
  if (wrong !== undefined) throw new NotFiniteError(what, wrong);
  return { state: reached, values };
}

/** The images from row `from`, their masks if they have any, and the number of the call. */
function inputsFrom(from: number, images: ImageSet, chunk: number) {
  // A partial last chunk is padded with the first images.
  const rows = Int32Array.from({ length: chunk }, (_, i) => (from + i) % images.count);
  return {
    images: imagesOfRows(images, rows),
    ...images.seen && { seen: seenOfRows(images, rows) },
    draw: { shape: [], dtype: "int32", data: Int32Array.of(from / chunk) } as const,
  };
}

function givenIn({ images, seen }: State): PartialImages {
  return { images: images as tf.Tensor4D, seen: seen as tf.Tensor4D | undefined };
}

function noiseIn({ draw }: State, key: Key): Noise {
  return createNoise(key, draw as tf.Scalar);
}

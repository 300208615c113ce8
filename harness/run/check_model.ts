/**
 * Checks once, on the untrained model, what the interface of a method promises and nothing later would notice: images in
 * [0, 1] of the data's shape. A value outside would be clipped before it is scored, and the score would look like any other.
 *
 * @module
 */
import type { Scalar, Tensor, Tensor4D } from "@tensorflow/tfjs";
import { createNoise, type Key } from "../core/noise.ts";
import { unflatten } from "../core/tree.ts";
import type { Device, HostArrays, ImageShape, Model, Noise, State, Tree } from "../core/types.ts";
import { type Chains, gatherChains } from "./batches.ts";
import { chainInputs, chainsOf, withPrefix } from "./train.ts";

/** Images that are made in each way. */
const COUNT = 2;

/** How far a value may leave [0, 1] by rounding. */
const TOLERANCE = 1e-3;

/** A way in which a model makes COUNT images. */
interface ImageMaker {
  /** The member of the model. */
  readonly what: string;
  make(state: Tree, chains: State, noise: Noise): Tensor;
}

/**
 * Makes a few images in every way that the model has, from its initial state. Throws RangeError that names the member of the
 * model whose images have another shape, or values outside [0, 1].
 */
export async function checkModel(
  device: Device,
  { model, key, state, chains, image }: {
    readonly model: Model;
    readonly key: Key;
    readonly state: HostArrays;
    readonly chains: Chains;
    readonly image: ImageShape;
  },
): Promise<void> {
  const expected = [COUNT, image.height, image.width, image.channels].join();
  for (const { what, make } of makersOf(model)) {
    const uploaded = await device.upload(state);
    await using program = await device.compile(({ state, inputs }) => {
      const noise = createNoise(key, inputs.draw as Scalar);
      const images = make(unflatten(state), chainsOf(inputs), noise);
      if (images.shape.join() !== expected) {
        throw new RangeError(`${what} gives images of shape [${images.shape}], not [${expected}]`);
      }
      return { outputs: { images } };
    }, {
      state: uploaded.specs,
      inputs: { draw: { shape: [], dtype: "int32" }, ...chainInputs(model.chains, COUNT) },
    });
    const { outputs } = await program.run(uploaded, {
      draw: { shape: [], dtype: "int32", data: Int32Array.of(0) },
      ...withPrefix(gatherChains(chains, Int32Array.from({ length: COUNT }, (_, row) => row))),
    });
    checkUnitRange(what, outputs.images.data);
  }
  await checkInference(device, { model, key, state, image });
}

/** Throws RangeError if latents inferred from images of noise are not finite: a chain that diverges before any training. */
async function checkInference(
  device: Device,
  { model: { latents }, key, state, image }: {
    readonly model: Model;
    readonly key: Key;
    readonly state: HostArrays;
    readonly image: ImageShape;
  },
): Promise<void> {
  if (latents === undefined) return;
  const uploaded = await device.upload(state);
  await using program = await device.compile(({ state, inputs }) => {
    const noise = createNoise(key, inputs.draw as Scalar).split("inference");
    const images = noise.split("images").uniform<Tensor4D>([
      COUNT,
      image.height,
      image.width,
      image.channels,
    ]);
    return { outputs: { z: latents.infer(unflatten(state), images, noise) } };
  }, { state: uploaded.specs, inputs: { draw: { shape: [], dtype: "int32" } } });
  const { outputs } = await program.run(uploaded, {
    draw: { shape: [], dtype: "int32", data: Int32Array.of(0) },
  });
  if (Array.from(outputs.z.data).every(Number.isFinite)) return;
  throw new RangeError(
    "latents.infer() diverges before training: lower the step size of the method's chain, or raise sigma",
  );
}

function makersOf({ sample, alternatives = [], latents }: Model): ImageMaker[] {
  const ways = [
    { what: "sample()", sample },
    ...alternatives.map(({ name, sample }) => ({
      what: `sample() of the alternative ${name}`,
      sample,
    })),
  ];
  return [
    ...ways.map(({ what, sample }): ImageMaker => ({
      what,
      make: (state, chains, noise) => sample(state, { count: COUNT, chains }, noise),
    })),
    ...latents === undefined ? [] : [{
      what: "latents.decode()",
      make: (state: Tree, _chains: State, noise: Noise) =>
        latents.decode(state, noise.split("z").normal([COUNT, latents.dim])),
    }],
  ];
}

/** Values that are not finite pass: they end a run as diverged. */
function checkUnitRange(what: string, values: ArrayLike<number>): void {
  let [low, high] = [0, 1];
  for (let i = 0; i < values.length; i++) {
    if (values[i] < low) low = values[i];
    if (values[i] > high) high = values[i];
  }
  if (low >= -TOLERANCE && high <= 1 + TOLERANCE) return;
  throw new RangeError(
    `${what} gives values from ${low.toPrecision(3)} to ${high.toPrecision(3)} before training, ` +
      "images must be in [0, 1]: map them there, or clip them, in the method",
  );
}

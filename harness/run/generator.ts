import type { Scalar } from "@tensorflow/tfjs";
import { createNoise, foldIn, type Key } from "../core/noise.ts";
import { NotFiniteError } from "../core/not_finite.ts";
import { shuffledRows } from "../core/row_order.ts";
import { unflatten } from "../core/tree.ts";
import type {
  Device,
  DeviceState,
  HostArrays,
  ImageBatch,
  ImageShape,
  Model,
  Program,
} from "../core/types.ts";
import { type Chains, gatherChains } from "./batches.ts";
import { chainInputs, chainsOf, withPrefix } from "./train.ts";

/** Images per call of the compiled program. Fixed, because the samples depend on it. */
const CHUNK = 100;

/** Options of `Generator.draw`. */
export interface DrawOptions {
  /** The persistent chains of all training images; empty unless the model declares any. */
  readonly chains: Chains;
  /** Called with each batch; the next is drawn once it is done. */
  use(images: ImageBatch): void | Promise<void>;
}

/** Draws images from a state. */
export interface Generator extends AsyncDisposable {
  /** Number of images per `draw`. */
  readonly count: number;
  /** Draws the images in batches. Consumes `state` and resolves to the one that replaces it. */
  draw(state: DeviceState, options: DrawOptions): Promise<DeviceState>;
}

/**
 * Compiles `model.sample` for `count` images in chunks; the index of the chunk is the counter of the noise. Samples of a
 * conditional model come with their labels.
 */
export async function compileGenerator(
  device: Device,
  { model, key, state, count, image }: {
    readonly model: Pick<Model, "sample" | "chains" | "conditional">;
    readonly key: Key;
    /** Any state of the model: only its shapes are used. */
    readonly state: DeviceState;
    readonly count: number;
    readonly image: ImageShape;
  },
): Promise<Generator> {
  const chunk = Math.min(CHUNK, count);
  const expected = [chunk, image.height, image.width, image.channels];
  const program = await device.compile(
    ({ state, inputs }) => {
      const noise = createNoise(key, inputs.chunk as Scalar);
      const request = { count: chunk, chains: chainsOf(inputs) };
      const images = model.sample(unflatten(state), request, noise);
      if (images.shape.join() !== expected.join()) {
        throw new RangeError(`Samples have shape [${images.shape}], expected [${expected}]`);
      }
      return { outputs: { images } };
    },
    {
      state: state.specs,
      inputs: { chunk: { shape: [], dtype: "int32" }, ...chainInputs(model.chains, chunk) },
    },
  );
  return {
    count,
    draw: (state, options) =>
      drawImages(program, state, {
        ...options,
        key,
        count,
        chunk,
        image,
        classCount: model.conditional?.classCount,
      }),
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

async function drawImages(
  program: Program,
  state: DeviceState,
  { chains, key, count, chunk, image, classCount, use }: DrawOptions & {
    readonly key: Key;
    readonly count: number;
    readonly chunk: number;
    readonly image: ImageShape;
    readonly classCount: number | undefined;
  },
): Promise<DeviceState> {
  const size = image.height * image.width * image.channels;
  for (let from = 0; from < count; from += chunk) {
    const result = await program.run(state, {
      chunk: { shape: [], dtype: "int32", data: new Int32Array([from / chunk]) },
      ...chainsFrom(chains, { key, from, chunk }),
    });
    state = result.state;
    const { data } = result.outputs.images;
    const wanted = Math.min(chunk, count - from);
    const pixels = toBytes((data as Float32Array).subarray(0, wanted * size));
    const labels = classCount === undefined
      ? undefined
      : Uint8Array.from({ length: wanted }, (_, i) => i % classCount);
    await use({ image, count: wanted, pixels, ...labels && { labels } });
  }
  return state;
}

/** The chains of `chunk` rows from position `from` of a random order of all rows, wrapping around at its end. */
function chainsFrom(
  chains: Chains,
  { key, from, chunk }: { readonly key: Key; readonly from: number; readonly chunk: number },
): HostArrays {
  const rowCount = Object.values(chains)[0]?.shape[0];
  if (rowCount === undefined) return {};
  const order = shuffledRows(foldIn(key, "chains"), 0, rowCount);
  const rows = Int32Array.from({ length: chunk }, (_, i) => order[(from + i) % rowCount]);
  return withPrefix(gatherChains(chains, rows));
}

/** Rounds values in [0, 1] to the nearest of 256 levels and clips others. Throws NotFiniteError for NaN. */
export function toBytes(values: Float32Array): Uint8Array {
  const out = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (Number.isNaN(value)) throw new NotFiniteError("samples", value);
    out[i] = Math.round(255 * Math.min(1, Math.max(0, value)));
  }
  return out;
}

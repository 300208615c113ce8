import { createNoise, type Key } from "../core/noise.ts";
import { NotFiniteError } from "../core/not_finite.ts";
import type {
  Device,
  DeviceState,
  Hyperparams,
  ImageBatch,
  ImageShape,
  Method,
  Program,
} from "../core/types.ts";
import type { Scalar } from "@tensorflow/tfjs";

/** Images drawn by one call of the compiled sampler: fixed, since the numbers depend on it. */
const CHUNK = 100;

/** Draws images from a state. */
export interface Sampler extends AsyncDisposable {
  /** Images that `draw` draws. */
  readonly count: number;
  /**
   * Draws the images in batches, and hands each to `use` before it draws the next. Resolves to the state,
   * since programs consume it.
   */
  draw(
    state: DeviceState,
    use: (images: ImageBatch) => void | Promise<void>,
  ): Promise<DeviceState>;
}

/** Compiles `method.sample` for `count` images in chunks; the number of the chunk is the noise's counter. */
export async function compileSampler(
  device: Device,
  { method, hyper, key, state, count, image }: {
    readonly method: Method;
    readonly hyper: Hyperparams;
    readonly key: Key;
    /** Any state of the method: only its shapes are used. */
    readonly state: DeviceState;
    readonly count: number;
    readonly image: ImageShape;
  },
): Promise<Sampler> {
  const chunk = Math.min(CHUNK, count);
  const program = await device.compile(
    ({ state, inputs }) => {
      const noise = createNoise(key, inputs.chunk as Scalar);
      return { outputs: { images: method.sample(state, chunk, hyper, noise) } };
    },
    { state: state.specs, inputs: { chunk: { shape: [], dtype: "int32" } } },
  );
  return {
    count,
    draw: (state, use) => drawImages(program, state, { count, chunk, image, use }),
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

async function drawImages(
  program: Program,
  state: DeviceState,
  { count, chunk, image, use }: {
    readonly count: number;
    readonly chunk: number;
    readonly image: ImageShape;
    use(images: ImageBatch): void | Promise<void>;
  },
): Promise<DeviceState> {
  const size = image.height * image.width * image.channels;
  for (let from = 0; from < count; from += chunk) {
    const result = await program.run(state, {
      chunk: { shape: [], dtype: "int32", data: new Int32Array([from / chunk]) },
    });
    state = result.state;
    const { data, shape } = result.outputs.images;
    if (data.length !== chunk * size) {
      throw new RangeError(
        `Samples have shape [${shape}], expected [${[
          chunk,
          image.height,
          image.width,
          image.channels,
        ]}]`,
      );
    }
    const wanted = Math.min(chunk, count - from);
    const pixels = toBytes((data as Float32Array).subarray(0, wanted * size));
    await use({ image, count: wanted, pixels });
  }
  return state;
}

/** [0, 1] to the nearest of 256 levels; values outside are clipped. Throws NotFiniteError for NaN. */
export function toBytes(values: Float32Array): Uint8Array {
  const out = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (Number.isNaN(value)) throw new NotFiniteError("samples", value);
    out[i] = Math.round(255 * Math.min(1, Math.max(0, value)));
  }
  return out;
}

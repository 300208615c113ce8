/**
 * Runs the Inception network by ONNX Runtime.
 *
 * @module
 */
import { InferenceSession, Tensor } from "onnxruntime-node";
import { CLASS_COUNT, FEATURE_COUNT } from "./inception_network.ts";
import { INPUT_SIDE } from "./preprocess.ts";
import type { Size } from "./resize.ts";

/** Outputs of the network for n images. */
export interface InceptionOutputs {
  /** Features of FID, KID, precision and recall, [n, 2048]. */
  readonly pool3: Float32Array;
  /** Logits without bias, for the Inception Score, [n, 1008]. */
  readonly logits: Float32Array;
}

/** A loaded network. */
export interface Inception extends AsyncDisposable {
  /** Runs n preprocessed images [n, 3, height, width]; `size` is 299 x 299 by default. */
  run(images: Float32Array, size?: Size): Promise<InceptionOutputs>;
}

/** Loads the ONNX model `model` (bytes or a path) to run with `threads` threads. */
export async function openInception(
  model: Uint8Array | string,
  { threads }: { readonly threads: number },
): Promise<Inception> {
  const options: InferenceSession.SessionOptions = {
    executionProviders: ["cpu"],
    graphOptimizationLevel: "all",
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
  };
  const session = typeof model === "string" // one overload each
    ? await InferenceSession.create(model, options)
    : await InferenceSession.create(model, options);
  return {
    async run(images, { height, width } = { height: INPUT_SIDE, width: INPUT_SIDE }) {
      const n = images.length / (3 * height * width);
      const feeds = { images: new Tensor("float32", images, [n, 3, height, width]) };
      const { pool3, logits_unbiased } = await session.run(feeds);
      return {
        pool3: floats(pool3, n * FEATURE_COUNT),
        logits: floats(logits_unbiased, n * CLASS_COUNT),
      };
    },
    [Symbol.asyncDispose]: () => session.release(),
  };
}

function floats({ data }: Tensor, length: number): Float32Array {
  if (data instanceof Float32Array && data.length === length) return data;
  throw new TypeError(`Inception must return ${length} float32 values, got ${data.length}`);
}

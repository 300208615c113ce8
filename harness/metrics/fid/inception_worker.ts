/**
 * A worker with one Inception session: receives images, preprocesses them and replies with their features.
 *
 * @module
 */
import { type Inception, openInception } from "./inception.ts";
import { type Mode, preprocess } from "./preprocess.ts";
import type { Raster } from "./resize.ts";

/** A request to the worker: `open` first, then one image each. */
export type WorkerRequest =
  | { readonly open: { readonly model: string; readonly threads: number; readonly mode: Mode } }
  | { readonly image: Raster };

/** A reply of the worker, in the order of the requests. */
export type WorkerReply =
  | { readonly opened: true }
  | { readonly pool3: Float32Array; readonly logits: Float32Array }
  | { readonly error: string };

let inception: Inception | undefined;
let mode: Mode = "tf";

async function answer(request: WorkerRequest): Promise<WorkerReply> {
  if ("open" in request) {
    ({ mode } = request.open);
    inception = await openInception(request.open.model, request.open);
    return { opened: true };
  }
  if (!inception) throw new Error("Inception worker got an image before open");
  return await inception.run(preprocess(request.image, mode));
}

/** The scope of a worker, which the types of a program's main thread lack. */
const scope = self as unknown as {
  onmessage: (event: MessageEvent<WorkerRequest>) => void;
  postMessage(reply: WorkerReply): void;
};

scope.onmessage = async ({ data }) => {
  let reply: WorkerReply;
  try {
    reply = await answer(data);
  } catch (error) {
    reply = { error: error instanceof Error ? error.message : String(error) };
  }
  scope.postMessage(reply);
};

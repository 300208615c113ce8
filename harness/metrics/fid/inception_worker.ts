/**
 * One Inception session in a thread of its own: gets images, preprocesses them, answers with features.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { type Inception, openInception } from "./inception.ts";
import { type Mode, preprocess } from "./preprocess.ts";
import type { Raster } from "./resize.ts";

/** What a worker is told: first to open, then image after image. */
export type WorkerRequest =
  | { readonly open: { readonly model: string; readonly threads: number; readonly mode: Mode } }
  | { readonly image: Raster };

/** What it answers, in the order of the requests. */
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
  if (!inception) throw new Error("Worker has no network yet");
  return await inception.run(preprocess(request.image, mode));
}

self.onmessage = async ({ data }: MessageEvent<WorkerRequest>) => {
  let reply: WorkerReply;
  try {
    reply = await answer(data);
  } catch (error) {
    reply = { error: error instanceof Error ? error.message : String(error) };
  }
  self.postMessage(reply);
};

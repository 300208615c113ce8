/**
 * Extracts features of any number of images by several parallel Inception sessions, in the order of the images.
 *
 * @module
 */
import type { InceptionOutputs } from "./inception.ts";
import type { WorkerReply, WorkerRequest } from "./inception_worker.ts";
import type { Mode } from "./preprocess.ts";
import type { Raster } from "./resize.ts";

/** Division of the processor's cores: sessions times threads per session. */
export interface Split {
  readonly sessions: number;
  readonly threads: number;
}

/** A set of open sessions. */
export interface FeatureExtractor extends Disposable {
  /** Yields the network's outputs for each image, in order. Few images are in memory at any time. */
  outputs(images: AsyncIterable<Raster>): AsyncGenerator<InceptionOutputs>;
}

/** Maximum number of sessions: each has 87 MB of weights and about 250 MB of activations, so four fit into 1.5 GB. */
const MAX_SESSIONS = 4;
/** Images in flight per session: one in computation, one waiting. */
const QUEUE = 2;

/** Uses one thread per session as far as memory allows; measured at least as fast as one session with all threads. */
export function defaultSplit(cores: number): Split {
  const sessions = Math.max(1, Math.min(cores, MAX_SESSIONS));
  return { sessions, threads: Math.max(1, Math.floor(cores / sessions)) };
}

/** Opens the ONNX file `model` in `split.sessions` workers. */
export async function openFeatureExtractor(
  model: string,
  { mode, split }: { readonly mode: Mode; readonly split: Split },
): Promise<FeatureExtractor> {
  const workers = Array.from({ length: split.sessions }, startWorker);
  const dispose = () => workers.forEach(({ terminate }) => terminate());
  try {
    await Promise.all(
      workers.map(({ request }) => request({ open: { model, threads: split.threads, mode } })),
    );
  } catch (error) {
    dispose();
    throw error;
  }
  return {
    async *outputs(images) {
      const pending: Promise<InceptionOutputs>[] = [];
      let next = 0;
      try {
        for await (const image of images) {
          const reply = workers[next++ % workers.length].request({ image }).then(asOutputs);
          reply.catch(() => {}); // thrown below, in order
          pending.push(reply);
          if (pending.length >= QUEUE * workers.length) yield await first(pending);
        }
        while (pending.length > 0) yield await first(pending);
      } finally {
        await Promise.allSettled(pending);
      }
    },
    [Symbol.dispose]: dispose,
  };
}

function first(pending: Promise<InceptionOutputs>[]): Promise<InceptionOutputs> {
  const promise = pending.shift();
  if (!promise) throw new Error("No image is in flight");
  return promise;
}

function asOutputs(reply: WorkerReply): InceptionOutputs {
  if ("pool3" in reply) return reply;
  throw new Error("Inception worker replied without features");
}

interface InceptionWorker {
  request(message: WorkerRequest): Promise<WorkerReply>;
  terminate(): void;
}

/** Starts a worker that replies to requests in order. */
function startWorker(): InceptionWorker {
  const isPacked = import.meta.url.endsWith(".js"); // from npm
  const file = new URL(
    isPacked ? "./inception_worker.js" : "./inception_worker.ts",
    import.meta.url,
  );
  const worker = new Worker(file, { type: "module" });
  const waiting: PromiseWithResolvers<WorkerReply>[] = [];
  worker.onmessage = ({ data }: MessageEvent<WorkerReply>) => {
    const turn = waiting.shift();
    if ("error" in data) turn?.reject(new Error(`Inception: ${data.error}`));
    else turn?.resolve(data);
  };
  worker.onerror = (event) => {
    event.preventDefault();
    const error = new Error(`Inception worker stopped: ${event.message}`);
    for (const turn of waiting.splice(0)) turn.reject(error);
  };
  return {
    request(message) {
      const turn = Promise.withResolvers<WorkerReply>();
      waiting.push(turn);
      worker.postMessage(message);
      return turn.promise;
    },
    terminate: () => worker.terminate(),
  };
}

/**
 * Features of any number of images, by several Inception sessions side by side, in the images' order.
 *
 * @module
 */
import type { InceptionOutputs } from "./inception.ts";
import type { WorkerReply, WorkerRequest } from "./inception_worker.ts";
import type { Mode } from "./preprocess.ts";
import type { Raster } from "./resize.ts";

/** How the processor's cores are shared out: sessions times threads. */
export interface Split {
  readonly sessions: number;
  readonly threads: number;
}

/** Open sessions. */
export interface FeatureExtractor extends Disposable {
  /** The network's outputs for each image, in order. Few images are in memory at any time. */
  outputs(images: AsyncIterable<Raster>): AsyncGenerator<InceptionOutputs>;
}

/** Each session holds 87 MB of weights and some 250 MB of maps: four fit into 1.5 GB. */
const MOST_SESSIONS = 4;
/** Images under way in each session: one computed, one waiting. */
const QUEUE = 2;

/** One thread a session while memory allows: measured faster than, or as fast as, one session of all threads. */
export function defaultSplit(cores: number): Split {
  const sessions = Math.max(1, Math.min(cores, MOST_SESSIONS));
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
      workers.map(({ ask }) => ask({ open: { model, threads: split.threads, mode } })),
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
          const reply = workers[next++ % workers.length].ask({ image }).then(asOutputs);
          reply.catch(() => {}); // it is thrown below, when its turn comes
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
  if (!promise) throw new Error("No image is under way");
  return promise;
}

function asOutputs(reply: WorkerReply): InceptionOutputs {
  if ("pool3" in reply) return reply;
  throw new Error("Worker answered without features");
}

interface InceptionWorker {
  ask(request: WorkerRequest): Promise<WorkerReply>;
  terminate(): void;
}

/** A worker that answers requests in turn. */
function startWorker(): InceptionWorker {
  const worker = new Worker(new URL("./inception_worker.ts", import.meta.url), { type: "module" });
  const waiting: PromiseWithResolvers<WorkerReply>[] = [];
  worker.onmessage = ({ data }: MessageEvent<WorkerReply>) => {
    const turn = waiting.shift();
    if ("error" in data) turn?.reject(new Error(`Inception: ${data.error}`));
    else turn?.resolve(data);
  };
  worker.onerror = (event) => {
    event.preventDefault();
    const error = new Error(`Inception's worker stopped: ${event.message}`);
    for (const turn of waiting.splice(0)) turn.reject(error);
  };
  return {
    ask(request) {
      const turn = Promise.withResolvers<WorkerReply>();
      waiting.push(turn);
      worker.postMessage(request);
      return turn.promise;
    },
    terminate: () => worker.terminate(),
  };
}

/**
 * ONNX Runtime in a separate thread. Its Node binding computes in the calling thread, so that two devices of one thread
 * take turns, whereas devices of `openOnnxThread` run in parallel. The calling thread traces and emits graphs, the worker
 * opens and runs sessions, and arrays are transferred without a copy.
 *
 * @module
 */
import type { Device, HostArrays } from "../../core/types.ts";
import type { OnnxProgram } from "./onnx.ts";
import {
  blockSize,
  compileOnnx,
  type OnnxResult,
  type OnnxSession,
  openOnnxRuntime,
  type ProgramSpecs,
} from "./ort.ts";

/** A request to the worker. `session` is the reply to `open`. */
export type WorkerRequest =
  | {
    readonly kind: "open";
    readonly program: OnnxProgram;
    readonly specs: ProgramSpecs;
    readonly threads: number;
  }
  | {
    readonly kind: "run";
    readonly session: number;
    readonly state: HostArrays;
    readonly inputs: HostArrays;
  }
  | { readonly kind: "close"; readonly session: number };

/** A reply of the worker: the number of a session, a result, nothing, or an error. */
export type WorkerReply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: Error };

/** The buffers of `arrays`, to transfer them to the other thread. */
export function buffersOf(arrays: HostArrays): Transferable[] {
  return [...new Set(Object.values(arrays).map(({ data }) => data.buffer as ArrayBuffer))];
}

/** Opens the device of `openOnnxRuntime` in a separate thread. */
export async function openOnnxThread({ threads }: { readonly threads: number }): Promise<Device> {
  const worker = new Worker(new URL("./ort_worker.ts", import.meta.url), { type: "module" });
  const request = requester(worker);
  const open = async (program: OnnxProgram, specs: ProgramSpecs): Promise<OnnxSession> => {
    const session = await request({ kind: "open", program, specs, threads }) as number;
    return {
      run: async (state, inputs) =>
        await request({ kind: "run", session, state, inputs }, buffersOf(state)) as OnnxResult,
      close: async () => void await request({ kind: "close", session }),
    };
  };
  const block = await blockSize();
  return {
    ...await openOnnxRuntime({ threads }),
    compile: (fn, specs) => compileOnnx(fn, specs, { threads, block, open }),
    [Symbol.asyncDispose]: () => Promise.resolve(worker.terminate()),
  };
}

/** Sends requests to `worker` and resolves to its replies. */
function requester(worker: Worker) {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let count = 0;
  worker.onmessage = ({ data }: MessageEvent<WorkerReply>) => {
    const pending = waiting.get(data.id);
    waiting.delete(data.id);
    if ("error" in data) pending?.reject(data.error);
    else pending?.resolve(data.result);
  };
  worker.onerror = (event) => {
    event.preventDefault();
    for (const pending of waiting.values()) pending.reject(new Error(event.message));
    waiting.clear();
  };
  return (message: WorkerRequest, memory: Transferable[] = []): Promise<unknown> => {
    const id = count++;
    const pending = Promise.withResolvers<unknown>();
    waiting.set(id, pending);
    worker.postMessage({ id, message }, memory);
    return pending.promise;
  };
}

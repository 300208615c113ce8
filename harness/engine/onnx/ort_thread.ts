/**
 * ONNX Runtime in a thread of its own. Its binding for Node computes in the thread that calls it, so that two devices of one
 * thread take turns; devices of `openOnnxThread` run side by side. Graphs are traced and emitted here, sessions are opened
 * and run there, and arrays change hands without a copy.
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

/** What is asked of the thread. `session` is what `open` answered. */
export type Message =
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

/** An answer: the number of a session, a result, or nothing; or why there is none. */
export type Answer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: Error };

/** The memory of `arrays`, to be handed to the other thread. */
export function buffersOf(arrays: HostArrays): Transferable[] {
  return [...new Set(Object.values(arrays).map(({ data }) => data.buffer as ArrayBuffer))];
}

/** The device of `openOnnxRuntime`, in a thread of its own. */
export async function openOnnxThread({ threads }: { readonly threads: number }): Promise<Device> {
  const worker = new Worker(new URL("./ort_worker.ts", import.meta.url), { type: "module" });
  const ask = asker(worker);
  const open = async (program: OnnxProgram, specs: ProgramSpecs): Promise<OnnxSession> => {
    const session = await ask({ kind: "open", program, specs, threads }) as number;
    return {
      run: async (state, inputs) =>
        await ask({ kind: "run", session, state, inputs }, buffersOf(state)) as OnnxResult,
      close: async () => void await ask({ kind: "close", session }),
    };
  };
  const block = await blockSize();
  return {
    ...await openOnnxRuntime({ threads }),
    compile: (fn, specs) => compileOnnx(fn, specs, { threads, block, open }),
    [Symbol.asyncDispose]: () => Promise.resolve(worker.terminate()),
  };
}

/** Sends messages to `worker` and resolves to its answers. */
function asker(worker: Worker) {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let count = 0;
  worker.onmessage = ({ data }: MessageEvent<Answer>) => {
    const asked = waiting.get(data.id);
    waiting.delete(data.id);
    if ("error" in data) asked?.reject(data.error);
    else asked?.resolve(data.result);
  };
  worker.onerror = (event) => {
    event.preventDefault();
    for (const asked of waiting.values()) asked.reject(new Error(event.message));
    waiting.clear();
  };
  return (message: Message, memory: Transferable[] = []): Promise<unknown> => {
    const id = count++;
    const asked = Promise.withResolvers<unknown>();
    waiting.set(id, asked);
    worker.postMessage({ id, message }, memory);
    return asked.promise;
  };
}

/**
 * The worker of `openOnnxThread`: opens and runs sessions, one request at a time.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { type OnnxSession, openOnnxProgram } from "./ort.ts";
import { buffersOf, type WorkerReply, type WorkerRequest } from "./ort_thread.ts";

const sessions: OnnxSession[] = [];

async function answer(
  message: WorkerRequest,
): Promise<{ result: unknown; memory: Transferable[] }> {
  switch (message.kind) {
    case "open": {
      const { program, specs, threads } = message;
      const session = sessions.push(await openOnnxProgram(program, specs, { threads })) - 1;
      return { result: session, memory: [] };
    }
    case "run": {
      const result = await sessions[message.session].run(message.state, message.inputs);
      return { result, memory: [...buffersOf(result.arrays), ...buffersOf(result.outputs)] };
    }
    case "close":
      await sessions[message.session].close();
      delete sessions[message.session];
      return { result: undefined, memory: [] };
  }
}

self.onmessage = async ({ data: { id, message } }) => {
  try {
    const { result, memory } = await answer(message);
    self.postMessage({ id, result } satisfies WorkerReply, memory);
  } catch (error) {
    self.postMessage({ id, error: error as Error } satisfies WorkerReply);
  }
};

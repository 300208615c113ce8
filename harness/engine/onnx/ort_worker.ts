/**
 * The thread of `openOnnxThread`: opens and runs sessions, one request after the other.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { type OnnxSession, openOnnxProgram } from "./ort.ts";
import { type Answer, buffersOf, type Message } from "./ort_thread.ts";

const sessions: OnnxSession[] = [];

async function answer(message: Message): Promise<{ result: unknown; memory: Transferable[] }> {
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
    self.postMessage({ id, result } satisfies Answer, memory);
  } catch (error) {
    self.postMessage({ id, error: error as Error } satisfies Answer);
  }
};

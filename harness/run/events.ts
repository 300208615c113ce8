import * as z from "zod";
import { EPOCH_RECORD, NUMBERS } from "../experiment/record_schema.ts";

const RUN_EVENT = z.discriminatedUnion("event", [
  z.object({
    event: z.literal("phase"),
    phase: z.enum(["load", "compile", "train", "reference", "wait", "score", "bound", "diagnose"]),
  }),
  /** `step` steps of `epoch` are done. */
  z.object({ event: z.literal("step"), epoch: z.int(), step: z.int(), metrics: NUMBERS }),
  z.object({ event: z.literal("epoch"), record: EPOCH_RECORD }),
  /** Something about the run that its user should know, one clause without a capital or a full stop. */
  z.object({ event: z.literal("warning"), text: z.string() }),
  /** In the phases `reference` and `wait`: of the real images; in the phase `score`: of the samples; in the phase `bound`: of the test images. */
  z.object({ event: z.literal("images"), done: z.int(), of: z.int() }),
]);

/** What a run tells while it works: one line of JSON each on the standard output of its process. */
export type RunEvent = z.infer<typeof RUN_EVENT>;

/** The event that `line` holds, or undefined if it is something else, as a native library's chatter. */
export function parseEvent(line: string): RunEvent | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return RUN_EVENT.safeParse(JSON.parse(line)).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

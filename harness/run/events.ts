import * as z from "zod";
import { EPOCH_RECORD, NUMBERS } from "../experiment/record_schema.ts";

const RUN_EVENT = z.discriminatedUnion("event", [
  z.object({
    event: z.literal("phase"),
    phase: z.enum([
      "load",
      "compile",
      "train",
      "reference",
      "wait",
      "score",
      "bound",
      "calibrate",
      "diagnose",
    ]),
  }),
  /** `step` steps of `epoch` are done. */
  z.object({ event: z.literal("step"), epoch: z.int(), step: z.int(), metrics: NUMBERS }),
  z.object({ event: z.literal("epoch"), record: EPOCH_RECORD }),
  /** Something about the run that its user should know, one clause without a capital or a full stop. */
  z.object({ event: z.literal("warning"), text: z.string() }),
  /** Counts real images in the phases `reference` and `wait`, samples in the phase `score`, test images in the phase `bound`. */
  z.object({ event: z.literal("images"), done: z.int(), of: z.int() }),
]);

/** An event of a run in progress: one line of JSON on the standard output of its process. */
export type RunEvent = z.infer<typeof RUN_EVENT>;

/** Parses a line of standard output; undefined if it is not an event, such as the output of a native library. */
export function parseEvent(line: string): RunEvent | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return RUN_EVENT.safeParse(JSON.parse(line)).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

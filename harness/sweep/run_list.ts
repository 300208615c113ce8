import * as z from "zod";
import { readTextIfAny, replaceFile } from "../core/files.ts";
import type { Experiment, RunSpec } from "../core/types.ts";
import { firstIssue, RUN_SPEC } from "../experiment/record_schema.ts";
import { runId } from "../experiment/spec.ts";

/** File of an output folder with its last experiment and all runs of it. */
export const EXPERIMENT_FILE = "experiment.json";

/** The part of that file that is read back. Files of older versions have no list of runs. */
const RUN_LIST = z.object({ runs: z.array(RUN_SPEC).optional() });

/** Writes `experiment` and its runs to the folder `dir`. */
export async function writeExperiment(
  dir: string,
  experiment: Experiment,
  runs: readonly RunSpec[],
): Promise<void> {
  const text = JSON.stringify({ ...experiment, runs }, null, 2);
  await replaceFile(`${dir}/${EXPERIMENT_FILE}`, `${text}\n`);
}

/** Reads the runs of the last experiment in `dir`; null if no file lists them. Throws SyntaxError for an invalid file. */
export async function readRunList(
  dir: string,
): Promise<{ readonly id: string; readonly spec: RunSpec }[] | null> {
  const path = `${dir}/${EXPERIMENT_FILE}`;
  const text = await readTextIfAny(path);
  if (text === undefined) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(
      `${path} is not JSON (${(error as Error).message}): move it to another folder`,
    );
  }
  const result = RUN_LIST.safeParse(value);
  if (!result.success) {
    throw new SyntaxError(
      `${path} is not an experiment (${firstIssue(result.error)}): move it to another folder`,
    );
  }
  return result.data.runs?.map((spec) => ({ id: runId(spec), spec })) ?? null;
}

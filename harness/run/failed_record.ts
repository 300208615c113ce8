import { readTextIfAny } from "../core/files.ts";
import type { EpochRecord, RunRecord, RunSpec } from "../core/records.ts";
import { EPOCH_RECORD, RECORD_SCHEMA } from "../experiment/record_schema.ts";
import { runId } from "../experiment/spec.ts";

/** The record of a run of `spec` in the folder `dir` that started at `startedAt` and failed with `error`, with the epochs it had reached. */
export async function failedRecord(
  spec: RunSpec,
  { dir, error, ...rest }: {
    readonly dir: string;
    readonly error: string;
    readonly experiment: string;
    readonly startedAt: string;
  },
): Promise<RunRecord> {
  const epochs = await readEpochs(dir);
  const train = epochs.reduce((sum, { seconds }) => sum + seconds, 0);
  return {
    schema: RECORD_SCHEMA,
    id: runId(spec),
    ...rest,
    spec,
    provenance: null,
    seconds: { train, sample: 0, score: 0, other: 0 },
    epochs,
    status: "failed",
    error,
  };
}

/** The epochs in the file that a run writes as it trains, up to the first line that is incomplete. */
async function readEpochs(dir: string): Promise<EpochRecord[]> {
  const text = await readTextIfAny(`${dir}/epochs.jsonl`) ?? "";
  const epochs: EpochRecord[] = [];
  for (const line of text.split("\n")) {
    try {
      epochs.push(EPOCH_RECORD.parse(JSON.parse(line)));
    } catch {
      break; // the end, or a line cut off by the failure
    }
  }
  return epochs;
}

/**
 * The batch script of a sweep: one job array, a task for each run.
 *
 * @module
 */
import { CHECKPOINTED } from "../../core/exit_codes.ts";
import type { SlurmOptions } from "./options.ts";

/** Seconds before the time limit at which Slurm asks a task to save a checkpoint. */
export const SIGNAL_SECONDS = 120;

/** The line that the script writes to Slurm's log, after the time, when it requeues a task before its time limit. */
export const TIME_IS_UP = "requeued before the time limit";

/** Contents of a batch script. */
export interface SlurmScript {
  /** Name of the experiment. */
  readonly experiment: string;
  /** The output folder, absolute. */
  readonly out: string;
  /** All runs of the sweep; the task with index i of the array executes the run i. */
  readonly runs: readonly { readonly id: string; readonly label: string }[];
  /** Indices of the runs to do. */
  readonly todo: readonly number[];
  readonly options: SlurmOptions;
  /** Cores of a task. */
  readonly cpus: number;
  /** Environment variables of a run. */
  readonly env: Readonly<Record<string, string>>;
  /** The command that executes a run, without its own arguments: the program and its options. */
  readonly command: readonly string[];
  /** Arguments of the command after the spec and the output folder of the run. */
  readonly args: readonly string[];
}

/** Renders the batch script. Every path in it is absolute. */
export function renderScript(
  { experiment, out, runs, todo, options, cpus, env, command, args }: SlurmScript,
): string {
  const { partition, time, gres, mem, arrayParallelism, setup, arg } = options;
  const directives = [
    `--job-name=laebench-${experiment}`,
    `--array=${arrayOf(todo)}${arrayParallelism === undefined ? "" : `%${arrayParallelism}`}`,
    `--cpus-per-task=${cpus}`,
    ...partition === undefined ? [] : [`--partition=${partition}`],
    ...time === undefined ? [] : [`--time=${time}`],
    ...gres === undefined ? [] : [`--gres=${gres}`],
    ...mem === undefined ? [] : [`--mem=${mem}`],
    `--signal=B:USR1@${SIGNAL_SECONDS}`,
    "--requeue",
    "--open-mode=append",
    `--output=${quoteDirective(`${out.replaceAll("%", "%%")}/slurm/%A_%a.log`)}`,
    ...arg.map((text) => text.startsWith("-") ? text : `--${text}`),
  ];
  const list = runs.map(({ id, label }) => `  ${id} # ${label}`);
  const words = command.map((word) => `${quote(word)} \\`);
  const tail = args.map(quote).join(" ");
  return `#!/bin/bash
${directives.map((directive) => `#SBATCH ${directive}`).join("\n")}

# Written by deno task bench. The task with index i executes the run i of this list.
runs=(
${list.join("\n")}
)
out=${quote(out)}
run=$out/\${runs[$SLURM_ARRAY_TASK_ID]}
echo "$out/slurm/\${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID.log" > "$run/slurm_log"
echo "$(date '+%F %T') $(hostname) run \${run##*/} attempt $((\${SLURM_RESTART_COUNT:-0} + 1))"
${Object.entries(env).map(([name, value]) => `export ${name}=${quote(value)}\n`).join("")}${
    setup.map((line) => `${line}\n`).join("")
  }
checkpoints() { stat -c '%n %i %y' "$run"/checkpoint*.safetensors 2> /dev/null; }
before=$(checkpoints)

trap 'time_is_up=yes signal=yes; kill -TERM $child 2> /dev/null' USR1 # ${SIGNAL_SECONDS} s before the time limit
trap 'signal=yes' TERM # cancelled or preempted: Slurm signals the program too, and requeues by itself
# The program runs in the background, because bash handles signals only while it waits.
${words.join("\n  ")}
  "$run/spec.json" --out "$run"${tail === "" ? "" : ` ${tail}`} > /dev/null 2>> "$run/log.txt" &
child=$!
while true; do
  signal=
  code=0
  wait $child || code=$?
  if [ -z "$signal" ]; then break; fi # else the signal may have ended the wait, not the program
done

echo "$(date '+%F %T') exit code $code"
# ${CHECKPOINTED}: it saved a checkpoint. Above 128: the signal ended it, after an earlier checkpoint.
if [ "$time_is_up" ] && { [ $code -eq ${CHECKPOINTED} ] || [ $code -gt 128 ]; }; then
  if [ "$(checkpoints)" = "$before" ]; then
    echo "No progress within the time limit: raise --slurm-time" | tee -a "$run/log.txt"
    exit 1
  fi
  echo "$(date '+%F %T') ${TIME_IS_UP}"
  scontrol requeue "\${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
fi
exit $code
`;
}

/** Slurm's form of a set of indices in ascending order: `0,2-5`. */
export function arrayOf(indices: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const index of indices) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === index - 1) last[1] = index;
    else ranges.push([index, index]);
  }
  return ranges.map(([first, last]) => first === last ? `${first}` : `${first}-${last}`).join();
}

/** `word` as bash reads it back, in single quotes where it needs any. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** `value` as the options of sbatch read it back, in double quotes where it has blanks or quotes. */
function quoteDirective(value: string): string {
  return /[\s"'\\]/.test(value) ? `"${value.replaceAll(/["\\]/g, "\\$&")}"` : value;
}

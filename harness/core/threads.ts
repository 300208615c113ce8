/**
 * Threads of a run: how many a process may use, and whether a run's numbers depend on them.
 *
 * @module
 */
import { readEnv } from "./environment.ts";

/** Variables that hold the number of cores of a Slurm job: what it asked for, else what it has on this machine. */
export const JOB_CORES_VARIABLES = ["SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE"];

/** Number of cores that this process may use: those of its Slurm job, else those of the machine. */
export function availableCores(read: (variable: string) => string | undefined = readEnv): number {
  const ofJob = JOB_CORES_VARIABLES.map((name) => Number(read(name) ?? NaN))
    .find((count) => Number.isInteger(count) && count >= 1);
  return ofJob ?? navigator.hardwareConcurrency;
}

/**
 * Whether the numbers of a run on `device` depend on its number of threads. On a processor they do, in the last bits: the
 * order in which a matrix product sums depends on how it is divided (`deno task threads` measures it). Other devices do not
 * use the number.
 */
export function dependsOnThreads(device: string): boolean {
  return device === "cpu" || device.startsWith("tfjs-node");
}

/** `1 thread`, `2 threads`. */
export function countThreads(count: number): string {
  return count === 1 ? "1 thread" : `${count} threads`;
}

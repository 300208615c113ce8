/**
 * Independent pieces of work, one at a time on each device, with a line about each.
 *
 * @module
 */
import { formatDuration } from "../experiment/estimate.ts";
import { mean } from "../statistics/summary.ts";
import type { Device } from "../core/types.ts";

/** A piece of work. */
export interface Job<T> {
  /** Work of one group takes about as long. */
  readonly group: string;
  readonly name: string;
  work(device: Device): Promise<T>;
  /** Text that the line about it adds. */
  remark?(result: T): string;
}

/** Jobs whose results are put into `results`, in their order. */
export interface Collected<T> {
  readonly jobs: readonly Job<unknown>[];
  readonly results: readonly T[];
}

/** `jobs` for `runJobs`, which knows nothing of their results. */
export function collect<T>(jobs: readonly Job<T>[]): Collected<T> {
  const results = Array<T>(jobs.length);
  return {
    results,
    jobs: jobs.map((job, i) => ({
      ...job,
      work: async (device) => results[i] = await job.work(device),
      remark: () => job.remark?.(results[i]) ?? "",
    })),
  };
}

/**
 * Runs `jobs` in their order, one at a time on each device, and reports each as `[2/9] group, name: 1.2 s, about 10 s left`.
 * The time left is estimated from the jobs of the same group that are over, or by all that are.
 */
export async function runJobs(
  jobs: readonly Job<unknown>[],
  { devices, report, now = () => performance.now() / 1000 }: {
    readonly devices: readonly Device[];
    readonly report: (line: string) => void;
    readonly now?: () => number;
  },
): Promise<void> {
  const over: { readonly group: string; readonly seconds: number }[] = [];
  const running = new Map<Job<unknown>, number>();
  const timeLeft = () => {
    const waiting = jobs.slice(over.length + running.size);
    const expected = ({ group }: Job<unknown>) => {
      const same = over.filter((other) => other.group === group);
      return mean((same.length > 0 ? same : over).map(({ seconds }) => seconds));
    };
    const rest = [
      ...waiting.map(expected),
      ...[...running].map(([job, began]) => Math.max(0, expected(job) - (now() - began))),
    ];
    return rest.reduce((a, b) => a + b, 0) / Math.min(devices.length, rest.length);
  };
  let next = 0;
  await Promise.all(devices.map(async (device) => {
    while (next < jobs.length) {
      const job = jobs[next++];
      running.set(job, now());
      const result = await job.work(device);
      const seconds = now() - (running.get(job) ?? 0);
      running.delete(job);
      over.push({ group: job.group, seconds });
      const left = over.length < jobs.length ? `, about ${formatDuration(timeLeft())} left` : "";
      report(
        `[${over.length}/${jobs.length}] ${job.group}, ${job.name}: ${seconds.toFixed(1)} s${
          job.remark?.(result) ?? ""
        }${left}`,
      );
    }
  }));
}

import assert from "node:assert/strict";
import type { Device } from "../core/types.ts";
import { collect, runJobs } from "./jobs.ts";

const device = (name: string): Device => ({ description: name }) as Device;

Deno.test("runJobs() reports each job, and how long those left take by what their group took", async () => {
  let clock = 0;
  const job = (group: string, seconds: number) => ({
    group,
    name: `${seconds} s`,
    work: () => {
      clock += seconds;
      return Promise.resolve(seconds);
    },
    remark: (result: number) => result > 15 ? ", slow" : "",
  });
  const fast = collect([job("fast", 1), job("fast", 3), job("fast", 2)]);
  const slow = collect([job("slow", 20), job("slow", 10)]);
  const lines: string[] = [];
  await runJobs([...fast.jobs, ...slow.jobs], {
    devices: [device("only")],
    report: (line) => lines.push(line),
    now: () => clock,
  });
  assert.deepEqual(lines, [
    "[1/5] fast, 1 s: 1.0 s, about 4 s left",
    "[2/5] fast, 3 s: 3.0 s, about 6 s left",
    "[3/5] fast, 2 s: 2.0 s, about 4 s left",
    "[4/5] slow, 20 s: 20.0 s, slow, about 20 s left",
    "[5/5] slow, 10 s: 10.0 s",
  ]);
  assert.deepEqual(fast.results, [1, 3, 2]);
  assert.deepEqual(slow.results, [20, 10]);
});

Deno.test("runJobs() keeps every device at work, and results in the order of the jobs", async () => {
  const finish: (() => void)[] = [];
  const used: string[] = [];
  const jobs = collect([0, 1, 2].map((i) => ({
    group: "all",
    name: String(i),
    work: ({ description }: Device) => {
      used[i] = description;
      return new Promise<number>((resolve) => finish[i] = () => resolve(i));
    },
  })));
  const done = runJobs(jobs.jobs, { devices: [device("a"), device("b")], report: () => {} });
  assert.deepEqual(used, ["a", "b"]);
  finish[1]();
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(used, ["a", "b", "b"]); // a is still at work
  finish[2]();
  finish[0]();
  await done;
  assert.deepEqual(jobs.results, [0, 1, 2]);
});

Deno.test("runJobs() passes on an error", async () => {
  const jobs = [{ group: "g", name: "n", work: () => Promise.reject(new Error("broken")) }];
  await assert.rejects(runJobs(jobs, { devices: [device("a")], report: () => {} }), /broken/);
});

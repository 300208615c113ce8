import assert from "node:assert/strict";
import { availableCores, dependsOnThreads } from "./threads.ts";

Deno.test("availableCores() is what the Slurm job asked for, then what it has, then the machine's", () => {
  const cores = (variables: Record<string, string>) => availableCores((name) => variables[name]);
  assert.equal(cores({ SLURM_CPUS_PER_TASK: "3", SLURM_CPUS_ON_NODE: "64" }), 3);
  assert.equal(cores({ SLURM_CPUS_ON_NODE: "5" }), 5);
  assert.equal(cores({}), navigator.hardwareConcurrency);
  assert.equal(cores({ SLURM_CPUS_PER_TASK: "many" }), navigator.hardwareConcurrency);
});

Deno.test("dependsOnThreads() is true for processors alone", () => {
  assert.deepEqual(
    ["cpu", "tfjs-node", "cuda", "cuda:highest", "pjrt:/x.so", "webgpu"].map(dependsOnThreads),
    [
      true,
      true,
      false,
      false,
      false,
      false,
    ],
  );
});

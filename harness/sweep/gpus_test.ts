import assert from "node:assert/strict";
import { environmentOf, gpusFor, sharedGpuWarning } from "./gpus.ts";

Deno.test("gpusFor() returns the GPUs visible to this process, or all, for CUDA only", () => {
  const both = { count: 2, visible: undefined };
  for (const device of ["cuda", "cuda:highest,deterministic", "tfjs-node-gpu"]) {
    assert.deepEqual(gpusFor(device, both), ["0", "1"]);
  }
  for (const device of ["cpu", "webgpu", "pjrt:/cuda/plugin.so"]) {
    assert.deepEqual(gpusFor(device, both), []);
  }
  const visible = (value: string) => gpusFor("cuda", { visible: value, count: 8 });
  assert.deepEqual(visible("3"), ["3"]);
  assert.deepEqual(visible("5, GPU-7c1d,2"), ["5", "GPU-7c1d", "2"]);
  assert.deepEqual(visible("1,-1,2"), ["1"], "CUDA stops at the first invalid name");
  assert.deepEqual(visible(""), [], "no GPU is visible");
});

Deno.test("environmentOf() assigns a GPU to each slot, cyclically", () => {
  const gpus = ["2", "GPU-7c1d"];
  const given = [0, 1, 2].map((slot) => environmentOf(slot, gpus).CUDA_VISIBLE_DEVICES);
  assert.deepEqual(given, ["2", "GPU-7c1d", "2"]);
  assert.deepEqual(environmentOf(0, []), {}, "inherits the parent's");
});

Deno.test("sharedGpuWarning() warns of more parallel runs than GPUs", () => {
  assert.equal(sharedGpuWarning("cuda", { gpus: ["0", "1"], jobs: 2 }), undefined);
  assert.equal(sharedGpuWarning("cuda", { gpus: [], jobs: 1 }), undefined);
  assert.equal(sharedGpuWarning("cpu", { gpus: [], jobs: 8 }), undefined);
  assert.equal(
    sharedGpuWarning("cuda", { gpus: ["0", "1"], jobs: 3 }),
    "3 parallel runs share 2 GPUs: --jobs 2 gives each run its own",
  );
  assert.match(sharedGpuWarning("cuda", { gpus: [], jobs: 2 }) ?? "", /CUDA_VISIBLE_DEVICES/);
});

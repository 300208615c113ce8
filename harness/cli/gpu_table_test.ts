import assert from "node:assert/strict";
import { type Measured, toTable } from "./gpu_table_format.ts";

const ROW: Measured = {
  engine: "laebench",
  method: "lae",
  settings: "cuda, 3 steps",
  steps: [0.002, 0.001, 0.004],
  products: [0.001, 0.001, 0.002],
  product: 1000, // 2 GFLOP: 2000 GFLOP/s at the median
  compile: 12.34,
  flops: 2e9,
  device: "XLA on GPU",
};

Deno.test("toTable() shows rates, fractions per pair and the ratio to PyTorch eager", () => {
  const eager: Measured = {
    ...ROW,
    engine: "PyTorch eager",
    steps: [0.004, 0.004, 0.008],
    flops: undefined,
  };
  const lines = toTable([ROW, eager]).split("\n");
  assert.equal(
    lines[2],
    "| lae | laebench | 0.002 (0.001 to 0.004) | 500 | 1000 | 2000 GFLOP/s | 0.50 | 12.3 s | 1 s | 2.00x |",
  );
  // FLOPs are those of laebench's row: 2 GFLOP in 4 ms.
  assert.match(
    lines[3],
    /\| PyTorch eager \| 0\.004 .* \| 500 \| 2000 GFLOP\/s \| 0\.25 \| .* 1\.00x \|$/,
  );
  assert.match(
    lines.at(-1) ?? "",
    /cuda, 3 steps\. laebench: XLA on GPU; PyTorch eager: XLA on GPU\./,
  );
});

Deno.test("toTable() lists the library functions that XLA calls, and notes a missing input gradient of cuDNN", () => {
  const found = toTable([{ ...ROW, libraryCalls: { "__cudnn$convBackwardInput": 8 } }]);
  assert.match(found, /XLA's step of lae calls __cudnn\$convBackwardInput 8\.\n/);
  const missing = toTable([{ ...ROW, libraryCalls: { "__cudnn$convForward": 9 } }]);
  assert.match(missing, /__cudnn\$convForward 9; no __cudnn\$convBackwardInput: XLA runs/);
  assert.doesNotMatch(toTable([ROW]), /XLA's step/);
});

Deno.test("toTable() shows a dash for missing measurements", () => {
  assert.match(toTable([{ ...ROW, flops: undefined }]), /\| 500 \| – \| .* \| – \| .* \| – \|\n/);
});

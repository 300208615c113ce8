import assert from "node:assert/strict";
import { findBreaches, packageName } from "./layers.ts";

Deno.test("findBreaches() lets the layers import what they may", () => {
  assert.deepEqual(
    findBreaches([
      { from: "harness/run/run.ts", to: "harness/engine/device.ts" },
      { from: "harness/run/run.ts", to: "npm:@tensorflow/tfjs" },
      { from: "harness/cli/main.ts", to: "methods/mod.ts" },
      { from: "harness/cli/main.ts", to: "reports/table.ts" },
      { from: "methods/lae.ts", to: "methods/parts/nets.ts" },
      { from: "methods/lae.ts", to: "harness/core/types.ts" },
      { from: "methods/lae.ts", to: "harness/core/repeat.ts" },
      { from: "methods/lae.ts", to: "npm:@tensorflow/tfjs" },
      { from: "methods/lae_test.ts", to: "harness/engine/device.ts" },
      { from: "datasets/svhn.ts", to: "npm:fflate" },
      { from: "fixtures/make_x.ts", to: "datasets/mod.ts" },
      { from: "ci/layers_test.ts", to: "ci/layers.ts" },
    ]),
    [],
  );
});

Deno.test("findBreaches() names each import that it may not", () => {
  const forbidden = [
    { from: "harness/run/run.ts", to: "methods/mod.ts" },
    { from: "harness/engine/device.ts", to: "datasets/mod.ts" },
    { from: "harness/sweep/bench.ts", to: "reports/table.ts" },
    { from: "harness/cli/main.ts", to: "ci/layers.ts" },
    { from: "harness/run/run_test.ts", to: "ci/layers.ts" },
    { from: "methods/lae.ts", to: "harness/run/train.ts" },
    { from: "methods/lae.ts", to: "datasets/mod.ts" },
    { from: "methods/lae.ts", to: "npm:sharp" },
    { from: "datasets/svhn.ts", to: "harness/core/files.ts" },
    { from: "reports/table.ts", to: "npm:zod" },
    { from: "reports/table.ts", to: "harness/sweep/store.ts" },
    { from: "harness/run/run.ts", to: "fixtures/make_x.ts" },
  ];
  const breaches = findBreaches(forbidden);
  assert.equal(breaches.length, forbidden.length);
  forbidden.forEach(({ from, to }, i) =>
    assert.ok(breaches[i].startsWith(`${from} imports ${to.replace("npm:", "")}: `), breaches[i])
  );
});

Deno.test("packageName() drops the scheme and the version", () => {
  assert.equal(packageName("npm:/@tensorflow/tfjs@4.22.0"), "@tensorflow/tfjs");
  assert.equal(packageName("npm:sharp@0.35.5"), "sharp");
  assert.equal(packageName("npm:zod"), "zod");
});

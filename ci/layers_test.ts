import assert from "node:assert/strict";
import { findBreaches, findCircles, FLOORS, packageName, roomOf } from "./layers.ts";

Deno.test("findBreaches() lets a room import what stands below it", () => {
  assert.deepEqual(
    findBreaches([
      { from: "harness/run/run.ts", to: "harness/engine/device.ts" },
      { from: "harness/run/run.ts", to: "harness/run/train.ts" },
      { from: "harness/run/run.ts", to: "npm:@tensorflow/tfjs" },
      { from: "harness/cli/main.ts", to: "methods/mod.ts" },
      { from: "harness/cli/main.ts", to: "reports/table.ts" },
      { from: "methods/lae.ts", to: "methods/parts/nets.ts" },
      { from: "methods/lae.ts", to: "harness/core/types.ts" },
      { from: "methods/toy/features.ts", to: "harness/linalg/matrix.ts" },
      { from: "methods/lae.ts", to: "npm:@tensorflow/tfjs" },
      { from: "methods/lae_test.ts", to: "harness/engine/device.ts" },
      { from: "datasets/svhn.ts", to: "npm:fflate" },
      { from: "datasets/cifar10.ts", to: "harness/formats/pickle.ts" },
      { from: "fixtures/make_x.ts", to: "datasets/mod.ts" },
      { from: "ci/layers_test.ts", to: "ci/layers.ts" },
    ]),
    [],
  );
});

Deno.test("findBreaches() names each import that it may not", () => {
  const forbidden = [
    { from: "harness/run/run.ts", to: "methods/mod.ts" }, // the harness knows no method
    { from: "harness/engine/device.ts", to: "datasets/mod.ts" },
    { from: "harness/sweep/bench.ts", to: "reports/table.ts" },
    { from: "harness/core/types.ts", to: "harness/engine/device.ts" }, // up
    { from: "harness/engine/onnx/ort.ts", to: "harness/engine/xla/pjrt.ts" }, // across
    { from: "harness/toy/truth.ts", to: "harness/run/train.ts" },
    { from: "methods/parts/nets.ts", to: "methods/lae.ts" },
    { from: "harness/cli/main.ts", to: "ci/layers.ts" },
    { from: "harness/run/run_test.ts", to: "ci/layers.ts" }, // not even a test
    { from: "methods/lae.ts", to: "harness/engine/graph/trace.ts" }, // not the ground
    { from: "methods/lae.ts", to: "datasets/parts/download.ts" },
    { from: "methods/lae.ts", to: "npm:sharp" },
    { from: "reports/table.ts", to: "npm:zod" },
    { from: "reports/table.ts", to: "harness/sweep/store.ts" },
    { from: "harness/run/run.ts", to: "fixtures/make_x.ts" },
    { from: "harness/run.ts", to: "harness/core/types.ts" }, // no room
  ];
  const breaches = findBreaches(forbidden);
  assert.equal(breaches.length, forbidden.length);
  forbidden.forEach(({ from, to }, i) => {
    assert.ok(breaches[i].startsWith(`${from} imports ${to}: `), breaches[i]);
  });
});

Deno.test("FLOORS has each room once, and a file belongs to the innermost", () => {
  const rooms = FLOORS.flat();
  assert.equal(new Set(rooms).size, rooms.length);
  assert.equal(roomOf("harness/engine/onnx/ort.ts"), "harness/engine/onnx");
  assert.equal(roomOf("harness/engine/device.ts"), "harness/engine");
  assert.equal(roomOf("harness/types.ts"), undefined);
});

Deno.test("findCircles() follows imports around, and only around", () => {
  const line = [{ from: "a", to: "b" }, { from: "b", to: "c" }, { from: "a", to: "c" }];
  assert.deepEqual(findCircles(line), []);
  assert.deepEqual(findCircles([...line, { from: "c", to: "b" }]), ["circle: b -> c -> b"]);
});

Deno.test("packageName() drops the scheme and the version", () => {
  assert.equal(packageName("npm:/@tensorflow/tfjs@4.22.0"), "@tensorflow/tfjs");
  assert.equal(packageName("npm:sharp@0.35.5"), "sharp");
  assert.equal(packageName("npm:zod"), "zod");
});

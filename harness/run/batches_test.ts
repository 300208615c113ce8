import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { gatherChains, gatherImages, scatterChains, startChains } from "./batches.ts";
import { createNoise, keyOf } from "../core/noise.ts";

Deno.test("gatherImages() scales bytes to [0, 1] in the order of rows", () => {
  const set = {
    image: { height: 1, width: 2, channels: 1 },
    count: 3,
    pixels: new Uint8Array([0, 255, 51, 102, 153, 204]),
    sha256: "",
  };
  const out = new Float32Array(4);
  gatherImages(set, new Int32Array([2, 0]), out);
  assert.deepEqual(out, new Float32Array([0.6, 0.8, 0, 1]));
});

Deno.test("gatherChains() and scatterChains() copy the given rows and leave the others unchanged", () => {
  const chains = {
    z: { shape: [4, 2], dtype: "float32", data: new Float32Array([0, 1, 2, 3, 4, 5, 6, 7]) },
  } as const;
  const rows = new Int32Array([3, 1]);
  const { z } = gatherChains(chains, rows);
  assert.deepEqual(z, { shape: [2, 2], dtype: "float32", data: new Float32Array([6, 7, 2, 3]) });
  scatterChains(chains, rows, { z: { ...z, data: z.data.map((x) => -x) } });
  assert.deepEqual(chains.z.data, new Float32Array([0, 1, -2, -3, 4, 5, -6, -7]));
  assert.throws(() => scatterChains(chains, rows, {}), /Chain "z" is missing after the step/);
});

Deno.test("startChains() draws standard normals that belong to the row", async () => {
  await tf.setBackend("cpu");
  const start = (count: number) =>
    startChains({ z: [3] }, {
      count,
      noise: createNoise(keyOf(1), tf.scalar(0, "int32")),
      rows: tf.range(0, count, 1, "int32"),
    }).z;
  const { shape, data } = start(2000);
  assert.deepEqual(shape, [2000, 3]);
  assert.deepEqual(
    data.slice(0, 30),
    start(10).data,
    "row i does not depend on the number of rows",
  );
  // 6,000 draws: the mean has standard deviation 0.0129, the second moment sqrt(2 / 6000) = 0.0183; 4 of them.
  const mean = data.reduce((a, b) => a + b) / data.length;
  const power = data.reduce((a, b) => a + b * b, 0) / data.length;
  assert.ok(Math.abs(mean) < 0.052, `mean ${mean}`);
  assert.ok(Math.abs(power - 1) < 0.073, `second moment ${power}`);
});

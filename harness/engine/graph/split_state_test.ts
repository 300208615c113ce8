import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import type { State } from "../../core/types.ts";
import { openDevice } from "../device.ts";

/** A shape large enough to be split: more than twice 2^18 elements. */
const SHAPE = [600, 32, 32] as const;

function update({ x, a }: State): State {
  const product = tf.matMul(a, x, true);
  return { x: tf.sub(tf.mul(x, 0.9), tf.mul(tf.add(product, 1), 0.1)), a };
}

Deno.test("splitState() splits updates that contain products of many matrices", async () => {
  await using device = await openDevice("cpu", { threads: 1 });
  const spec = { shape: SHAPE, dtype: "float32" } as const;
  const size = SHAPE[0] * SHAPE[1] * SHAPE[2];
  const waves = (step: number) => Float32Array.from({ length: size }, (_, i) => Math.sin(step * i));
  const start = {
    x: { ...spec, data: waves(0.7) },
    a: { ...spec, data: waves(1.3) },
  };
  await using program = await device.compile(
    ({ state }) => ({ state: update(state), outputs: {} }),
    { state: { x: spec, a: spec }, inputs: {} },
  );
  const { state } = await program.run(await device.upload(start), {});
  const { x } = await device.download(state);
  await tf.setBackend("cpu");
  const expected = tf.tidy(() =>
    update({
      x: tf.tensor(start.x.data, [...SHAPE]),
      a: tf.tensor(start.a.data, [...SHAPE]),
    }).x.dataSync()
  );
  // Sums of 32 products in float32.
  x.data.forEach((v, i) => assert.ok(Math.abs(v - expected[i]) < 1e-5, `${i}: ${v}`));
});

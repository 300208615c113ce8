import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { openDevice } from "../engine/device.ts";
import "./comparison_gradients.ts";

for (const name of ["cpu", "tfjs-cpu"]) {
  Deno.test(`${name}: a mask of tf.where that depends on the variable passes the gradient of the branch that it selects`, async () => {
    await using device = await openDevice(name, { threads: 1 });
    const x = { shape: [5], dtype: "float32", data: Float32Array.of(-2, -1, 0.5, 1, 3) } as const;
    await using program = await device.compile(({ inputs }) => ({
      outputs: {
        gradient: tf.grad((x) => {
          const isOdd = tf.logicalOr(tf.less(x, -1.5), tf.logicalNot(tf.lessEqual(x, 2)));
          return tf.sum(tf.where(isOdd, tf.mul(x, 7), tf.square(x)));
        })(inputs.x),
      },
    }), { state: {}, inputs: { x } });
    const { outputs } = await program.run(await device.upload({}), { x });
    assert.deepEqual([...outputs.gradient.data], [7, -2, 1, 2, 7]);
  });
}

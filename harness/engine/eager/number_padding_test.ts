import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { openEager } from "./eager.ts";

const wave = (...shape: number[]) =>
  tf.tensor(Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => Math.sin(i)), shape);

Deno.test("supplyNumberPadding() computes height and width of a padded convolution each from its own filter size and stride", async () => {
  await using _ = await openEager("tfjs-cpu", "cpu");
  const [x, w] = [wave(2, 5, 6, 3), wave(3, 2, 3, 4)] as [tf.Tensor4D, tf.Tensor4D];
  for (const stride of [1, [1, 2], [2, 1]] as (number | [number, number])[]) {
    const padded = (x: tf.Tensor, w: tf.Tensor) => {
      const wide = tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]]) as tf.Tensor4D;
      return tf.conv2d(wide, w as tf.Tensor4D, stride, "valid");
    };
    const numbered = (x: tf.Tensor, w: tf.Tensor) =>
      tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, stride, 1);
    const results = [padded, numbered].map((f) => {
      const y = f(x, w);
      const loss = (x: tf.Tensor, w: tf.Tensor) => tf.sum(tf.square(f(x, w)));
      return [y, ...tf.grads(loss)([x, w])];
    });
    results[0].forEach((expected, i) => {
      assert.deepEqual(results[1][i].shape, expected.shape);
      const gap = tf.max(tf.abs(tf.sub(results[1][i], expected))).dataSync()[0];
      assert(gap <= 1e-4, `part ${i} with stride ${stride} differs by ${gap}`); // sums of 60 terms below 10
    });
  }
});

Deno.test("gradients of a convolution whose size is rounded up are refused", async () => {
  await using _ = await openEager("tfjs-cpu", "cpu");
  const [x, w] = [wave(1, 6, 6, 1), wave(3, 3, 1, 1)] as [tf.Tensor4D, tf.Tensor4D];
  const loss = (x: tf.Tensor) => tf.sum(tf.conv2d(x as tf.Tensor4D, w, 2, 1, "NHWC", 1, "ceil"));
  assert.throws(
    () => tf.grad(loss)(x),
    /gradient of a convolution must have shape \[1,3,3,1\], got \[1,4,4,1\]: use dimRoundingMode "floor"/,
  );
});

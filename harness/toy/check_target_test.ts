import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { TARGETS } from "../../datasets/toy/mod.ts";
import { standardNormal } from "../../datasets/toy/standard_normal.ts";
import { checkTarget } from "./check_target.ts";

for (const target of Object.values(TARGETS)) {
  Deno.test(`checkTarget() accepts ${target.name}`, async () => await checkTarget(target));
}

Deno.test("checkTarget() names a target whose density is not finite at the start", async () => {
  const target = {
    ...standardNormal,
    name: "half_line",
    logDensity: (z: tf.Tensor3D) => tf.sum(tf.log(z), 2) as tf.Tensor2D,
  };
  await assert.rejects(
    checkTarget(target),
    /Target half_line: the log density is NaN at the start/,
  );
});

Deno.test("checkTarget() names a target whose gradient disagrees with differences", async () => {
  const wrong = tf.customGrad((z) => {
    const value = tf.mul(tf.sum(tf.square(z as tf.Tensor), 2), -0.5);
    return {
      value,
      gradFunc: (dy: tf.Tensor) => tf.mul(z as tf.Tensor, tf.expandDims(dy, 2)), // the sign is lost
    };
  });
  const target = {
    ...standardNormal,
    name: "sign_lost",
    logDensity: (z: tf.Tensor3D) => wrong(z) as tf.Tensor2D,
  };
  await assert.rejects(checkTarget(target), /Target sign_lost: the gradient disagrees/);
});

Deno.test("checkTarget() names a target whose density cannot be worked out", async () => {
  const target = {
    ...standardNormal,
    name: "broken",
    logDensity: (z: tf.Tensor3D) => tf.matMul(z, tf.ones([7, 1])) as unknown as tf.Tensor2D,
  };
  await assert.rejects(checkTarget(target), /^Error: Target broken: Error in matMul/);
});

Deno.test("checkTarget() names a density of the wrong shape", async () => {
  const target = {
    ...standardNormal,
    name: "summed",
    logDensity: (z: tf.Tensor3D) => tf.sum(z) as unknown as tf.Tensor2D,
  };
  await assert.rejects(checkTarget(target), /Target summed: the log density has shape \[\]/);
});

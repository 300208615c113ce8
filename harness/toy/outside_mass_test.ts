import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { eightGaussians } from "../../datasets/toy/eight_gaussians.ts";
import type { GridAnswer, Target } from "../core/toy_types.ts";
import { openDevice } from "../engine/device.ts";
import { checkOutsideMass } from "./outside_mass.ts";
import { openTarget } from "./run_sampler.ts";

function gridTarget(
  name: string,
  extent: number,
  logDensity: (x: tf.Tensor, y: tf.Tensor) => tf.Tensor,
): Target & { readonly answer: GridAnswer } {
  return {
    ...eightGaussians,
    name,
    points: 1,
    inputs: [[1]],
    batchSize: 1,
    logDensity: (z) => {
      const [x, y] = [0, 1].map((k) => tf.squeeze(tf.slice(z, [0, 0, k], [-1, -1, 1]), [2]));
      return logDensity(x, y) as tf.Tensor2D;
    },
    answer: { kind: "grid", extent, cells: 160, shared: true },
  };
}

const normal = (x: tf.Tensor, y: tf.Tensor) => tf.mul(tf.add(tf.square(x), tf.square(y)), -0.5);

Deno.test("a square that cuts off mass is refused, with the share outside and an extent that is enough", async () => {
  await using device = await openDevice("cpu", { threads: 1 });
  // P(|x| < 1)^2 = 0.6827^2 for two standard normals (any table): 0.534 outside.
  await assert.rejects(
    openTarget(gridTarget("narrow", 1, normal), device),
    /Target narrow: its square leaves 0\.53 of the mass outside, more than 0\.001: raise answer\.extent from 1 to at most 4/,
  );
  await openTarget(gridTarget("wide", 4, normal), device); // 1.3e-4 outside
  await checkOutsideMass(
    { ...eightGaussians, answer: eightGaussians.answer as GridAnswer },
    device,
  );
});

Deno.test("tails that no square holds are refused: the funnel, a Cauchy, a flat direction", async () => {
  await using device = await openDevice("cpu", { threads: 1 });
  const refused = (name: string, density: (x: tf.Tensor, y: tf.Tensor) => tf.Tensor) =>
    assert.rejects(
      checkOutsideMass(gridTarget(name, 5, density), device),
      new RegExp(`Target ${name}: its square leaves 0\\.\\d+ of the mass outside`),
    );
  // Neal 2003, section 8: v ~ N(0, 9), x ~ N(0, exp(v)).
  await refused("funnel", (v, x) =>
    tf.add(
      tf.mul(tf.square(v), -1 / 18),
      tf.sub(tf.mul(tf.mul(tf.square(x), tf.exp(tf.neg(v))), -0.5), tf.mul(v, 0.5)),
    ));
  await refused("cauchy", (x, y) => tf.neg(tf.add(tf.log1p(tf.square(x)), tf.log1p(tf.square(y)))));
  await refused("flat", (x, y) => tf.add(tf.mul(tf.square(x), -0.5), tf.mul(y, 0)));
});

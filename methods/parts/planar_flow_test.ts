import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { createNoise, keyOf } from "../../harness/core/noise.ts";
import { mapTree } from "../../harness/core/tree.ts";
import { type FlowParams, initPlanarFlow, planarFlow } from "./planar_flow.ts";

/** A flow far from the identity, with w.u of both signs and beyond -1, where the unconstrained layer is not invertible. */
function strongFlow(count: number, latentDim: number): FlowParams {
  const params = initPlanarFlow({ count, latentDim }, createNoise(keyOf(3), tf.scalar(0, "int32")));
  return mapTree(params, ([t], path) => path.endsWith("/b") ? tf.scalar(0.3) : tf.mul(t, 15));
}

/** The flow in float64, with the constraint, at one point. */
function reference(params: FlowParams, z: readonly number[], count: number): number[] {
  let point = [...z];
  for (let k = 0; k < count; k++) {
    const [u, w, [b]] = [params[k].u, params[k].w, params[k].b].map((t) => [...t.dataSync()]);
    const dot = (a: readonly number[], c: readonly number[]) =>
      a.reduce((s, v, i) => s + v * c[i], 0);
    const wu = dot(w, u);
    const excess = Math.log1p(Math.exp(wu)) - 1 - wu;
    const a = Math.tanh(dot(w, point) + b);
    point = point.map((v, i) => v + (u[i] + excess * w[i] / dot(w, w)) * a);
  }
  return point;
}

Deno.test("planarFlow() maps points, and its log-determinant is that of the numerical Jacobian", async () => {
  await tf.setBackend("cpu");
  const [count, latentDim] = [4, 2];
  const params = strongFlow(count, latentDim);
  const dots = [...Array(count).keys()].map((k) =>
    tf.sum(tf.mul(params[k].u, params[k].w)).dataSync()[0]
  );
  assert.ok(dots.some((d) => d < -1), "one layer needs the constraint");
  for (const z of [[0, 0], [1, -2], [-0.3, 0.7]]) {
    const { latents, logDet } = planarFlow(params, tf.tensor2d([z]));
    const mapped = [...latents.dataSync()];
    const h = 1e-5;
    const column = (i: number) => {
      const moved = (sign: number) =>
        reference(params, z.map((v, j) => v + (i === j ? sign * h : 0)), count);
      return moved(1).map((v, j) => (v - moved(-1)[j]) / (2 * h));
    };
    const [a, c] = [column(0), column(1)];
    const expected = Math.log(a[0] * c[1] - a[1] * c[0]); // positive: each layer keeps the orientation
    reference(params, z, count).forEach((v, i) => assert.ok(Math.abs(v - mapped[i]) < 1e-5));
    assert.ok(Math.abs(logDet.dataSync()[0] - expected) < 1e-4 * Math.max(1, Math.abs(expected)));
  }
});

Deno.test("planarFlow() carries a density of mass one", async () => {
  await tf.setBackend("cpu");
  // Push a fine grid of N(0, I) through the flow: the area that each cell is mapped to, by the log-determinant, times the
  // density there must be the cell's mass; so the mapped area over the plane is the integral of |det|.
  const [count, side, half] = [3, 161, 4];
  const params = strongFlow(count, 2);
  const step = 2 * half / (side - 1);
  const axis = Array.from({ length: side }, (_, i) => -half + i * step);
  const points = axis.flatMap((x) => axis.map((y) => [x, y]));
  const { latents, logDet } = planarFlow(params, tf.tensor2d(points));
  const mapped = latents.arraySync();
  const dets = logDet.dataSync<"float32">();
  // Signed area of the mapped boundary polygon (shoelace) against the integral of the determinant.
  const boundary = [
    ...axis.map((_, i) => mapped[i * side]),
    ...axis.map((_, j) => mapped[(side - 1) * side + j]),
    ...axis.map((_, i) => mapped[(side - 1 - i) * side + side - 1]),
    ...axis.map((_, j) => mapped[side - 1 - j]),
  ];
  const area = boundary.reduce((sum, [x, y], i) => {
    const [nx, ny] = boundary[(i + 1) % boundary.length];
    return sum + (x * ny - nx * y) / 2;
  }, 0);
  const weight = (i: number) => (i === 0 || i === side - 1 ? 0.5 : 1);
  const integral = dets.reduce(
    (sum: number, d: number, i: number) =>
      sum + Math.exp(d) * weight(Math.floor(i / side)) * weight(i % side) * step ** 2,
    0,
  );
  // Trapezoid and polygon are both of second order in the step, 0.05, on curvatures of about w^2 = 2: 5e-3.
  assert.ok(Math.abs(integral / area - 1) < 5e-3, `${integral} ${area}`);
});

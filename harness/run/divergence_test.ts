import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { keyOf } from "../core/noise.ts";
import { NotFiniteError, type StepAtFault } from "../core/not_finite.ts";
import { startStopwatch } from "../core/stopwatch.ts";
import type { PureFunction } from "../core/types.ts";
import { openDevice } from "../engine/device.ts";
import { TINY_DATASET } from "../testing/tiny.ts";
import { describeFault, traceDivergence } from "./divergence.ts";
import { train } from "./train.ts";

/** Gradient ascent on w^4 / 4: w grows as w + w^3, and is infinite after a few steps. */
const step: PureFunction = ({ state }) => {
  const w = state.w as tf.Scalar;
  const gradient = tf.grad((w) => tf.div(tf.pow(w, 4), 4) as tf.Scalar)(w);
  return { state: { ...state, w: tf.add(w, gradient) }, outputs: { size: tf.abs(w) } };
};

const scalar = { shape: [], dtype: "float32" } as const;
const batchSize = 1;

Deno.test("traceDivergence() has the norms of the last finite step, as computed by hand", async () => {
  await using device = await openDevice("cpu", { threads: 1 });
  const images = await TINY_DATASET.load("train");
  const [shape, rows] = [[batchSize, 2, 3, 1], [batchSize]];
  const specs = {
    state: { w: scalar, rest: { shape: [2], dtype: "float32" } },
    inputs: {
      images: { shape, dtype: "float32" },
      rows: { shape: rows, dtype: "int32" },
      step: { shape: [], dtype: "int32" },
    },
  } as const;
  const options = {
    images,
    trainCount: images.count,
    batchSize,
    orderKey: keyOf(0),
    stopwatch: startStopwatch(),
  };
  const start = async () => ({
    epoch: 0,
    chains: {},
    state: await device.upload({
      w: { ...scalar, data: Float32Array.of(2) },
      rest: { shape: [2], dtype: "float32", data: Float32Array.of(3, 4) },
    }),
  });
  const fault: StepAtFault = await (async () => {
    await using program = await device.compile(step, specs);
    try {
      await Array.fromAsync(train(await start(), { ...options, program, epochs: 3 }));
    } catch (error) {
      if (error instanceof NotFiniteError && error.at) return error.at;
      throw error;
    }
    throw new Error("did not diverge");
  })();
  const divergence = await traceDivergence(await start(), {
    ...options,
    device,
    step,
    specs,
    fault,
  });
  // 2, 10, 1010, 1010 + 1010^3, 1.09e27, and 1.3e81, which float32 does not reach: the change of step 5.
  assert.deepEqual([divergence.step, divergence.metrics], [6, { size: null }]);
  assert.ok(Math.abs((divergence.lastFinite?.size ?? 0) / 1.0943e27 - 1) < 1e-3);
  const { norms } = divergence;
  assert.ok(norms);
  const w = 1010 + 1010 ** 3;
  assert.deepEqual([norms.step, norms.state], [4, { w: Math.fround(w), rest: 5 }]);
  assert.deepEqual(Object.keys(norms.gradient), ["w"]);
  assert.ok(Math.abs(norms.gradient.w / w ** 3 - 1) < 1e-6);
  assert.ok(Math.abs(norms.change.w / w ** 3 - 1) < 1e-6 && norms.change.rest === 0);
});

Deno.test("describeFault() keeps finite metrics and marks the others", () => {
  const fault = {
    epoch: 0,
    step: 2,
    metrics: { loss: NaN, sigma: 0.5 },
    before: { loss: 7, sigma: 0.6 },
  };
  assert.deepEqual(describeFault(fault), {
    step: 2,
    metrics: { loss: null, sigma: 0.5 },
    lastFinite: { loss: 7, sigma: 0.6 },
    norms: null,
  });
  assert.equal(describeFault({ epoch: 0, step: 1, metrics: {} }).lastFinite, null);
});

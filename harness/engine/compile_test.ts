/** Whole steps: loops, noise, state fed back, memory. */
import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import * as tf from "@tensorflow/tfjs";
import { createNoise, keyOf } from "../noise.ts";
import type { Device, HostArray, HostArrays, PureFunction } from "../types.ts";
import { openEager } from "./eager.ts";
import { blockSize, compileOnnx, openOnnxRuntime } from "./ort.ts";
import { repeat } from "./repeat.ts";

/** Issue 2, part 1: relative error of a state after three steps. */
const STATE_TOLERANCE = 1e-4;

const BATCH = 12;
const LATENT = 8;

function filled(shape: number[], scale: number): HostArray {
  const size = shape.reduce((a, b) => a * b, 1);
  return {
    shape,
    dtype: "float32",
    data: Float32Array.from({ length: size }, (_, i) => scale * Math.sin(1 + i * 1.7)),
  };
}

const STATE: HostArrays = {
  w0: filled([4, 4, 32, LATENT], 0.2),
  b0: filled([32], 0.1),
  w1: filled([4, 4, 16, 32], 0.1),
  w2: filled([3, 3, 16, 1], 0.2),
  frozen: filled([LATENT, LATENT], 0.3),
};
const inputs = (step: number): HostArrays => ({
  images: filled([BATCH, 8, 8, 1], 1),
  step: { shape: [], dtype: "int32", data: Int32Array.of(step) },
});

type Weights = Readonly<Record<string, tf.Tensor>>;

function decode(p: Weights, z: tf.Tensor): tf.Tensor {
  const n = z.shape[0];
  const pad = (
    k: number,
  ): [[number, number], [number, number], [number, number], [number, number]] => [[0, 0], [k, k], [
    k,
    k,
  ], [0, 0]];
  const h0 = tf.add(
    tf.conv2dTranspose(
      tf.reshape(z, [n, 1, 1, LATENT]) as tf.Tensor4D,
      p.w0 as tf.Tensor4D,
      [n, 4, 4, 32],
      1,
      pad(0),
    ),
    p.b0,
  );
  const h1 = tf.conv2dTranspose(
    tf.mul(h0, tf.sigmoid(h0)) as tf.Tensor4D,
    p.w1 as tf.Tensor4D,
    [n, 8, 8, 16],
    2,
    pad(1),
  );
  return tf.conv2d(tf.leakyRelu(h1) as tf.Tensor4D, p.w2 as tf.Tensor4D, 1, pad(1));
}

/** Langevin in the latents, then a gradient step on the weights: the shape of ABP. */
const langevinStep: PureFunction = ({ state, inputs: { images, step } }) => {
  const noise = createNoise(keyOf(5), step as tf.Scalar);
  const energy = (p: Weights) => (z: tf.Tensor) =>
    tf.add(
      tf.sum(tf.squaredDifference(decode(p, z), images)),
      tf.mul(0.5, tf.sum(tf.square(tf.matMul(z as tf.Tensor2D, state.frozen as tf.Tensor2D)))),
    );
  const { z } = repeat(
    5,
    { z: noise.split("start").normal([BATCH, LATENT]) },
    ({ z }, { xi }) => ({
      z: tf.add(tf.sub(z, tf.mul(0.01, tf.grad(energy(state))(z))), tf.mul(Math.sqrt(0.02), xi)),
    }),
    { xi: noise.split("chain").normal([5, BATCH, LATENT]) },
  );
  const names = ["w0", "b0", "w1", "w2"];
  const loss = (...weights: tf.Tensor[]) =>
    energy(Object.fromEntries(names.map((name, i) => [name, weights[i]])))(z) as tf.Scalar;
  const { value, grads } = tf.valueAndGrads(loss)(names.map((name) => state[name]));
  return {
    state: {
      ...state,
      ...Object.fromEntries(
        names.map((name, i) => [name, tf.sub(state[name], tf.mul(1e-4, grads[i]))]),
      ),
    },
    outputs: { loss: value },
  };
};

async function states(
  device: Device,
  program: Awaited<ReturnType<Device["compile"]>>,
  steps: number,
): Promise<HostArrays> {
  let state = await device.upload(STATE);
  for (let step = 0; step < steps; step++) ({ state } = await program.run(state, inputs(step)));
  return await device.download(state);
}

Deno.test("compile() agrees with eager tfjs after three steps, with and without blocks and chunks", async () => {
  await using eager = await openEager("tfjs-cpu", "cpu");
  const specs = { state: STATE, inputs: inputs(0) };
  const expected = await states(eager, await eager.compile(langevinStep, specs), 3);
  for (const block of [0, await blockSize()]) {
    for (const [batch, chunkElements] of [[0, 1], [BATCH, 2 * 8 * 8 * 16]]) {
      await using device = await openOnnxRuntime({ threads: 1 });
      await using program = await compileOnnx(langevinStep, specs, {
        threads: 1,
        block,
        batch,
        pieceElements: batch ? 300 : undefined,
        chunks: { wide: 1, elements: chunkElements, minPositions: 1, minDepth: 1 },
      });
      const actual = await states(device, program, 3);
      for (const [name, { data }] of Object.entries(expected)) {
        const values: number[] = [...data];
        const scale = Math.max(...values.map(Math.abs));
        const error = Math.max(...values.map((x, i) => Math.abs(x - actual[name].data[i]))) / scale;
        assert(
          error <= STATE_TOLERANCE,
          `${name}, block ${block}, batch ${batch}: relative error ${error}`,
        );
      }
      assert.notDeepEqual(actual.w1.data, STATE.w1.data); // it moved
      assert.deepEqual(actual.frozen.data, STATE.frozen.data); // to the byte
    }
  }
});

Deno.test("Program.run() gives the same bits again, and others at another step", async () => {
  await using device = await openOnnxRuntime({ threads: 2 });
  await using program = await device.compile(langevinStep, { state: STATE, inputs: inputs(0) });
  const run = async (step: number) =>
    (await program.run(await device.upload(STATE), inputs(step))).outputs.loss.data[0];
  assert.equal(await run(0), await run(0));
  assert.notEqual(await run(0), await run(1));
});

Deno.test("Program.run() refuses arrays of another shape or type, by name", async () => {
  await using device = await openOnnxRuntime({ threads: 1 });
  await using program = await device.compile(langevinStep, { state: STATE, inputs: inputs(0) });
  const state = await device.upload(STATE);
  await assert.rejects(
    () => program.run(state, { ...inputs(0), images: filled([3, 8, 8, 1], 1) }),
    /input "images" should be float32 \[12,8,8,1\], it is float32 \[3,8,8,1\]/,
  );
  await assert.rejects(
    () => program.run(state, { images: inputs(0).images }),
    /input "step" should be int32 \[\], it is missing/,
  );
});

Deno.test("Program.run() leaves resident memory flat over 1,000 steps", async () => {
  await using device = await openOnnxRuntime({ threads: 1 });
  await using program = await device.compile(langevinStep, { state: STATE, inputs: inputs(0) });
  let state = await device.upload(STATE);
  // Collected before each reading, so that only what is held counts.
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const resident = () => (collect(), collect(), Deno.memoryUsage().rss);
  let early = 0;
  for (let step = 0; step < 1000; step++) {
    ({ state } = await program.run(state, inputs(step)));
    if (step === 100) early = resident();
  }
  // Issue 2, part 1: less than 5 % growth after step 100.
  const growth = resident() / early - 1;
  assert(
    growth < 0.05,
    `resident memory grew by ${(100 * growth).toFixed(1)} % between steps 100 and 1,000`,
  );
});

/**
 * `deno task bench:winograd`: does Winograd's minimal filtering pay for the 4x4 convolutions of stride 2? Each is a 2x2 convolution of the four phases of
 * its image side by side as channels. F(2x2, 2x2) needs 9 products for four outputs instead of 16 (Lavin and Gray 2016), but
 * transforms images and results, here by operations of the graph. The filter is transformed once for many images, as in a
 * Langevin chain. Prints milliseconds of both forms.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { availableParallelism } from "node:os";
import { fillNoise, keyOf } from "../core/noise.ts";
import type { Device, HostArray, PureFunction } from "../core/types.ts";
import { readWords } from "./arguments.ts";
import { runProgram } from "./programs.ts";
import { median } from "../statistics/summary.ts";
import { openOnnxRuntime } from "../engine/onnx/ort.ts";

const IMAGES = 100;
/** Layers of the encoder with 32x32 images: height and width of the image, channels in and out. */
const LAYERS = [[34, 64, 128], [18, 128, 256], [10, 256, 512]] as const;
const RUNS = 15;
const WARM_UPS = 2;

/** d0 - d1, d1, d1 - d2 along `axis`, where d0, d1, d2 are every second element from 0, 1, 2: B^T d of F(2, 2). */
function inputTransform(d: tf.Tensor, axis: number): tf.Tensor[] {
  const count = (d.shape[axis] - 1) / 2;
  const [d0, d1, d2] = [0, 1, 2].map((from) => {
    const begin = d.shape.map((_, i) => i === axis ? from : 0);
    const end = d.shape.map((size, i) => i === axis ? from + 2 * count - 1 : size);
    return tf.stridedSlice(d, begin, end, d.shape.map((_, i) => i === axis ? 2 : 1));
  });
  return [tf.sub(d0, d1), d1, tf.sub(d1, d2)];
}

/** g0, g0 + g1, g1: G g of F(2, 2). */
function filterTransform(g: tf.Tensor, axis: number): tf.Tensor[] {
  const [g0, g1] = tf.split(g, 2, axis);
  return [g0, tf.add(g0, g1), g1];
}

/** m0 + m1 and m1 - m2, in turn along `axis`: A^T m of F(2, 2). */
function outputTransform([m0, m1, m2]: tf.Tensor[], axis: number): tf.Tensor {
  const [even, odd] = [tf.add(m0, m1), tf.sub(m1, m2)];
  const shape = even.shape.map((size, i) => i === axis ? 2 * size : size);
  return tf.reshape(tf.stack([even, odd], axis + 1), shape);
}

/** Filter [4, 4, c, k] as nine matrices [9, 4 c, k] of products. */
function transformedFilter(w: tf.Tensor): tf.Tensor {
  const [, , c, k] = w.shape;
  const phases = tf.transpose(tf.reshape(w, [2, 2, 2, 2, c, k]), [0, 2, 1, 3, 4, 5]);
  const nine = filterTransform(tf.reshape(phases, [2, 2, 4 * c, k]), 0)
    .flatMap((row) => filterTransform(row, 1));
  return tf.reshape(tf.stack(nine), [9, 4 * c, k]);
}

/** Tiles of two outputs along an image of `size`, padded by 2. */
function tilesAlong(size: number): number {
  return ((size + 4) / 2 - 1) / 2;
}

/** The convolution of x [n, h, w, c], padded by 2, from the transformed filter. */
function winograd(x: tf.Tensor, nine: tf.Tensor): tf.Tensor {
  const [n, h, , c] = x.shape;
  const half = (h + 4) / 2;
  const tiles = tilesAlong(h);
  const padded = tf.pad(x, [[0, 0], [2, 2], [2, 2], [0, 0]]);
  const phases = tf.reshape(
    tf.transpose(tf.reshape(padded, [n, half, 2, half, 2, c]), [0, 1, 3, 2, 4, 5]),
    [n, half, half, 4 * c],
  );
  const tilesByProduct = inputTransform(phases, 1).flatMap((row) => inputTransform(row, 2))
    .map((v) => tf.reshape(v, [n * tiles * tiles, 4 * c]));
  const products = tf.unstack(tf.matMul(tf.stack(tilesByProduct), nine))
    .map((m) => tf.reshape(m, [n, tiles, tiles, nine.shape[2] ?? 0]));
  const rows = [0, 1, 2].map((a) => outputTransform(products.slice(3 * a, 3 * a + 3), 2));
  return outputTransform(rows, 1);
}

function random(shape: readonly number[]): HostArray {
  const data = new Float32Array(shape.reduce((a, b) => a * b));
  fillNoise(data, {
    key: keyOf(shape[0]),
    counters: Int32Array.of(0),
    width: data.length,
    kind: "normal",
  });
  return { shape, dtype: "float32", data };
}

const HELP = `Usage: deno task bench:winograd

Times the strided convolutions of the 32x32 networks directly and by Winograd's minimal filtering, for ${IMAGES} images.`;

if (import.meta.main) {
  readWords(HELP);
  await runProgram(main);
}

async function main(): Promise<void> {
  await using device = await openOnnxRuntime({ threads: availableParallelism() });
  console.log(
    "| layer | direct | Winograd | its 9 products alone | filter | relative difference |",
  );
  console.log("|---|---|---|---|---|---|");
  for (const [size, channels, filters] of LAYERS) {
    const tiles = IMAGES * tilesAlong(size) ** 2;
    const x = random([IMAGES, size, size, channels]);
    const w = random([4, 4, channels, filters]);
    const nine = random([9, 4 * channels, filters]);
    const v = random([9, tiles, 4 * channels]);
    const direct = await measure(device, { x, w }, ({ x, w }) => sums(strided(x, w)));
    const whole = await measure(
      device,
      { x, w },
      ({ x, w }) => sums(winograd(x, transformedFilter(w))),
    );
    const reused = await measure(device, { x, nine }, ({ x, nine }) => sums(winograd(x, nine)));
    const products = await measure(device, { v, nine }, ({ v, nine }) => sums(tf.matMul(v, nine)));
    const scale = Math.max(...direct.y.map(Math.abs));
    const difference = Math.max(...whole.y.map((value, i) => Math.abs(value - direct.y[i]))) /
      scale;
    const cells = [
      `${size}x${size}x${channels} to ${filters}`,
      ...[direct.ms, reused.ms, products.ms, whole.ms - reused.ms].map((ms) =>
        `${ms.toFixed(1)} ms`
      ),
      difference.toExponential(1),
    ];
    console.log(`| ${cells.join(" | ")} |`);
  }
}

/** The convolution as the networks have it. */
function strided(x: tf.Tensor, w: tf.Tensor): tf.Tensor {
  const pads: [number, number] = [2, 2];
  return tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 2, [[0, 0], pads, pads, [0, 0]]);
}

/** Sums over all axes but the channels, so that little is copied to the host. */
function sums(y: tf.Tensor): tf.Tensor {
  return tf.sum(y, [...y.shape.keys()].slice(0, -1));
}

/** Median milliseconds of a compiled function, and its result. */
async function measure<K extends string>(
  device: Device,
  inputs: Readonly<Record<K, HostArray>>,
  fn: (inputs: Readonly<Record<K, tf.Tensor>>) => tf.Tensor,
): Promise<{ ms: number; y: number[] }> {
  const pure: PureFunction = (given) => ({
    state: {},
    outputs: { y: fn(given.inputs as Record<K, tf.Tensor>) },
  });
  await using program = await device.compile(pure, { state: {}, inputs });
  const state = await device.upload({});
  const times: number[] = [];
  let y: number[] = [];
  for (let i = 0; i < WARM_UPS + RUNS; i++) {
    const begun = performance.now();
    const { outputs } = await program.run(state, inputs);
    if (i >= WARM_UPS) times.push(performance.now() - begun);
    y = [...outputs.y.data];
  }
  return { ms: median(times), y };
}

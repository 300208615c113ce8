/**
 * `deno task bench:step`: times a training step of every method with the paper's 32x32 networks and batch size 100, and a
 * 2048 x 2048 float32 matrix product of the same runtime, alternately in one process. Each method has its own process, so
 * peak memory is per method.
 *
 * FLOPs come from `Model.flops`, which counts a transposed convolution at its input size including the cropped border. The
 * engine does not compute the border, so a fraction may exceed 1.
 *
 * @module
 */
import { cpus } from "node:os";
import * as tf from "@tensorflow/tfjs";
import { fillNoise, keyOf } from "../core/noise.ts";
import { openDevice } from "../engine/device.ts";
import { readHloProgram, workOf } from "../engine/xla/hlo_program.ts";
import type { XlaProgram } from "../engine/xla/pjrt.ts";
import { PjrtError } from "../engine/xla/pjrt_api.ts";
import { shuffledRows } from "../core/row_order.ts";
import { median } from "../statistics/summary.ts";
import { createFeed } from "../run/train.ts";
import type { Device, HostArray, Method, Problem, Program } from "../core/types.ts";
import { METHODS } from "../../methods/mod.ts";
import { runProgram } from "./programs.ts";
import { prepareStep, readSettings, uniform, WARM_UPS } from "./training_step.ts";
import { checkGpuNumber } from "../experiment/experiment_arguments.ts";
import { readCounts, readOptions } from "./arguments.ts";
import { methodsNamed } from "./tables.ts";

/** Measurement of one method, which a child process prints as one line of JSON. */
interface Measurement {
  readonly method: string;
  /** Floating-point operations per step; absent without a formula. */
  readonly flops?: number;
  /** Seconds of each step and of each matrix product, alternating. */
  readonly steps: readonly number[];
  readonly products: readonly number[];
  /** Size of the product's matrices. */
  readonly product: number;
  /** Calls of NVIDIA's library functions per step as compiled by XLA; empty on other devices. */
  readonly libraryCalls: Readonly<Record<string, number>>;
  readonly trace: number;
  readonly compile: number;
  readonly nodes: number;
  /** Resident set of the process after the steps, bytes. */
  readonly peak: number;
  /** Seconds to draw the noise of a step on the host. */
  readonly noise: number;
  /** Seconds to gather the images of a step from a shuffled set in memory and convert them to floats. */
  readonly feed: number;
  readonly device: string;
}

/** Matrix products between two steps on an accelerator, where a single one is too short to time. */
const PRODUCTS_ON_ACCELERATORS = 8;

const HELP = `Usage: deno task bench:step [options]

Seconds per training step with the paper's networks, and the fraction of the matrix-product rate.

  --methods LIST     comma-separated names, or modules of your own: ./mine.ts; default all
  --steps N          timed steps per method, after two warm-ups (default 5)
  --device NAME      default cpu
  --threads N        default all cores
  --batch N          default 100
  --size 32|64       image size (default 32)
  --channels 1|3     grey or colour images (default 3)
  --latent-dim N     default 64
  --product N        size of the multiplied matrices (default 2048; a large GPU needs 8192)
  --set KEY=VALUE    sets a hyperparameter of every method that has it, e.g. posteriorSteps=10
  --json             raw measurements, one JSON line per method
`;

const options = readOptions(HELP, {
  methods: { type: "string", default: Object.keys(METHODS).join() },
  steps: { type: "string", default: "5" },
  device: { type: "string", default: "cpu" },
  threads: { type: "string", default: String(cpus().length) },
  batch: { type: "string", default: "100" },
  size: { type: "string", default: "32" },
  channels: { type: "string", default: "3" },
  "latent-dim": { type: "string", default: "64" },
  product: { type: "string", default: "2048" },
  set: { type: "string", multiple: true, default: [] },
  child: { type: "string" },
  json: { type: "boolean", default: false },
});

const counts = readCounts({
  steps: options.steps,
  threads: options.threads,
  batch: options.batch,
  size: options.size,
  channels: options.channels,
  "latent-dim": options["latent-dim"],
  product: options.product,
});
const { child: name } = options;
await runProgram(async () => {
  const methods = await methodsNamed(options.methods);
  const method = methods.find((method) => method.name === name);
  await (method === undefined ? table(methods) : child(method));
});

/** Prints the measurement of one method, or its error in one line. */
async function child(method: Method): Promise<void> {
  try {
    console.log(JSON.stringify(await measure(method)));
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    Deno.exitCode = 1;
  }
}

/** Runs a child for each method and prints the table. */
async function table(methods: readonly Method[]): Promise<void> {
  checkGpuNumber(options.device);
  readSettings(options.set, methods); // report a wrong --set once, not in every child
  const rows: Measurement[] = [];
  for (const [i, { name }] of methods.entries()) {
    console.error(`${name} (${i + 1} of ${methods.length}) ...`);
    const { code, stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["task", "--quiet", "bench:step", "--child", name, ...Deno.args],
      stderr: "inherit",
    }).output();
    if (code !== 0) {
      console.error(`${name} failed: see its message above`);
      Deno.exitCode = 1;
      continue;
    }
    rows.push(JSON.parse(new TextDecoder().decode(stdout)));
    if (options.json) console.log(JSON.stringify(rows.at(-1)));
  }
  if (!options.json && rows.length > 0) console.log(format(rows, methods));
}

function format(rows: readonly Measurement[], methods: readonly Method[]): string {
  const labels = new Map(methods.map(({ name, label }) => [name, label]));
  const header = [
    "| method | s/step | GFLOP | GFLOP/s | matrix product | fraction | noise | feed | trace + compile | nodes | peak memory |",
    "|---|---|---|---|---|---|---|---|---|---|---|",
  ];
  const lines = rows.map((r) => {
    const step = median(r.steps);
    const product = 2 * r.product ** 3 / median(r.products) / 1e9;
    return `| ${
      [
        labels.get(r.method),
        `${seconds(step)} (${seconds(Math.min(...r.steps))} to ${seconds(Math.max(...r.steps))})`,
        ...rateCells(r, `${product.toFixed(0)} GFLOP/s`),
        `${(100 * r.noise / step).toFixed(1)} %`,
        `${(100 * r.feed / step).toFixed(2)} %`,
        `${(r.trace + r.compile).toFixed(1)} s`,
        String(r.nodes),
        `${(r.peak / 1e9).toFixed(2)} GB`,
      ].join(" | ")
    } |`;
  });
  const { batch, size, channels, threads } = options;
  const machine = `${cpus()[0].model}, ${threads} threads; ${
    rows[0].device
  }; batch ${batch}, ${size}x${size}x${channels}, latent ${options["latent-dim"]}; median of ${
    rows[0].steps.length
  } steps (minimum to maximum)`;
  return [...header, ...lines, "", machine].join("\n");
}

/** Cells GFLOP, GFLOP/s, matrix product and fraction, with dashes for methods without a formula. */
function rateCells(
  { flops, steps, products, product }: Measurement,
  productRate: string,
): string[] {
  if (flops === undefined) return ["–", "–", productRate, "–"];
  // Ratios per pair, so that a drift of the machine's speed cancels.
  const fraction = median(steps.map((s, i) => flops / s / (2 * product ** 3 / products[i])));
  const rate = flops / median(steps) / 1e9;
  return [(flops / 1e9).toFixed(0), rate.toFixed(0), productRate, fraction.toFixed(2)];
}

/** Formats seconds with three significant digits, or two decimals from 1 s. */
function seconds(value: number): string {
  return value >= 1 ? value.toFixed(2) : value.toPrecision(3);
}

async function measure(method: Method): Promise<Measurement> {
  const training = prepareStep(method, {
    image: { height: counts.size, width: counts.size, channels: counts.channels },
    batchSize: counts.batch,
    overrides: { latentDim: counts["latent-dim"], ...readSettings(options.set, [method]) },
  });
  await using device = await openDevice(options.device, { threads: counts.threads });
  const inputs = training.inputs();
  let state = await device.upload(await training.initial());
  await using program = await device.compile(training.fn, {
    state: state.specs,
    inputs: training.specs,
  });
  await using product = await matrixProduct(device);
  const steps: number[] = [];
  const products: number[] = [];
  for (let i = 0; i < WARM_UPS + counts.steps; i++) {
    inputs.step.data[0] = i;
    const begun = performance.now();
    ({ state } = await program.run(state, inputs));
    const between = performance.now();
    await product();
    if (i < WARM_UPS) continue;
    steps.push((between - begun) / 1000);
    products.push((performance.now() - between) / 1000 / product.count);
  }
  const { traceSeconds, compileSeconds, nodes } = program.compiled;
  return {
    method: method.name,
    flops: training.flops,
    steps,
    products,
    product: counts.product,
    libraryCalls: "optimized" in program ? libraryCalls(program as XlaProgram) : {},
    trace: traceSeconds,
    compile: compileSeconds,
    nodes,
    // ONNX Runtime keeps its allocations, so this is the peak.
    peak: Deno.memoryUsage().rss,
    noise: noiseSeconds(program),
    feed: feedSeconds(training.problem),
    device: device.description,
  };
}

/** Compiles `count` successive matrix products of the same runtime, with operands on the device. */
async function matrixProduct(device: Device) {
  const size = counts.product;
  const count = device.name === "cpu" ? 1 : PRODUCTS_ON_ACCELERATORS;
  const operand: HostArray = {
    shape: [size, size],
    dtype: "float32",
    data: uniform(size ** 2).map((x) => x * 2 / size), // rows sum to about 1, so products keep their scale
  };
  const program = await device.compile(
    ({ state: { a, b } }) => {
      let c = b as tf.Tensor2D;
      for (let i = 0; i < count; i++) c = tf.matMul(a as tf.Tensor2D, c);
      return { state: { c }, outputs: { corner: tf.slice(c, [0, 0], [1, 1]) } }; // reading it waits for the product
    },
    { state: { a: operand, b: operand, c: operand }, inputs: {} },
  );
  let state = await device.upload({ a: operand, b: operand, c: operand });
  return Object.assign(async () => {
    ({ state } = await program.run(state, {}));
  }, { count, [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() });
}

/** Calls of NVIDIA's libraries by function; empty if the plugin does not return the program in a known format. */
function libraryCalls(program: XlaProgram): Readonly<Record<string, number>> {
  try {
    return workOf(readHloProgram(program.optimized())).libraryCalls;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof PjrtError) return {};
    throw error;
  }
}

/** Seconds to draw the noise that enters the program in each step. */
function noiseSeconds(program: Program): number {
  const count = program.compiled.noiseCount;
  if (!count) return 0;
  const out = new Float32Array(count);
  const times = Array.from({ length: 3 }, (_, counter) => {
    const begun = performance.now();
    fillNoise(out, {
      key: keyOf(3),
      counters: Int32Array.of(counter),
      width: count,
      kind: "normal",
    });
    return (performance.now() - begun) / 1000;
  });
  return median(times);
}

/** Seconds to feed one step with shuffled images from a set of the problem's size. */
function feedSeconds({ image, trainCount, batchSize }: Problem): number {
  const pixels = new Uint8Array(trainCount * image.height * image.width * image.channels).fill(128);
  const feed = createFeed({ images: { image, count: trainCount, pixels, sha256: "" }, batchSize });
  const order = shuffledRows(keyOf(4), 0, trainCount);
  const times = Array.from({ length: 21 }, (_, step) => {
    const begun = performance.now();
    feed(order.subarray(step * batchSize, (step + 1) * batchSize), step);
    return (performance.now() - begun) / 1000;
  });
  return median(times);
}

/**
 * `deno task bench:fid`: times the features, the covariance and the trace of the FID on this machine and measures their
 * memory. It uses random weights, on which the speed does not depend.
 *
 * @module
 */
import { cpus } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { encodeModel } from "../formats/onnx_model.ts";
import { openStatistics } from "../metrics/fid/covariance.ts";
import { openFeatureExtractor, type Split } from "../metrics/fid/feature_extractor.ts";
import { rootTrace } from "../metrics/fid/frechet.ts";
import { FEATURE_COUNT } from "../metrics/fid/inception_network.ts";
import { inceptionGraph } from "../metrics/fid/inception_onnx.ts";
import { openProduct } from "../linalg/products.ts";
import { readCounts, readOptions } from "./arguments.ts";
import { runProgram } from "./programs.ts";
import { profileInception, type ProfileRow } from "../metrics/fid/inception_profile.ts";
import { hashUniform, randomImage, randomWeights } from "../metrics/fid/random_weights.ts";
import type { Statistics } from "../metrics/fid/feature_statistics.ts";

/** Multiply-adds of the network for an image of 299x299 pixels. */
const MACS = 5_711_168_096;

interface BenchOptions {
  readonly threads: number;
  readonly seconds: number;
  readonly images: number;
}

async function bench({ threads, seconds, images }: BenchOptions): Promise<void> {
  console.log(
    `${cpus()[0]?.model.trim()}, ${threads} threads, load ${Deno.loadavg()[0].toFixed(1)}`,
  );
  using memory = watchMemory();
  const folder = await Deno.makeTempDir();
  try {
    const model = join(folder, "inception.onnx");
    await Deno.writeFile(model, encodeModel(inceptionGraph(randomWeights())));
    const peak = await productRate("float32", threads);
    console.log(`Matrix product, float32          ${peak.toFixed(0)} GMAC/s`);
    await benchFeatures(model, { threads, seconds, peak });
    printProfile(await profileInception(model, { threads, images: 10 }), peak);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  const statistics = await benchCovariance({ threads, images });
  benchTrace(statistics);
  const mebibytes = (memory.peak() / 2 ** 20).toFixed(0);
  console.log(`Peak memory of the process       ${mebibytes} MiB`);
}

/** Times every division of `threads` into sessions. */
async function benchFeatures(
  model: string,
  { threads, seconds, peak }: {
    readonly threads: number;
    readonly seconds: number;
    /** Rate of a matrix product in GMAC/s. */
    readonly peak: number;
  },
): Promise<void> {
  const splits: Split[] = [];
  for (let sessions = 1; sessions <= threads; sessions++) {
    if (threads % sessions === 0) splits.push({ sessions, threads: threads / sessions });
  }
  for (const split of splits) {
    const { rate, perCpuSecond } = await featureRate(model, split, seconds);
    const gmacs = rate * MACS / 1e9;
    console.log(
      `Inception, ${`${split.sessions} sessions x ${split.threads}`.padEnd(21)} ${
        rate.toFixed(1)
      } images/s (${gmacs.toFixed(0)} GMAC/s, ${(gmacs / peak).toFixed(2)} of the product), ${
        perCpuSecond.toFixed(1)
      } per CPU second`,
    );
  }
}

/** Prints the fraction of a session's time per kind of node, and the rates of convolutions relative to the product. */
function printProfile(rows: readonly ProfileRow[], peak: number): void {
  const all = rows.reduce((sum, { seconds }) => sum + seconds, 0);
  for (const { kind, seconds, macs } of rows) {
    if (seconds < 0.005 * all) continue;
    const rate = macs / seconds / 1e9;
    console.log(
      `  ${kind.padEnd(30)} ${(100 * seconds / all).toFixed(1).padStart(4)} % of a session's time${
        macs > 0 ? `, ${rate.toFixed(0)} GMAC/s, ${(rate / peak).toFixed(2)} of the product` : ""
      }`,
    );
  }
}

/** Measures images of 32x32 pixels per second, resized and passed through the network, of wall and processor time. */
async function featureRate(
  model: string,
  split: Split,
  seconds: number,
): Promise<{ readonly rate: number; readonly perCpuSecond: number }> {
  using extractor = await openFeatureExtractor(model, { mode: "tf", split });
  const image = randomImage("bench", 32, 32);
  let running = true;
  async function* images() {
    while (running) yield image;
  }
  const warmUp = 2 * split.sessions;
  let done = 0;
  let clock = startClock();
  for await (const _ of extractor.outputs(images())) {
    if (++done === warmUp) clock = startClock();
    const { wall, cpu } = clock();
    if (wall > seconds && done > 2 * warmUp) {
      running = false;
      return { rate: (done - warmUp) / wall, perCpuSecond: (done - warmUp) / cpu };
    }
  }
  throw new Error("The images ended");
}

async function benchCovariance(
  { threads, images }: { readonly threads: number; readonly images: number },
): Promise<Statistics> {
  const block = 4096;
  const uniform = hashUniform("features", block * FEATURE_COUNT);
  // Variances that fall by orders of magnitude, like Inception's.
  const features = Float32Array.from(uniform, (u, i) => u / (1 + 0.05 * (i % FEATURE_COUNT)));
  const peak = await productRate("float64", threads);
  await using stream = await openStatistics(FEATURE_COUNT, { threads });
  const clock = startClock();
  for (let rest = images; rest > 0; rest -= block) {
    await stream.add(features.subarray(0, Math.min(rest, block) * FEATURE_COUNT));
  }
  const statistics = await stream.finish();
  const { wall: seconds, cpu } = clock();
  const half = images * FEATURE_COUNT * (FEATURE_COUNT + 1) / 2 / 1e9;
  console.log(`Matrix product, float64          ${peak.toFixed(1)} GMAC/s`);
  console.log(
    `Covariance of ${images.toLocaleString("en")} x ${FEATURE_COUNT}      ${
      seconds.toFixed(1)
    } s (${(half / seconds).toFixed(1)} GMAC/s of its lower triangle, ${
      (half / seconds / peak).toFixed(2)
    } of the product), CPU ${cpu.toFixed(1)} s`,
  );
  return statistics;
}

function benchTrace(statistics: Statistics): void {
  const other = { ...statistics, covariance: statistics.covariance.map((x) => 1.3 * x) };
  const clock = startClock();
  rootTrace(statistics, other);
  const { wall, cpu } = clock();
  console.log(
    `Trace of the root, d = ${FEATURE_COUNT}      ${wall.toFixed(1)} s, one thread, CPU ${
      cpu.toFixed(1)
    } s`,
  );
}

/** Measures the rate of a large matrix product in GMAC/s. */
async function productRate(type: "float32" | "float64", threads: number): Promise<number> {
  await using product = await openProduct(type, { over: "rows", threads });
  const n = 1024;
  const data = type === "float32"
    ? new Float32Array(n * n).fill(0.5)
    : new Float64Array(n * n).fill(0.5);
  const matrix = { data: data as Float32Array & Float64Array, rows: n, columns: n };
  await product.run(matrix, matrix);
  const started = performance.now();
  const runs = 8;
  for (let i = 0; i < runs; i++) await product.run(matrix, matrix);
  return runs * n ** 3 / 1e9 / ((performance.now() - started) / 1000);
}

/** Starts a clock of wall time and processor time (all threads), which is more meaningful on a busy machine; seconds. */
function startClock(): () => { readonly wall: number; readonly cpu: number } {
  const started = performance.now();
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before); // microseconds
    return { wall: (performance.now() - started) / 1000, cpu: (user + system) / 1e6 };
  };
}

/** Samples the resident memory of the process ten times per second; `peak` is the maximum in bytes. */
function watchMemory(): { peak(): number } & Disposable {
  let maximum = 0;
  const sample = () => maximum = Math.max(maximum, Deno.memoryUsage().rss);
  const timer = setInterval(sample, 100);
  return {
    peak: () => Math.max(maximum, sample()),
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

const CORES = navigator.hardwareConcurrency;

const HELP = `Usage: deno task bench:fid [options]

Times the features, the covariance and the trace of the FID on this machine.

  --threads N  total number of threads (default: ${CORES})
  --seconds N  seconds for each division into sessions (default: 10)
  --images N   images in the covariance (default: 50000)
`;

if (import.meta.main) {
  const options = readOptions(HELP, {
    threads: { type: "string", default: `${CORES}` },
    seconds: { type: "string", default: "10" },
    images: { type: "string", default: "50000" },
  });
  const { threads, seconds, images } = readCounts({
    threads: options.threads,
    seconds: options.seconds,
    images: options.images,
  });
  await runProgram(() => bench({ threads, seconds, images }));
}

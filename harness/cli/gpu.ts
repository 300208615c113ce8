/**
 * `deno task gpu`: lists the devices of this machine and tests each; fetches XLA's plugins and installs TensorFlow's
 * packages.
 *
 * @module
 */
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { cacheFolder } from "../core/cache_folder.ts";
import { openDevice } from "../engine/device.ts";
import {
  FETCH_FOLDER,
  findCpuPlugin,
  findCudaPlugin,
  nvidiaLibraries,
  PLUGIN_VARIABLE,
} from "../engine/xla/pjrt_find.ts";
import { pipCommand, WHEELS } from "../engine/xla/pjrt_wheels.ts";
import { checkGpuNumber } from "../experiment/experiment_arguments.ts";
import { fillNoise, keyOf } from "../core/noise.ts";
import type { Device, HostArray } from "../core/types.ts";
import { fail, runProgram, runVisibly } from "./programs.ts";
import { readOptions } from "./arguments.ts";

const HELP = `Usage: deno task gpu [options]

Lists the accelerators that were found and tests each for a few seconds.

  --fetch ${Object.keys(WHEELS).join("|")}
                     fetch XLA's plugin by pip into the cache folder, every wheel pinned by SHA-256;
                     cuda13 includes NVIDIA's libraries (2 GB); cuda13-compiler suffices for gpu:compile
                     (260 MB)
  --install tfjs-node|tfjs-node-gpu
                     install TensorFlow's package by its build script, which downloads TensorFlow 2.9;
                     deno task tfjs-node:build uses a later version from PyPI
  --device NAME      test only this device, such as pjrt:PATH
  --help
`;

/** Size of the matrices of the self-test: enough work to keep a GPU busy for a millisecond. */
const SIZE = 2048;
/** Error allowed in a product of standard normal matrices, relative to sqrt(SIZE): TF32 keeps 11 bits. */
const TOLERANCE = 2 ** -9;

const options = readOptions(HELP, {
  fetch: { type: "string" },
  install: { type: "string" },
  device: { type: "string" },
});

await runProgram(async () => {
  if (options.fetch !== undefined) await fetchWheels(options.fetch);
  else if (options.install !== undefined) await installPackage(options.install);
  else {
    if (options.device !== undefined) checkGpuNumber(options.device);
    await report(options.device);
  }
});

async function report(only: string | undefined): Promise<void> {
  if (only === undefined) describe();
  const cpu = findCpuPlugin();
  const names = only === undefined
    ? ["cuda", ...cpu ? [`pjrt:${cpu.path}`] : [], "webgpu", "tfjs-node-gpu", "tfjs-node", "cpu"]
    : [only];
  for (const name of names) {
    try {
      await using device = await openDevice(name, { threads: navigator.hardwareConcurrency });
      console.log(`${name}: ${device.description}: ${await selfTest(device)}`);
    } catch (error) {
      console.log(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      if (only !== undefined) Deno.exitCode = 1;
    }
  }
}

function describe(): void {
  const cuda = findCudaPlugin();
  console.log(
    cuda
      ? `CUDA plugin: ${cuda.path}, ${nvidiaLibraries(cuda).length} NVIDIA libraries beside it`
      : `CUDA plugin: not found in Python environments on the PATH, ${PLUGIN_VARIABLE} or the fetched wheels`,
  );
  const cpu = findCpuPlugin();
  console.log(`XLA's CPU plugin: ${cpu?.path ?? "not found; run deno task gpu --fetch cpu"}`);
}

/** Times a matrix product and checks one row against float64. */
async function selfTest(device: Device): Promise<string> {
  const [a, b] = [1, 2].map((seed): HostArray => {
    const data = new Float32Array(SIZE * SIZE);
    fillNoise(data, {
      key: keyOf(seed),
      counters: Int32Array.of(0),
      width: data.length,
      kind: "normal",
    });
    return { shape: [SIZE, SIZE], dtype: "float32", data };
  });
  const c: HostArray = { ...a, data: new Float32Array(SIZE * SIZE) };
  await using program = await device.compile(
    ({ state }) => ({
      state: { ...state, c: tf.matMul(state.a as tf.Tensor2D, state.b as tf.Tensor2D) },
      outputs: { corner: tf.slice(state.c, [0, 0], [1, 1]) },
    }),
    { state: { a, b, c }, inputs: {} },
  );
  let state = await device.upload({ a, b, c });
  ({ state } = await program.run(state, {})); // warm-up
  const begun = performance.now();
  let runs = 0;
  do {
    ({ state } = await program.run(state, {})); // reads one number, which waits for the device
    runs++;
  } while (performance.now() - begun < 2000);
  const seconds = (performance.now() - begun) / 1000 / runs;
  const product = (await device.download(state)).c.data;
  let worst = 0;
  for (let j = 0; j < SIZE; j++) {
    let sum = 0;
    for (let k = 0; k < SIZE; k++) sum += a.data[k] * b.data[k * SIZE + j];
    worst = Math.max(worst, Math.abs(sum - product[j]) / Math.sqrt(SIZE));
  }
  if (worst > TOLERANCE) {
    throw new Error(
      `the error of a matrix product must be <= ${TOLERANCE}, got ${worst.toExponential(1)}`,
    );
  }
  const rate = 2 * SIZE ** 3 / seconds / 1e9;
  return `works, ${rate.toFixed(0)} GFLOP/s of float32 matrix product, error ${
    worst.toExponential(1)
  }`;
}

async function fetchWheels(name: string): Promise<void> {
  if (!(name in WHEELS)) {
    fail(`Unknown set "${name}": known sets are ${Object.keys(WHEELS).join(", ")}`, 2);
  }
  const root = cacheFolder(FETCH_FOLDER);
  if (!root) fail("The cache folder is unknown: set XDG_CACHE_HOME", 1);
  const folder = join(root, name);
  await Deno.mkdir(folder, { recursive: true });
  const wheels = WHEELS[name as keyof typeof WHEELS];
  const { list, content, args } = pipCommand(wheels, { folder });
  await Deno.writeTextFile(list, content);
  console.log(`Fetching ${wheels.length} wheels into ${folder}`);
  await runVisibly("python3", args, { what: "Python 3 with pip" });
  console.log("Fetched: run deno task gpu to test it");
}

async function installPackage(name: string): Promise<void> {
  if (name !== "tfjs-node" && name !== "tfjs-node-gpu") {
    fail(`Unknown package "${name}": known packages are tfjs-node, tfjs-node-gpu`, 2);
  }
  const specifier = `npm:@tensorflow/${name}`;
  // The package's script fetches libtensorflow and the binding.
  const args = ["cache", "--no-lock", `--allow-scripts=${specifier}`, `${specifier}@4.22.0`];
  await runVisibly(Deno.execPath(), args, {
    what: "Deno",
    hint: name === "tfjs-node"
      ? "if its script cannot download TensorFlow, deno task tfjs-node:build uses the one from PyPI"
      : "its script downloads TensorFlow from storage.googleapis.com",
  });
  console.log(`Installed: run deno task gpu --device ${name} to test it`);
}

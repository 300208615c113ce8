/**
 * `deno task gpu`: which devices this machine has, with a self-test of each; fetches XLA's plugins and installs
 * TensorFlow's packages.
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
import { fillNoise, keyOf } from "../core/noise.ts";
import type { Device, HostArray } from "../core/types.ts";
import { fail, runVisibly } from "./programs.ts";
import { readWords } from "./arguments.ts";

const HELP = `Usage: deno task gpu [options]

Says which accelerators were found and tests them for some seconds.

  --fetch ${Object.keys(WHEELS).join("|")}
                     fetch XLA's plugin by pip, every wheel pinned by SHA-256, into the cache folder;
                     cuda13 brings NVIDIA's libraries along (2 GB); cuda13-compiler is what gpu:compile
                     needs (260 MB)
  --install tfjs-node|tfjs-node-gpu
                     install TensorFlow's package with its build script, which downloads TensorFlow 2.9;
                     deno task tfjs-node:build takes a later one from PyPI
  --device NAME      test this device only, e.g. pjrt:PATH
  --help
`;

/** The matrix of the self-test: large enough to keep a GPU busy for a millisecond. */
const SIZE = 2048;
/** Error of a product of standard normal matrices against float64, relative to sqrt(SIZE): TF32 keeps 11 bits. */
const TOLERANCE = 2 ** -9;

const words = readWords({
  fetch: { type: "string" },
  install: { type: "string" },
  device: { type: "string" },
  help: { type: "boolean", default: false },
});

if (words.help) console.log(HELP);
else if (words.fetch !== undefined) await fetchWheels(words.fetch);
else if (words.install !== undefined) await installPackage(words.install);
else await report(words.device);

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
      : `CUDA plugin: none on the PATH's Python environments, in ${PLUGIN_VARIABLE}, or fetched`,
  );
  const cpu = findCpuPlugin();
  console.log(`XLA's CPU plugin: ${cpu?.path ?? "none; deno task gpu --fetch cpu"}`);
}

/** A matrix product, checked by one row in float64, then timed. */
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
    ({ state } = await program.run(state, {})); // reads one number back: waits
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
  if (worst > TOLERANCE) throw new Error(`a matrix product is wrong by ${worst.toExponential(1)}`);
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
  if (!root) fail("No folder to fetch into: set XDG_CACHE_HOME to one", 1);
  const folder = join(root, name);
  await Deno.mkdir(folder, { recursive: true });
  const wheels = WHEELS[name as keyof typeof WHEELS];
  const { list, content, args } = pipCommand(wheels, { folder });
  await Deno.writeTextFile(list, content);
  console.log(`Fetching ${wheels.length} wheels into ${folder}`);
  await runVisibly("python3", args, { what: "Python 3 with pip" });
  console.log("Fetched; deno task gpu tests it");
}

async function installPackage(name: string): Promise<void> {
  if (name !== "tfjs-node" && name !== "tfjs-node-gpu") {
    fail(`Unknown package "${name}": known packages are tfjs-node, tfjs-node-gpu`, 2);
  }
  const specifier = `npm:@tensorflow/${name}`;
  // Its script fetches libtensorflow and the binding.
  const args = ["cache", "--no-lock", `--allow-scripts=${specifier}`, `${specifier}@4.22.0`];
  await runVisibly(Deno.execPath(), args, {
    what: "Deno",
    otherwise: name === "tfjs-node"
      ? "where its script cannot download TensorFlow, deno task tfjs-node:build takes that of PyPI"
      : "its script downloads TensorFlow from storage.googleapis.com",
  });
  console.log(`Installed; deno task gpu --device ${name} tests it`);
}

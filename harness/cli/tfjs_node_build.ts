/**
 * `deno task tfjs-node:build`: builds the npm package @tensorflow/tfjs-node with its binding compiled against the
 * TensorFlow of PyPI, instead of the libtensorflow 2.9.1 that its install script downloads from Google's servers. Both
 * use the same stable C API. `--device tfjs-node` finds the result in the cache folder.
 *
 * It needs Python 3 with pip, g++ and 2 GB of disk space, on Linux on x86-64.
 *
 * @module
 */
import { join } from "node:path";
import { cacheFolder } from "../core/cache_folder.ts";
import { pipCommand, type Wheel } from "../engine/xla/pjrt_wheels.ts";
import { BUILD_FOLDER } from "../engine/eager/tfjs_node.ts";
import { fail, runProgram, runVisibly } from "./programs.ts";
import { readWords } from "./arguments.ts";

/** The wheel with the headers of TensorFlow's C API and its libraries. */
const TENSORFLOW: Wheel = [
  "tensorflow-cpu",
  "2.15.1",
  "54660c074d7241a503e81edfd9f5ef5af88f64051b72e2945f26318c790f2d26",
];
/** Tags of the wheel; any version of Python serves, because the libraries do not use it. */
const WHEEL_TAGS = "--python-version=3.11 --implementation=cp --abi=cp311".split(" ");

/** Versions of the package with the source of the binding and of Node-API's headers. */
const PACKAGES = { "@tensorflow/tfjs-node": "4.22.0", "node-api-headers": "1.9.0" };
/** The newest version of Node-API that the package supports (`binary.napi_versions` in its package.json). */
const NAPI_VERSION = 8;

const HELP = `Usage: deno task tfjs-node:build

Builds @tensorflow/tfjs-node ${PACKAGES["@tensorflow/tfjs-node"]} against TensorFlow ${
  TENSORFLOW[1]
} of PyPI, in the cache folder.

  --help
`;

readWords(HELP);
await runProgram(build);

async function build(): Promise<void> {
  const folder = cacheFolder(BUILD_FOLDER);
  if (!folder) fail("The cache folder is unknown: set XDG_CACHE_HOME", 1);
  const wheels = join(folder, "python");
  await Deno.mkdir(wheels, { recursive: true });

  console.log(`Fetching TensorFlow ${TENSORFLOW[1]} into ${wheels}`);
  const { list, content, args } = pipCommand([TENSORFLOW], { folder: wheels });
  await Deno.writeTextFile(list, content);
  await runVisibly("python3", [...args, ...WHEEL_TAGS], { what: "Python 3 with pip" });

  const manifest = { name: "laebench-tfjs-node", private: true, dependencies: PACKAGES };
  await Deno.writeTextFile(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  // This deno.json makes the folder a separate project, whatever folder contains it.
  await Deno.writeTextFile(join(folder, "deno.json"), '{ "nodeModulesDir": "auto" }\n');
  const config = `--config=${join(folder, "deno.json")}`;
  await runVisibly(Deno.execPath(), ["install", "--quiet", "--no-lock", config], { what: "Deno" });

  console.log("Compiling the binding");
  const modules = join(folder, "node_modules");
  const source = join(modules, "@tensorflow", "tfjs-node");
  const target = join(source, "lib", `napi-v${NAPI_VERSION}`);
  await Deno.mkdir(target, { recursive: true });
  const tensorflow = join(wheels, "tensorflow");
  await runVisibly("g++", [
    ..."-std=c++17 -O2 -shared -fPIC -w".split(" "),
    `-DNAPI_VERSION=${NAPI_VERSION}`,
    `-I${source}`,
    `-I${join(tensorflow, "include")}`,
    `-I${join(modules, "node-api-headers", "include")}`,
    join(source, "binding", "tfjs_backend.cc"),
    join(source, "binding", "tfjs_binding.cc"),
    join(tensorflow, "libtensorflow_cc.so.2"),
    join(tensorflow, "libtensorflow_framework.so.2"),
    `-Wl,-rpath,${tensorflow}`,
    `-o${join(target, "tfjs_binding.node")}`,
  ], { what: "GNU's C++ compiler (Debian: g++)" });
  console.log("Built: run deno task gpu --device tfjs-node to test it");
}

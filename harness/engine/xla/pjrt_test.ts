/**
 * Tests the client with XLA's CPU plugin; skipped without the plugin, which `deno task gpu --fetch cpu` fetches.
 * devices_test.ts tests that it computes what tfjs does.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { projectPath } from "../../core/project.ts";
import { createNoise, draws, foldIn, keyOf } from "../../core/noise.ts";
import type { HostArrays, PureFunction } from "../../core/types.ts";
import { openEager } from "../eager/eager.ts";
import { worstError } from "../testing/kernel_cases.ts";
import { readHloProgram } from "./hlo_program.ts";
import { gpuFlags, openPjrt, type XlaProgram } from "./pjrt.ts";
import { loadPlugin } from "./pjrt_api.ts";
import { cachedCompile } from "./pjrt_cache.ts";
import { openClient } from "./pjrt_client.ts";
import type { XlaFlags } from "./pjrt_options.ts";
import { findCpuPlugin } from "./pjrt_find.ts";
import { inputs, langevinStep, STATE, STATE_TOLERANCE, states } from "../testing/step_case.ts";

const path = findCpuPlugin()?.path ?? "";
if (!path) {
  console.log(
    "XLA's CPU plugin was not found, its tests are skipped: run deno task gpu --fetch cpu",
  );
}

function withPlugin(name: string, fn: (t: Deno.TestContext) => Promise<void>): void {
  Deno.test({ name, ignore: !path, fn });
}

withPlugin(
  "openPjrt() agrees with eager tfjs after three steps, and keeps unchanged state bit for bit",
  async () => {
    await using eager = await openEager("tfjs-cpu", "cpu");
    await using device = openPjrt(path, { name: "pjrt", cache: null });
    const specs = { state: STATE, inputs: inputs(0) };
    const expected = await states(eager, await eager.compile(langevinStep, specs), 3);
    await using program = await device.compile(langevinStep, specs);
    const actual = await states(device, program, 3);
    const error = worstError(actual, expected);
    assert(error <= STATE_TOLERANCE, `relative error ${error}`);
    assert.notDeepEqual(actual.w1.data, STATE.w1.data);
    assert.deepEqual(actual.frozen.data, STATE.frozen.data);
    assert.deepEqual(await states(device, program, 3), actual); // the same bits again
  },
);

withPlugin(
  "Program.begin() returns the state before the outputs and computes the same as run()",
  async () => {
    await using device = openPjrt(path, { name: "pjrt", cache: null });
    await using program = await device.compile(langevinStep, { state: STATE, inputs: inputs(0) });
    const losses = async (ahead: boolean) => {
      let state = await device.upload(STATE);
      const all: Promise<HostArrays>[] = [];
      const fed = { ...inputs(0), step: { ...inputs(0).step, data: Int32Array.of(0) } };
      for (let step = 0; step < 4; step++) {
        fed.step.data[0] = step;
        const result = ahead ? program.begin!(state, fed) : await program.run(state, fed);
        state = result.state;
        fed.step.data[0] = -1; // the device has a copy
        all.push(Promise.resolve(result.outputs));
      }
      return [await Promise.all(all), await device.download(state)];
    };
    assert.deepEqual(await losses(true), await losses(false));
    assert.throws(
      () => program.begin!({ specs: {} }, inputs(0)),
      /state "w0" must be float32 .* got nothing/,
    );
  },
);

withPlugin("openPjrt() draws the same bits as noise.ts", async () => {
  const fn: PureFunction = ({ inputs: { step } }) => {
    const noise = createNoise(keyOf(3), step as tf.Scalar);
    return {
      outputs: {
        uniform: noise.split("u").uniform([1001]),
        normal: noise.split("n").normal([1001]),
      },
    };
  };
  const step = { shape: [], dtype: "int32" as const, data: Int32Array.of(123) };
  await using device = openPjrt(path, { name: "pjrt", cache: null });
  await using program = await device.compile(fn, { state: {}, inputs: { step } });
  const { outputs } = await program.run(await device.upload({}), { step });
  const expect = (name: string, kind: "uniform" | "normal") =>
    draws(foldIn(keyOf(3), name), { counter: 123, count: 1001, kind });
  assert.deepEqual(outputs.uniform.data, expect("u", "uniform"));
  // Two evaluations of one formula, each within 1e-6 of exact arithmetic (noise.ts).
  expect("n", "normal").forEach((v, i) => assert(Math.abs(v - outputs.normal.data[i]) <= 2e-6));
});

withPlugin("Program.run() refuses arrays of the wrong shape and names them", async () => {
  await using device = openPjrt(path, { name: "pjrt", cache: null });
  const twice: PureFunction = ({ inputs: { x } }) => ({ outputs: { y: tf.mul(x, 2) } });
  const x = (size: number) => ({
    shape: [size],
    dtype: "float32" as const,
    data: new Float32Array(size),
  });
  await using program = await device.compile(twice, { state: {}, inputs: { x: x(3) } });
  const state = await device.upload({});
  await assert.rejects(
    () => program.run(state, { x: x(4) }),
    /input "x" must be float32 \[3\], got float32 \[4\]/,
  );
});

withPlugin("Client frees buffers on request, on donation, and at disposal", async () => {
  using client = openClient(loadPlugin(path), {});
  const program = [
    "module @m {",
    "func.func public @main(%arg0: tensor<2xf32> {tf.aliasing_output = 0 : i32}, %arg1: tensor<2xf32>) -> (tensor<2xf32>) {",
    "%0 = stablehlo.add %arg0, %arg1 : tensor<2xf32>",
    "return %0 : tensor<2xf32>",
    "}",
    "}",
  ].join("\n");
  const one = { shape: [2], dtype: "float32" as const, data: Float32Array.of(1, 2) };
  using executable = await client.compile(program, { results: [one], donated: [0] }, {});
  let sum = await client.upload(one);
  const step = await client.upload(one);
  for (let i = 0; i < 100; i++) [sum] = executable.run([sum, step]);
  assert.equal(client.bufferCount(), 2);
  const [{ data }] = await client.download([sum]);
  assert.deepEqual([...data], [101, 202]);
  client.free(sum);
  client.free(sum); // a second call has no effect
  assert.equal(client.bufferCount(), 1);
});

withPlugin("readHloProgram() reads the plugin's program of a compiled loop", async () => {
  await using device = openPjrt(path, { name: "pjrt", cache: null });
  await using program = await device.compile(langevinStep, { state: STATE, inputs: inputs(0) });
  const { computations, entry } = readHloProgram((program as XlaProgram).optimized());
  const all = [...computations.values()].flatMap((instructions) => [...instructions.values()]);
  const loops = all.filter(({ opcode }) => opcode === "while");
  assert.ok(
    loops.length >= 1 && loops.every(({ called }) => called.every((id) => computations.has(id))),
  );
  const parameters = [...computations.get(entry)?.values() ?? []]
    .filter(({ opcode }) => opcode === "parameter");
  const bytes = [...Object.values(STATE), ...Object.values(inputs(0))]
    .reduce((sum, { data }) => sum + data.byteLength, 0);
  assert.equal(parameters.reduce((sum, p) => sum + p.bytes, 0), bytes);
});

withPlugin("Client.compile() reports the plugin's error text in one line", async () => {
  using client = openClient(loadPlugin(path), {});
  await assert.rejects(
    () => client.compile("no\nmodule", { results: [], donated: [] }, {}),
    (error: Error) => /^PJRT_Client_Compile: .*(pars|MLIR)[^\n]*$/i.test(error.message),
  );
});

withPlugin("a process that opened a plugin exits with code 0", async () => {
  const open = projectPath("harness/cli/main.ts");
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", `--config=${projectPath("deno.json")}`, open].concat(
      ["device", `pjrt:${path}`],
    ),
  }).output();
  assert.deepEqual([code, new TextDecoder().decode(stderr)], [0, ""]);
});

withPlugin("gpuFlags() uses flags that XLA accepts", async () => {
  using client = openClient(loadPlugin(path), {});
  const program =
    "module @m {\nfunc.func public @main(%arg0: tensor<f32>) -> (tensor<f32>) {\nreturn %arg0 : tensor<f32>\n}\n}\n";
  const compile = (flags: XlaFlags) =>
    client.compile(program, { results: [{ shape: [], dtype: "float32" }], donated: [] }, flags);
  assert.deepEqual(gpuFlags({}), {});
  const flags = gpuFlags({ deterministic: true, cudaDataFolder: "/cuda" });
  assert.deepEqual(Object.keys(flags), ["xla_gpu_deterministic_ops", "xla_gpu_cuda_data_dir"]);
  using _known = await compile(flags);
  await assert.rejects(() => compile({ xla_gpu_no_such_flag: true }), /xla_gpu_no_such_flag/);
});

withPlugin(
  "cachedCompile() loads a cached program, and compiles again if its file is broken",
  async () => {
    const folder = await Deno.makeTempDir();
    try {
      using client = openClient(loadPlugin(path), {});
      const text =
        "module @m {\nfunc.func public @main(%arg0: tensor<f32>) -> (tensor<f32>) {\n%0 = stablehlo.add %arg0, %arg0 : tensor<f32>\nreturn %0 : tensor<f32>\n}\n}\n";
      const scalar = { shape: [], dtype: "float32" as const, data: Float32Array.of(21) };
      const signature = { results: [scalar], donated: [] };
      let compilations = 0;
      const counting = {
        ...client,
        compile: (...args: Parameters<typeof client.compile>) => {
          compilations++;
          return client.compile(...args);
        },
      };
      const compileAndRun = async () => {
        using executable = await cachedCompile(counting, { text, signature, flags: {}, folder });
        const [result] = executable.run([await client.upload(scalar)]);
        return (await client.download([result]))[0].data[0];
      };
      assert.equal(await compileAndRun(), 42);
      assert.equal(await compileAndRun(), 42);
      assert.equal(compilations, 1);
      const [file] = await Array.fromAsync(Deno.readDir(folder));
      const bytes = await Deno.readFile(join(folder, file.name));
      bytes[bytes.length >> 1] ^= 1;
      await Deno.writeFile(join(folder, file.name), bytes);
      assert.equal(await compileAndRun(), 42);
      assert.equal(compilations, 2);
      await cachedCompile(counting, { text: `${text}\n`, signature, flags: {}, folder });
      assert.equal(compilations, 3); // another program
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

withPlugin("runs of bench cache compiled programs and load them the next time", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const options =
      "--preset smoke --methods vae --epochs 1 --images 100 --seeds 0,1 --jobs 2 --threads 1 --force";
    const run = async () => {
      const { code, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["task", "--quiet", "bench", ...options.split(" "), `--device=pjrt:${path}`].concat(
          `--out=${folder}/out`,
        ),
        cwd: projectPath("."),
        env: { XDG_CACHE_HOME: folder, LAEBENCH_DATA: `${folder}/data` }, // folders to which runs may always write
      }).output();
      assert.equal(code, 0, new TextDecoder().decode(stderr));
      const files = await Array.fromAsync(Deno.readDir(join(folder, "laebench", "xla")));
      // A compiled program is written as a new file, so a file with the same inode was loaded.
      return files.map(({ name }) =>
        `${name} ${Deno.statSync(join(folder, "laebench", "xla", name)).ino}`
      ).sort();
    };
    const kept = await run();
    assert.ok(kept.length >= 2, "a step and a generator");
    assert.ok(kept.every((name) => /^[0-9a-f]{64}\.bin /.test(name)), kept.join());
    assert.deepEqual(await run(), kept);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

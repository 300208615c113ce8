/**
 * Tests `deno task gpu:compile` as a user calls it. Skipped without XLA's CUDA plugin and NVIDIA's assembler;
 * `deno task gpu --fetch cuda13-compiler` fetches both.
 */
import assert from "node:assert/strict";
import { GPU_SPECS } from "../engine/xla/gpu_specs.ts";
import { cudaDataFolder, findCudaPlugin } from "../engine/xla/pjrt_find.ts";
import { projectPath } from "../core/project.ts";
import { METHODS } from "../../methods/mod.ts";
import { type Compiled, fullRateSeconds } from "./gpu_compile.ts";

const found = findCudaPlugin();
const ignore = !found || !cudaDataFolder(found);

async function compile(options: string, env: Readonly<Record<string, string>> = {}) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "gpu:compile", ...options.split(" ")],
    cwd: projectPath("."),
    env,
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out, err };
}

Deno.test({
  name: "gpu:compile uses cuDNN for every convolution of a step, with its kinds of gradients",
  ignore,
  async fn() {
    const { code, out, err } = await compile("--methods vae,abp,lae --json");
    assert.equal(code, 0, err);
    const rows: Compiled[] = out.trim().split("\n").map((line) => JSON.parse(line));
    const calls = (name: string) => {
      const { libraryCalls } = rows.find(({ method }) => method === name)!.work;
      const of = (kind: string) =>
        Object.entries(libraryCalls).filter(([key]) => key.startsWith(`__cudnn$conv${kind}`))
          .reduce((sum, [, count]) => sum + count, 0);
      return [of("Forward") + of("Bias"), of("BackwardInput"), of("BackwardFilter")];
    };
    // A generator has three transposed convolutions, which cuDNN computes as input gradients, and one plain convolution;
    // its first layer is a product. Each Langevin step and the update run it forward and backward.
    const steps = Number(METHODS.abp.defaults.posteriorSteps);
    assert.deepEqual(calls("abp"), [(steps + 1) * 4, (steps + 1) * 4, 4]);
    // The encoder has four more; the gradient with respect to the image is not needed.
    assert.deepEqual(calls("vae"), [4 + 4, 4 + 3, 4 + 4]);
    // LAE's encoder runs only forward, since its features are not trained.
    assert.deepEqual(calls("lae"), [4 + 4, 4, 4]);
  },
});

Deno.test({
  name: "gpu:compile prints a table",
  ignore,
  async fn() {
    const { code, out, err } = await compile("--methods abp --batch 2 --gpu a100 --highest");
    assert.deepEqual([code, err], [0, "abp (1 of 1) ...\n"]); // without output of XLA
    assert.match(out, /^\| ABP \| [\d.]+ s \| \d+ \| 84 \| 84 \| 4 \| 47 MB \|/m);
    assert.match(out, /^NVIDIA A100 SXM \(80 GB\); float32 products; batch 2, 32x32x3, latent 64/m);
  },
});

Deno.test("gpu:compile reports an error in one line", async () => {
  const unknown = await compile("--gpu tpu");
  assert.deepEqual([unknown.code, unknown.out], [2, ""]);
  assert.match(unknown.err, /^Unknown GPU "tpu": known GPUs are h200, h100, a100, rtx4090\n$/);
  const folder = await Deno.makeTempDir();
  try {
    const plugin = `${folder}/plugin.so`;
    await Deno.writeTextFile(plugin, "");
    const without = await compile("--methods lae", { LAEBENCH_PJRT_PLUGIN: plugin });
    assert.deepEqual([without.code, without.out], [1, ""]);
    assert.match(
      without.err,
      /^NVIDIA's assembler is missing beside the CUDA plugin: run deno task gpu --fetch cuda13-compiler [^\n]*\n$/,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("fullRateSeconds() is the maximum of product and memory time of convolutions, plus the rest", () => {
  const gpu = { ...GPU_SPECS.h200, bandwidth: 1e12, tf32: 1e14, float32: 1e13 };
  const work = { launches: 5, bytes: 3e9, convolutionBytes: 1e9, libraryCalls: {} };
  const near = (actual: number, expected: number) =>
    assert.ok(Math.abs(actual - expected) < 1e-12, `${actual} is not ${expected}`);
  near(fullRateSeconds(gpu, { flops: 5e11, work, highest: false }), 5e-3 + 2e-3);
  near(fullRateSeconds(gpu, { flops: 5e11, work, highest: true }), 50e-3 + 2e-3);
  near(fullRateSeconds(gpu, { flops: 1e10, work, highest: false }), 1e-3 + 2e-3);
});

/** Executes the densities of docs/targets.md, and holds them to what `deno task check --export` writes. */
import assert from "node:assert/strict";
import { TARGETS } from "../datasets/toy/mod.ts";
import { projectPath } from "../harness/core/project.ts";
import { openDevice } from "../harness/engine/device.ts";
import { withTempDir } from "../harness/testing/temp_dir.ts";
import { exportTarget } from "../harness/toy/export_target.ts";

/** Differences of log densities, and gradients by central differences in float64, as JSON. */
const PROBE = `
import json, sys
import numpy as np
folder = sys.argv[1]
t = json.load(open(folder + "/target.json"))
f = np.load(folder + "/density.npz")
z = f["z"]
value = log_density(z, t)
gradient = np.empty_like(z)
for k in range(z.shape[-1]):
    step = np.zeros(z.shape[-1])
    step[k] = 1e-6
    gradient[..., k] = (log_density(z + step, t) - log_density(z - step, t)) / 2e-6
offset = value - f["log_density"]
scale = 1 + np.abs(f["log_density"])
size = 1 + np.abs(f["gradient"]).max(-1, keepdims=True)
draws = np.load(folder + "/draws.npy")
moment = -np.mean(log_density(draws, t))
print(json.dumps(dict(
    value=float(np.max(np.abs(offset - offset.mean(0)) / scale)),
    gradient=float(np.median(np.max(np.abs(gradient - f["gradient"]) / size, -1))),
    worst=float(np.mean(np.abs(gradient - f["gradient"]) / size > 1e-2)),
    energy=float(moment),
    error=float(np.std(log_density(draws, t)) / np.sqrt(draws.shape[0] * draws.shape[1])),
)))
`;

/** Runs Python; null where it or NumPy is absent. */
async function python(code: string, ...args: readonly string[]): Promise<string | null> {
  try {
    const { success, stdout, stderr } = await new Deno.Command("python3", {
      args: ["-c", code, ...args],
    }).output();
    if (success) return new TextDecoder().decode(stdout);
    const text = new TextDecoder().decode(stderr);
    if (/No module named 'numpy'/.test(text)) return null;
    throw new Error(text);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

const page = await Deno.readTextFile(projectPath("docs/targets.md"));
const densities = new Map(
  [...page.matchAll(/<!-- density: (\w+) -->\n\n```python\n([\s\S]*?)```/g)]
    .map(([, name, code]) => [name, code]),
);
const hasNumpy = await python("import numpy") !== null;
if (!hasNumpy) console.log("docs/targets.md is not executed: python3 with NumPy is absent");

Deno.test("docs/targets.md gives the density of every target in at most twelve lines", () => {
  assert.deepEqual([...densities.keys()], Object.keys(TARGETS));
  for (const [name, code] of densities) assert.ok(code.trim().split("\n").length <= 12, name);
});

for (const [name, target] of Object.entries(TARGETS)) {
  Deno.test({
    name: `the density of ${name} in docs/targets.md is that of the export`,
    ignore: !hasNumpy,
    fn: () =>
      withTempDir(async (dir) => {
        await using device = await openDevice("cpu", { threads: 1 });
        const files = await exportTarget(target, device);
        for (const [file, content] of Object.entries(files)) {
          if (typeof content === "string") await Deno.writeTextFile(`${dir}/${file}`, content);
          else await Deno.writeFile(`${dir}/${file}`, content);
        }
        const output = await python(`import numpy as np\n${densities.get(name)}\n${PROBE}`, dir);
        const { value, gradient, worst, energy, error } = JSON.parse(output ?? "null");
        // float32: sums of some hundred terms of either sign; kinks of ReLU lie between few differences.
        assert.ok(value < 1e-4 && gradient < 1e-3 && worst < 0.02, `${value} ${gradient} ${worst}`);
        // The mean energy of exact draws, up to the constants that logsumexp and the prior leave equal.
        const { meanEnergy } = JSON.parse(String(files["target.json"]));
        assert.ok(
          Math.abs(energy - meanEnergy) < 5 * error + 1e-3,
          `${energy} ${meanEnergy} ${error}`,
        );
      }),
  });
}

import assert from "node:assert/strict";
import { readResults } from "../harness/sweep/store.ts";
import { fashion4k } from "../datasets/fashion_4k.ts";
import { METHODS } from "../methods/mod.ts";
import type { ResultTable } from "../reports/document/result_table.ts";
import { learningRows, pixelGaussianScore } from "./learning.ts";

/** Runs a task of this project in the tests' working directory. */
async function task(...args: readonly string[]): Promise<{ code: number; output: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", ...args],
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, output: decode(stdout) + decode(stderr) };
}

Deno.test("deno task bench --preset smoke trains every method well below its untrained score", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const bench = await task("bench", "--preset", "smoke", "--jobs", "2", "--out", dir);
    assert.equal(bench.code, 0, bench.output);
    const read = () =>
      Promise.all(
        ["table.md", "table.json", "report.html"].map((name) =>
          Deno.readTextFile(`${dir}/${name}`)
        ),
      );
    const before = await read();
    const { rows } = JSON.parse(before[1]) as ResultTable;
    const own = rows.filter(({ alternative }) => alternative === null);
    assert.deepEqual(own.map(({ method }) => method), Object.keys(METHODS));
    for (const { method, scores: [{ metric, mean, untrained }] } of rows) {
      assert.equal(metric, "fd_fashion");
      assert.ok(mean !== null && untrained !== null, method);
      // After 200 steps of small nets, a method that does not learn has a ratio near 1.
      assert.ok(
        mean < 0.8 * untrained.mean,
        `${method}: ${mean} trained, ${untrained.mean} untrained`,
      );
    }
    const gaussian = await pixelGaussianScore(fashion4k, 500);
    const learning = learningRows((await readResults(dir)).records, () => gaussian);
    assert.deepEqual(learning.filter(({ learned }) => !learned), []);
    assert.equal(learning.length, own.length);
    const report = await task("report", dir);
    assert.equal(report.code, 0, report.output);
    assert.deepEqual(await read(), before, "report rebuilds the same tables byte for byte");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

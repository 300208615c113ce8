import assert from "node:assert/strict";
import { DATASETS } from "../../datasets/mod.ts";
import { METHODS } from "../../methods/mod.ts";
import { exampleRecord } from "../../reports/example_records.ts";
import type { ResultTable } from "../../reports/document/result_table.ts";
import type { Method } from "../core/types.ts";
import type { RunRecord } from "../core/records.ts";
import { PRESETS } from "../experiment/presets.ts";
import { resolveRuns, runId } from "../experiment/spec.ts";
import { METRICS } from "../metrics/metrics.ts";
import { childCommand } from "../sweep/child.ts";
import { EXPERIMENT_FILE, writeExperiment } from "../sweep/run_list.ts";
import { RESULTS_FILE } from "../sweep/store.ts";
import { withTempDir } from "../testing/temp_dir.ts";

/** Rebuilds the reports of `dir` in a child process; resolves to the Markdown, the HTML and the table. */
async function report(dir: string, options: readonly string[] = []) {
  const { path, args } = childCommand(["report", dir, ...options], {
    read: [dir],
    write: [dir],
    anyLibrary: false,
  });
  const { success, stderr } = await new Deno.Command(path, { args: [...args] }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return {
    markdown: (await Deno.readTextFile(`${dir}/table.md`)).replaceAll(/ +/g, " "),
    html: await Deno.readTextFile(`${dir}/report.html`),
    table: JSON.parse(await Deno.readTextFile(`${dir}/table.json`)) as ResultTable,
  };
}

Deno.test("report shows `n = 1 of 3` for missing runs as long as the folder has its run list", () =>
  withTempDir(async (dir) => {
    const tables = {
      methods: METHODS as Readonly<Record<string, Method>>,
      datasets: DATASETS,
      metrics: METRICS,
    };
    const experiment = { ...PRESETS.quick, name: "quick", methods: ["vae", "lae"], threads: 2 };
    const specs = resolveRuns(experiment, tables);
    assert.equal(specs.length, 6);
    const records = specs
      .filter(({ method, seed }) => method === "lae" || seed === 2)
      .map((spec): RunRecord => ({
        ...exampleRecord({ spec, scores: { fd_fashion: 100 + spec.seed } }),
        id: runId(spec),
      }));
    const lines = records.map((record) => `${JSON.stringify(record)}\n`);
    await Deno.writeTextFile(`${dir}/${RESULTS_FILE}`, lines.join(""));
    await writeExperiment(dir, experiment, specs);

    const { markdown, html, table } = await report(dir);
    assert.match(markdown, /\| VAE \| VI \+ amortization \| 102\.0 \(n = 1 of 3\) \|/);
    assert.match(markdown, /\| LAE \| LD \+ EBM \+ amortization \| 101\.0 ± 1\.0 \(n = 3\) \|/);
    assert.match(markdown, /\n- VAE, Fashion-MNIST 4k: no record of seeds 0, 1\n/);
    assert.match(html, /<span class="main">102\.0 <span class="nb">\(n = 1 of 3\)<\/span><\/span>/);
    assert.match(html, /<li>VAE, Fashion-MNIST 4k: no record of seeds 0, 1<\/li>/);
    assert.deepEqual(table.runList, { asked: 6, missing: 2 });

    assert.ok(!html.includes("toy.html"));
    await Deno.writeTextFile(`${dir}/toy.html`, "");
    assert.match((await report(dir, ["--csv"])).html, /<a href="toy\.html">/);
    const csv = (await Deno.readTextFile(`${dir}/runs.csv`)).trimEnd().split("\n");
    assert.equal(csv.length, 1 + records.length);

    await Deno.remove(`${dir}/${EXPERIMENT_FILE}`);
    const without = await report(dir);
    assert.match(without.markdown, /\| VAE \| VI \+ amortization \| 102\.0 \(n = 1\) \|/);
    assert.match(without.markdown, /\n- It is unknown whether runs are missing: /);
    assert.equal(without.table.runList, null);
  }));

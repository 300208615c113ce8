import assert from "node:assert/strict";
import { exampleRecord, exampleTable } from "./example_records.ts";
import { escapeHtml, toHtml } from "./html.ts";

Deno.test("escapeHtml() leaves nothing that opens a tag or ends a quote", () => {
  assert.equal(escapeHtml(`<a href="x">&`), "&lt;a href=&quot;x&quot;&gt;&amp;");
});

Deno.test("toHtml() has the cells of the table, the samples of completed runs, and no foreign tags", () => {
  const completed = exampleRecord({ scores: { fd_fashion: 45.25 } });
  const failed = exampleRecord({
    spec: { seed: 1 },
    end: { status: "failed", error: "<script>alert(1)</script>" },
  });
  const html = toHtml(exampleTable([completed, failed]));
  assert.match(html, /^<!doctype html>/);
  assert.match(
    html,
    /<tr><td>LAE<\/td><td>LD \+ EBM \+ amortization<\/td><td>45.25 \(n = 1 of 2\)<\/td>/,
  );
  assert.ok(html.includes(`<img src="${completed.id}/samples.png"`));
  assert.ok(!html.includes(`${failed.id}/samples.png`));
  assert.ok(!html.includes("reconstructions.png")); // not measured: an older run
  const measured = exampleRecord({ scores: { fd_fashion: 45 }, reconstructionError: 0.02 });
  const newer = toHtml(exampleTable([measured]));
  assert.ok(newer.includes(`<img src="${measured.id}/reconstructions.png"`));
  assert.ok(!html.includes("<script"));
  assert.ok(html.includes("&lt;script&gt;"));
});

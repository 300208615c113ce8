import assert from "node:assert/strict";
import { parseHTML } from "linkedom";
import { exampleRecord, exampleResults } from "./example_records.ts";
import { toHtml } from "./html.ts";
import { escapeHtml } from "./page/html.ts";
import { SCRIPT } from "./page/script.ts";

Deno.test("escapeHtml() leaves nothing that opens a tag or ends a quote", () => {
  assert.equal(escapeHtml(`<a href="x">&`), "&lt;a href=&quot;x&quot;&gt;&amp;");
});

const completed = exampleRecord({ scores: { fd_fashion: 45.25 }, reconstructionError: 0.02 });
const failed = exampleRecord({
  spec: { seed: 1 },
  end: { status: "failed", error: "<script>alert(1)</script>" },
});
const pictureOf = (path: string) => ({
  [path]: { url: `data:${path}`, width: 320, height: 128, columns: 10, rows: 4 },
});
const html = toHtml(exampleResults([completed, failed]), {
  pictures: {
    ...pictureOf(`${completed.id}/samples.png`),
    ...pictureOf(`${completed.id}/reconstructions.png`),
  },
  downloads: [{ name: "table.json", about: "all numbers", url: "data:application/json,{}" }],
  against: [{ kind: "heading", text: "Against before" }],
});

Deno.test("toHtml() has the pictures of completed runs with words for them, and says where there are none", () => {
  const { document } = parseHTML(html) as unknown as {
    readonly document: {
      querySelectorAll(selector: string): Iterable<{ getAttribute(name: string): string | null }>;
    };
  };
  const images = [...document.querySelectorAll("img")];
  assert.deepEqual(images.map((image) => image.getAttribute("src")), [
    `data:${completed.id}/samples.png`,
    `data:${completed.id}/reconstructions.png`,
  ]);
  assert.match(
    images[0].getAttribute("alt") ?? "",
    /^40 samples of LAE .*seed 0: fd_fashion 45\.25/,
  );
  assert.match(images[1].getAttribute("alt") ?? "", /^20 test images .*pixel 0\.02000/);
  assert.match(html, /none: failed/);
});

Deno.test("toHtml() has the figures of its records, links to its sections, downloads and comparisons", () => {
  for (const id of ["pictures", "learning-curves", "seconds-per-epoch", "against-before"]) {
    assert.ok(html.includes(`<h2 id="${id}">`), id);
    assert.ok(html.includes(`<a href="#${id}">`), id);
  }
  assert.match(html, /<figure class="chart">[^]*<title>LAE<\/title>/);
  assert.ok(html.includes(`download="table.json"`));
});

Deno.test("toHtml() has no tags from messages, no script but its own, and loads nothing", () => {
  assert.equal(html.split("<script").length, 2);
  assert.ok(html.includes(`<script>${SCRIPT}</script>`));
  assert.ok(html.includes("&lt;script&gt;"));
  const addresses = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address]) => address);
  assert.ok(addresses.length > 0);
  assert.deepEqual(addresses.filter((address) => !/^(?:data:|#)/.test(address)), []);
});

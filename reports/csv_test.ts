import assert from "node:assert/strict";
import { toCsv } from "./csv.ts";
import { exampleRecord } from "./example_records.ts";

/** Parses CSV without line breaks in fields. */
function parse(text: string): Record<string, string>[] {
  const [head, ...lines] = text.trimEnd().split("\n").map((line) =>
    [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)]
      .map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain)
  );
  return lines.map((fields) => Object.fromEntries(fields.map((field, i) => [head[i], field])));
}

Deno.test("toCsv() has a line a run with every number in full, and empty fields for what a run lacks", () => {
  const [first, second] = parse(toCsv([
    exampleRecord({ scores: { fid: 1 / 3 }, spec: { seed: 4, hyper: { width: 0.25 } } }),
    exampleRecord({
      spec: { method: "vae", hyper: { note: 'a "b", c' } },
      end: { status: "diverged", epoch: 1, metric: "loss" },
    }),
  ]));
  assert.equal(Number(first["score.fid"]), 1 / 3);
  assert.deepEqual([first.seed, first.status, first["hyper.width"]], ["4", "completed", "0.25"]);
  assert.equal(first.secondsPerEpoch, "3", "the median without the warm-up");
  assert.deepEqual([second["score.fid"], second["hyper.width"]], ["", ""]);
  assert.deepEqual([second.method, second["hyper.note"]], ["vae", 'a "b", c']);
  assert.deepEqual(Object.keys(first), Object.keys(second));
});

Deno.test("toCsv() of no runs is a head alone", () => {
  assert.equal(toCsv([]), "\n");
});

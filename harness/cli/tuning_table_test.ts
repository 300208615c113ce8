import assert from "node:assert/strict";
import type { Finalist, Tuned } from "../tuning/tune.ts";
import { tuningMarkdown } from "./tuning_table.ts";

const untuned: Finalist = {
  index: 0,
  changed: {},
  scores: [195, 360],
  unstable: 1,
  mean: 277.9,
  std: 120,
};
const chosen: Finalist = {
  ...untuned,
  changed: { rate: 0.5 },
  unstable: 0,
  mean: 193.5,
  std: 1.25,
};

const dlgm: Tuned = {
  method: "dlgm",
  trials: [
    { score: 190, unstable: false, changed: {} },
    { score: Infinity, unstable: false, changed: { rate: 0.9 } },
    { score: 180, unstable: true, changed: { rate: 0.5 } },
  ],
  expectedBest: [Infinity, 183.3, 180],
  untuned,
  finalists: [chosen, untuned],
  seconds: 301.66,
};

Deno.test("tuningMarkdown() has a row a method, with the decimals of its spread, and the settings chosen", () => {
  const lost: Tuned = {
    ...dlgm,
    method: "abp",
    finalists: [{ ...untuned, mean: Infinity, std: null }],
  };
  const text = tuningMarkdown([dlgm, lost], { metric: "Gap", trials: 3, seeds: 2 });
  const cells = (method: string) =>
    text.split("\n").find((line) => line.startsWith(`| ${method} `))?.split("|")
      .map((cell) => cell.trim()).slice(2, -1);
  assert.deepEqual(cells("dlgm"), [
    "278 ± 120",
    "193.5 ± 1.3",
    "1, 0",
    "diverged",
    "diverged",
    "180.0",
    "1",
    "1",
    "301.7",
  ]);
  assert.equal(cells("abp")?.[1], "diverged");
  assert.match(text, /^- dlgm: `--set dlgm\.rate=0\.5`$/m);
  assert.match(text, /^- abp: `the preset's settings`$/m);
});

import assert from "node:assert/strict";
import { examplePair, exampleRecord, exampleTable, PAPER_SPEC } from "./example_records.ts";
import { markdownTable, toMarkdown } from "./markdown.ts";
import type { ScoreCell } from "./document/result_table.ts";
import { formatMeanStd, formatNumber, formatSeeds } from "./document/block.ts";

const CELL: ScoreCell = {
  metric: "fid",
  dataset: "cifar10",
  mean: 95.847,
  std: 1.0612,
  n: 3,
  values: [],
  untrained: null,
  decoded: null,
  lost: [],
  missing: null,
  basis: null,
  published: null,
};

Deno.test("formatSeeds() rounds to the two leading digits of the deviation, and counts seeds", () => {
  assert.equal(formatSeeds(CELL), "95.8 ± 1.1 (n = 3)");
  assert.equal(formatSeeds({ ...CELL, std: 0.0123 }), "95.847 ± 0.012 (n = 3)");
  assert.equal(formatSeeds({ ...CELL, std: 23.4 }), "96 ± 23 (n = 3)");
  assert.equal(formatSeeds({ ...CELL, std: 0 }), "95.85 ± 0 (n = 3)");
  assert.equal(formatSeeds({ ...CELL, std: null, n: 1 }), "95.85 (n = 1)");
  const lost = [{ seed: 2, why: "failed" }];
  assert.equal(formatSeeds({ ...CELL, n: 2, lost }), "95.8 ± 1.1 (n = 2 of 3)");
  assert.equal(formatSeeds({ ...CELL, mean: null, n: 0, lost }), "– (n = 0 of 1)");
  assert.equal(formatSeeds({ ...CELL, mean: null, n: 0 }), "–");
});

Deno.test("markdownTable() escapes what would break a row", () => {
  assert.equal(
    markdownTable(["a", "b"], [["x | y", "two\nlines"]]),
    "| a      | b         |\n| ------ | --------- |\n| x \\| y | two lines |",
  );
});

Deno.test("markdownTable() shows control sequences, HTML and links in names, and leaves formulas alone", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["\x1b[2Jgone", "\\u001b[2Jgone"],
    ["<script>alert(1)</script>", "&lt;script>alert(1)&lt;/script>"],
    ["<!-- hidden", "&lt;!-- hidden"],
    ["![](http://a.b/c.png)", "![]\\(http://a.b/c.png)"],
    ["&lt;b&#62;", "&amp;lt;b&amp;#62;"],
    ["p < 1e-12, a & b, T(z′, x) - T(z, x)", "p < 1e-12, a & b, T(z′, x) - T(z, x)"],
  ];
  for (const [text, expected] of cases) {
    assert.ok(markdownTable(["a"], [[text]]).endsWith(`\n| ${expected} |`), text);
  }
});

Deno.test("toMarkdown() escapes the message of a failed run", () => {
  const error = "<img src=x onerror=alert(1)> \x1b]0;title\x07";
  const records = [
    exampleRecord({ spec: { seed: 1 }, scores: { fd_fashion: 3 } }),
    exampleRecord({ end: { status: "failed", error } }),
  ];
  const markdown = toMarkdown(exampleTable(records));
  assert.ok(markdown.includes("&lt;img src=x onerror=alert(1)> \\u001b]0;title\\u0007"), markdown);
});

Deno.test("formatNumber() has four significant digits, trailing zeros included, and never an exponent", () => {
  const cases = [[962, "962.0"], [3.28, "3.280"], [45.25, "45.25"], [12_345.6, "12346"]] as const;
  for (const [x, text] of cases) assert.equal(formatNumber(x), text);
  const small = [[0, "0"], [0.128, "0.1280"], [-0.00123, "-0.001230"], [9.9999, "10.00"]] as const;
  for (const [x, text] of small) assert.equal(formatNumber(x), text);
});

Deno.test("formatMeanStd() keeps trailing zeros and the deviation's two leading digits", () => {
  const cases: [number, number, string][] = [
    [106, 0.5, "106.00 ± 0.50"],
    [2.4, 0.05, "2.400 ± 0.050"],
    [106, 1.03, "106.0 ± 1.0"],
    [50, 9.96, "50 ± 10"], // rounds to two leading digits, 10
    [1, 0.0996, "1.00 ± 0.10"],
    [956.4, 237.4, "956 ± 237"],
    [5, 1e-12, "5.000 ± 1.0e-12"],
  ];
  for (const [mean, std, text] of cases) assert.equal(formatMeanStd(mean, std), text);
});

Deno.test("toMarkdown() mirrors Table 1", () => {
  const text = toMarkdown(exampleTable([
    ...examplePair(PAPER_SPEC, { mean: 95, std: 1.4, seconds: [9, 2.7, 3.3] }),
    exampleRecord({
      spec: { ...PAPER_SPEC, method: "lebm", hyper: { ...PAPER_SPEC.hyper, priorSteps: 60 } },
      end: { status: "diverged", epoch: 2, metric: "loss" },
      seconds: [9, 6],
    }),
  ]));
  // The paper's numbers: Table 1, and section 6.2 for the seconds.
  const rows = [
    "| Method | Description | CIFAR-10: FID ↓ | paper |",
    "| LEBM | LD + EBM | – (n = 0 of 1) | not comparable |",
    "| LAE | LD + EBM + amortization | 95.0 ± 1.4 (n = 2) | 95.85 ± 1.06 (within) |",
    "- Not comparable with the paper (CIFAR-10, FID: LEBM): no seed, and a deviation takes two.",
    "| LEBM | 6.000 (6.000 to 6.000; n = 1) | not comparable |",
    "| LAE | 3.000 (2.700 to 3.300; n = 4) | not comparable |",
    "| LEBM / LAE | CIFAR-10 | 2.00 | not comparable |",
    "- LEBM, CIFAR-10, fid, seed 0: diverged in epoch 3: loss was not finite",
    "- runs: 2 completed, 1 diverged",
    "- commit: 0123456789abcdef0123456789abcdef01234567",
    "- settings of fid: mode tf, quantize bytes",
  ];
  const lines = text.split("\n").map((line) => line.replaceAll(/ +/g, " "));
  for (const row of rows) assert.ok(lines.includes(row), `${row}\nnot in\n${text}`);
});

Deno.test("toMarkdown() says why there are no times after one epoch", () => {
  const text = toMarkdown(exampleTable([exampleRecord({ spec: {}, seconds: [9] })]));
  assert.match(
    text,
    /## Seconds per epoch\n\nNone: the first epoch of each process is a warm-up, .*--epochs 2/,
  );
});

Deno.test("toMarkdown() shows untrained scores only where there are any", () => {
  const scores = { fd_fashion: 5 };
  const text = (untrained: Record<string, number>) =>
    toMarkdown(exampleTable([exampleRecord({ scores, untrained })]));
  assert.match(text({ fd_fashion: 321.5 }), /\| untrained \|\n.*\n.*\| 321\.5 +\|/);
  assert.doesNotMatch(text({}), /untrained \|/);
});

Deno.test("toMarkdown() has a table of its own for bounds on the likelihood, beside the poster's", () => {
  const basis = { draws: 100, images: 10_000 };
  const hyper = {
    nets: "mlp",
    width: 1,
    latentDim: 8,
    likelihood: "discretized_logistic",
  };
  const text = toMarkdown(exampleTable([
    ...[4.7, 4.8].map((nelbo, seed) =>
      exampleRecord({
        spec: {
          method: "lae_neurips",
          dataset: "cifar10",
          metrics: ["nelbo", "niwae_10"],
          seed,
          hyper,
        },
        scores: { nelbo, niwae_10: 4.5 },
        bounds: {
          nelbo: { ...basis, importanceSamples: 1, standardError: 0.0031 + seed / 1000 },
          niwae_10: { ...basis, importanceSamples: 10, standardError: 0.003 },
        },
      })
    ),
    exampleRecord({
      spec: { method: "lebm", dataset: "cifar10", metrics: ["fid"] },
      scores: { fid: 90 },
    }),
  ]));
  const [samples, likelihood] = text.split("## Likelihood");
  assert.match(samples, /\| LEBM .* 90\.00 \(n = 1\)/);
  assert.match(samples, /\| LAE \(NeurIPS\) +\| LD \+ amortization +\| – +\| – +\|/);
  const row = likelihood.split("\n").find((line) => /^\| LAE \(NeurIPS\) +\| LD/.test(line));
  // 4.773 and 4.636: the poster.
  assert.match(
    row ?? "",
    /4\.750 ± 0\.071 \(n = 2\) +\| 4\.773 ± 0\.003 \(within\) +\| 4\.500 ± 0 \(n = 2\)/,
  );
  assert.match(likelihood, /\| LEBM +\| LD \+ EBM +\| – +\| – +\| – +\|/);
  assert.match(likelihood, /10000 test images, 100 draws of z each; .* up to 0\.0041/);
  assert.match(likelihood, /\| LAE \(NeurIPS\) .*\| 4\.773 ± 0\.003 +\| 4\.636 ± 0\.003 +\|/);
});

Deno.test("toMarkdown() shows how well a held-out class is found, beside chance and the mean over classes", () => {
  const of = (method: string, heldOut: number, averagePrecision?: number) =>
    exampleRecord({
      spec: { method, dataset: `fashion_4k-${heldOut}` },
      ...averagePrecision !== undefined &&
        { anomaly: { heldOut, averagePrecision, chance: heldOut / 10 } },
    });
  const text = toMarkdown(exampleTable([of("a", 1, 0.3), of("a", 2, 0.5), of("b", 1), of("b", 2)]))
    .replaceAll(/ +/g, " ");
  const [, section] = text.split("## Anomaly detection");
  assert.match(section, /\| Method \| fashion_4k-1 \| fashion_4k-2 \| Mean \|/);
  assert.match(section, /\| a \| 0\.3000 \(n = 1\) \| 0\.5000 \(n = 1\) \| 0\.400 \|/);
  assert.match(section, /\| b \| – \| – \| – \|/);
  assert.match(section, /\| Chance \| 0\.100 \| 0\.200 \| 0\.150 \|/);
  assert.doesNotMatch(toMarkdown(exampleTable([exampleRecord({})])), /Anomaly/);
});

Deno.test("toMarkdown() shows the errors on hidden pixels beside those of the fillings without a model", () => {
  const of = (method: string, squaredError?: number) =>
    exampleRecord({
      spec: { method, dataset: "inpaint:block-0.2:fashion_4k" },
      ...squaredError !== undefined && {
        inpainting: {
          images: 1000,
          hiddenShare: 0.191,
          squaredError,
          floors: { meanImage: 0.096, blur: 0.0737 },
        },
      },
    });
  const text = toMarkdown(exampleTable([of("a", 0.05), of("b")])).replaceAll(/ +/g, " ");
  const [, section] = text.split("## Hidden pixels");
  assert.match(section, /\| a \| 0\.05000 \(n = 1\) \|/);
  assert.match(section, /\| b \| – \|/);
  assert.match(section, /\| Mean image \| 0\.09600 \|/);
  assert.match(section, /\| Blur of the seen pixels \| 0\.07370 \|/);
  assert.match(section, /1000 images, 19\.1 % of their pixels hidden/);
  assert.doesNotMatch(toMarkdown(exampleTable([exampleRecord({})])), /Hidden pixels/);
});

Deno.test("toMarkdown() shows the passes behind bounds where draws cost gradients", () => {
  const of = (method: string, more: { readonly gradientsPerDraw?: number }) =>
    exampleRecord({
      spec: { method, metrics: ["nelbo", "niwae_10"] },
      scores: { nelbo: 3, niwae_10: 2.9 },
      bounds: Object.fromEntries(
        [["nelbo", 1], ["niwae_10", 10]].map(([name, importanceSamples]) => [
          name,
          {
            importanceSamples: Number(importanceSamples),
            draws: 10,
            images: 50,
            standardError: 0.1,
            ...more,
          },
        ]),
      ),
    });
  const text = (all: ReturnType<typeof of>[]) =>
    toMarkdown(exampleTable(all)).replaceAll(/ +/g, " ");
  const both = text([of("plain", {}), of("moved", { gradientsPerDraw: 4 })]);
  assert.match(both, /\| Method \| Gradients a draw \| Passes, k = 1 \| Passes, k = 10 \|/);
  assert.match(both, /\| plain \| 0 \| 1 \| 10 \|/);
  assert.match(both, /\| moved \| 4 \| 9 \| 90 \|/);
  assert.doesNotMatch(text([of("plain", {})]), /Gradients a draw/);
});

Deno.test("toMarkdown() shows how freely amortized chains moved, mean over seeds, where it was measured", () => {
  const diagnostics = (rank: number, varianceRatio: number | null) => ({
    features: 512,
    rows: 4000,
    rank,
    leverage: { mean: rank / 4000, min: 0.01, max: 0.9 },
    varianceRatio,
    moves: 100,
  });
  const text = toMarkdown(exampleTable([
    exampleRecord({ spec: { seed: 0 }, diagnostics: diagnostics(500, 0.02) }),
    exampleRecord({ spec: { seed: 1 }, diagnostics: diagnostics(510, 0.04) }),
    exampleRecord({ spec: { seed: 2 }, diagnostics: diagnostics(505, null) }),
    exampleRecord({ spec: { method: "lebm" } }),
  ]));
  const rows = text.split("## Diagnostics")[1].split("\n").filter((line) => line.startsWith("| L"));
  assert.deepEqual(rows.map((row) => row.replaceAll(/ +/g, " ")), [
    "| LAE | Fashion-MNIST 4k | 3 | 505 of 512 | 4000 | 0.1263 (0.01000 to 0.9000) | 0.03000 (100 moves, n = 2) |",
  ]);
  const without = toMarkdown(exampleTable([exampleRecord({})]));
  assert.doesNotMatch(without, /Diagnostics/);
});

Deno.test("toMarkdown() shows the errors of reconstructions, and a dash with its reason where none was measured", () => {
  const records = [
    exampleRecord({ spec: { seed: 0 }, reconstructionError: 0.021 }),
    exampleRecord({ spec: { seed: 1 }, reconstructionError: 0.025 }),
    exampleRecord({ spec: { seed: 2 } }),
  ];
  const section = (all: typeof records) =>
    toMarkdown(exampleTable(all)).split("## Reconstructions")[1]?.split("##")[0].replaceAll(
      / +/g,
      " ",
    );
  assert.match(section(records), /\| LAE \| 0\.0230 ± 0\.0028 \(n = 2 of 3\) \|/);
  assert.doesNotMatch(section(records), /no latents/);
  const dataSpace = exampleRecord({ spec: { method: "data_space" } });
  const mixed = section([...records, dataSpace]);
  assert.match(mixed, /\| data_space \| – \|/);
  assert.match(mixed, /–: not measured; the method has no latents to reconstruct from/);
  assert.equal(section([dataSpace]), undefined);
});

Deno.test("toMarkdown() shows the errors of fitted latents in a column, only where a method fits", () => {
  const drawn = exampleRecord({ spec: { method: "drawn" }, reconstructionError: 0.03 });
  const fitted = [0.021, 0.025].map((fitError, seed) =>
    exampleRecord({ spec: { method: "fitted", seed }, reconstructionError: 0.04, fitError })
  );
  const section = (all: typeof fitted) =>
    toMarkdown(exampleTable(all)).split("## Reconstructions")[1].replaceAll(/ +/g, " ");
  const text = section([drawn, ...fitted]);
  assert.match(text, /\| Method \| Fashion-MNIST 4k \| Fashion-MNIST 4k, fitted \|/);
  assert.match(text, /\| drawn \| 0\.03000 \(n = 1\) \| – \|/);
  assert.match(text, /\| fitted \| 0\.04000 ± 0 \(n = 2\) \| 0\.0230 ± 0\.0028 \(n = 2\) \|/);
  assert.doesNotMatch(section([drawn]), /itted/);
});

Deno.test("toMarkdown() shows the latents by which a learned prior is checked, and what is not finite as a dash", () => {
  const check = (energy: number | null) => ({
    count: 200,
    posterior: { energy: 1, trace: 4 },
    negatives: { energy: 2, trace: 5 },
    longChains: { energy, trace: null },
  });
  const text = toMarkdown(exampleTable([
    exampleRecord({ spec: { seed: 0 }, priorCheck: check(15) }),
    exampleRecord({ spec: { seed: 1 }, priorCheck: check(17) }),
    exampleRecord({ spec: { seed: 2 }, priorCheck: check(null) }),
    exampleRecord({ spec: { method: "dlgm" } }),
  ]));
  const rows = text.split("## Learned priors")[1].split("\n").filter((line) =>
    /^\| [DL]/.test(line)
  );
  assert.deepEqual(rows.map((row) => row.replaceAll(/ +/g, " ")), [
    "| LAE | Fashion-MNIST 4k | 3 | 1.000 ± 0 | 2.000 ± 0 | 16.0 ± 1.4 (n = 2) | 4.000 ± 0 | 5.000 ± 0 | – |",
  ]);
  assert.match(text, /covariance of 200 latents each/);
  assert.doesNotMatch(toMarkdown(exampleTable([exampleRecord({})])), /Learned priors/);
});

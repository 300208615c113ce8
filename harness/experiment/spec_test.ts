import assert from "node:assert/strict";
import { BOUNDS } from "../metrics/likelihood_bounds.ts";
import type { ImageShape, Score } from "../core/types.ts";
import {
  canonicalJson,
  leftOutScores,
  requireJudged,
  resolveHyper,
  resolveRuns,
  runId,
} from "./spec.ts";
import { TINY_EXPERIMENT, TINY_TABLES, tinyWith } from "../testing/tiny.ts";
import { UsageError } from "../core/arguments.ts";

Deno.test("canonicalJson() sorts keys at every depth and nothing else", () => {
  assert.equal(
    canonicalJson({ b: [{ d: 1, c: null }, "x\n"], a: 1e-7 }),
    '{"a":1e-7,"b":[{"c":null,"d":1},"x\\n"]}',
  );
  assert.throws(() => canonicalJson({ a: NaN }), TypeError);
  assert.throws(() => canonicalJson({ a: undefined }), TypeError);
});

Deno.test("runId() is the SHA-256 of the canonical spec, whatever the order of its keys", () => {
  const [spec] = resolveRuns(TINY_EXPERIMENT, TINY_TABLES);
  const shuffled = Object.fromEntries(Object.entries(spec).reverse()) as unknown as typeof spec;
  assert.match(runId(spec), /^[0-9a-f]{12}$/);
  assert.equal(runId(shuffled), runId(spec));
  assert.notEqual(runId({ ...spec, seed: 1 }), runId(spec));
  for (const [device, differs] of [["cpu", true], ["cuda", false]] as const) {
    const [one, four] = [1, 4].map((threads) => runId({ ...spec, device, threads }));
    assert.equal(one !== four, differs, `threads on ${device}`);
  }
  assert.notEqual(runId({ ...spec, hyper: { ...spec.hyper, rate: 0.25 } }), runId(spec));
});

Deno.test("resolveHyper() applies overrides of all methods, of the data set, of the method, and of it on the data set, in this order", () => {
  const experiment = {
    ...TINY_EXPERIMENT,
    hyper: {
      "*": { rate: 0.1, explodeAt: 5, note: "all", width: 2 },
      "*@bright": { rate: 0.2, note: "bright" },
      tiny: { note: "own", persistent: false },
      "tiny@bright@28": { note: "small" },
    },
  };
  const method = TINY_TABLES.methods.tiny;
  const on = (dataset: string) => resolveHyper(experiment, { method, dataset });
  const rest = { explodeAt: 5, persistent: false };
  assert.deepEqual(on("bright"), { ...rest, rate: 0.2, note: "own" });
  assert.deepEqual(on("dark"), { ...rest, rate: 0.1, note: "own" });
  assert.deepEqual(on("bright@28"), { ...rest, rate: 0.1, note: "small" });
});

Deno.test("resolveRuns() gives every combination, all methods and data sets at the first seed first", () => {
  const { tiny } = TINY_TABLES.methods;
  const tables = { ...TINY_TABLES, methods: { tiny, other: { ...tiny, name: "other" } } };
  const runs = resolveRuns(
    { ...TINY_EXPERIMENT, methods: ["tiny", "other"], seeds: [0, 1] },
    tables,
  );
  assert.deepEqual(runs.map(({ method, seed }) => `${method} ${seed}`), [
    "tiny 0",
    "other 0",
    "tiny 1",
    "other 1",
  ]);
});

Deno.test("resolveRuns() accepts an override for all methods that only an unselected method has", () => {
  const { tiny } = TINY_TABLES.methods;
  const other = { ...tiny, name: "other", defaults: { rate: 0.5, depth: 3 } };
  const tables = { ...TINY_TABLES, methods: { tiny, other } };
  const [{ hyper }] = resolveRuns({ ...TINY_EXPERIMENT, hyper: { "*": { depth: 9 } } }, tables);
  assert.deepEqual(hyper, tiny.defaults);
});

Deno.test("resolveRuns() represents the whole training set in one way", () => {
  const count = (trainCount: number | null) =>
    resolveRuns({ ...TINY_EXPERIMENT, trainCount }, TINY_TABLES)[0].trainCount;
  assert.deepEqual([count(null), count(17), count(99), count(8)], [null, null, null, 8]);
});

Deno.test("resolveRuns() refuses values that cannot work, and lists the known names", () => {
  const refuses = (change: object, pattern: RegExp) =>
    assert.throws(
      () => resolveRuns({ ...TINY_EXPERIMENT, ...change }, TINY_TABLES),
      (error: unknown) => error instanceof UsageError && pattern.test(error.message),
    );
  refuses({ methods: ["tinny"] }, /Unknown method "tinny": known methods are tiny; did you mean/);
  refuses({ datasets: ["dark"] }, /Unknown data set "dark": known data sets are bright/);
  refuses({ metrics: ["fid"] }, /Unknown metric "fid": known metrics are gap/);
  refuses(
    { hyper: { tiny: { ratio: 1 } } },
    /Unknown hyperparameter .*"ratio": .* rate, explodeAt/,
  );
  refuses({ hyper: { "*": { ratio: 1 } } }, /Unknown hyperparameter "ratio"/);
  refuses(
    { hyper: { tiny: { rate: "fast" } } },
    /tiny.rate must be a number \(default 0.5\), got fast/,
  );
  refuses({ hyper: { tiny: { rate: 2 } } }, /tiny on bright: rate must be in \(0, 1\], got 2/);
  refuses(
    { batchSize: 18 },
    /Batch size must be at most 17, the training images of bright, got 18/,
  );
});

Deno.test("scores that cannot judge a data set are left out and named, refused if the user named them", () => {
  const { gap } = TINY_TABLES.metrics;
  const { bright } = TINY_TABLES.datasets;
  const needs = (height: number) => (image: ImageShape) => {
    if (image.height !== height) throw new RangeError(`needs ${height} rows, got ${image.height}`);
  };
  const tall = { ...bright, name: "tall", image: { ...bright.image, height: 9 } };
  const tables = {
    ...TINY_TABLES,
    datasets: { bright, tall },
    metrics: {
      gap: { ...gap, check: needs(bright.image.height) } as Score,
      tallness: { ...gap, name: "tallness", check: needs(9) } as Score,
    },
  };
  const experiment = { ...TINY_EXPERIMENT, datasets: ["bright", "tall"], metrics: ["gap"] };
  const metrics = Object.fromEntries(
    resolveRuns(experiment, tables).map(({ dataset, metrics }) => [dataset, metrics]),
  );
  assert.deepEqual(metrics, { bright: ["gap"], tall: [] });
  assert.deepEqual(leftOutScores(experiment, tables), [
    `Continuing without gap on tall: needs ${bright.image.height} rows, got 9; --metrics takes tallness`,
  ]);
  assert.throws(() => requireJudged(experiment, tables), /^UsageError: gap on tall: needs/);
  requireJudged({ ...experiment, datasets: ["bright"] }, tables);
});

Deno.test("resolveRuns() requests scores of classes only from conditional models", () => {
  const { tiny } = TINY_TABLES.methods;
  const sample = () => assert.fail("only its presence counts");
  const classes = {
    ...tinyWith(() => ({ conditional: { classCount: 3, sample } })),
    name: "classes",
  };
  const { gap } = TINY_TABLES.metrics;
  const accuracy = { ...gap, name: "accuracy", ofClasses: true };
  const tables = { ...TINY_TABLES, methods: { tiny, classes }, metrics: { gap, accuracy } };
  const experiment = {
    ...TINY_EXPERIMENT,
    methods: ["tiny", "classes"],
    metrics: ["gap", "accuracy"],
  };
  assert.deepEqual(resolveRuns(experiment, tables).map(({ metrics }) => metrics), [
    ["gap"],
    ["gap", "accuracy"],
  ]);
  assert.throws(() => resolveRuns({ ...experiment, metrics: ["accuracy"] }, tables), {
    name: "UsageError",
    message: "tiny cannot be scored by accuracy: it does not sample classes",
  });
});

Deno.test("resolveRuns() requests bounds only from models with a likelihood", () => {
  const { tiny } = TINY_TABLES.methods;
  const logWeight = () => assert.fail("only its presence counts");
  const bounded = { ...tinyWith(() => ({ likelihood: { logWeight } })), name: "bounded" };
  const tables = {
    ...TINY_TABLES,
    methods: { tiny, bounded },
    metrics: { ...TINY_TABLES.metrics, ...BOUNDS },
  };
  const methods = ["tiny", "bounded"];
  const experiment = { ...TINY_EXPERIMENT, methods, metrics: ["gap", "nelbo", "niwae_10"] };
  assert.deepEqual(resolveRuns(experiment, tables).map(({ metrics }) => metrics), [
    ["gap"],
    ["gap", "nelbo", "niwae_10"],
  ]);
  assert.throws(() => resolveRuns({ ...experiment, metrics: ["nelbo"] }, tables), {
    name: "UsageError",
    message:
      "tiny cannot be scored by nelbo: it lacks a q(z | x) or a prior with a known normalising constant",
  });
});

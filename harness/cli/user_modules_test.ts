import assert from "node:assert/strict";
import { childCommand } from "../sweep/child.ts";
import { readResults } from "../sweep/store.ts";
import { withTempDir } from "../testing/temp_dir.ts";
import { exampleRecord } from "../../reports/example_records.ts";
import { openTables, sideOf, tablesOf } from "./tables.ts";
import { isModulePath, loadUserModule } from "./user_modules.ts";

const METHOD = `
import * as tf from "@tensorflow/tfjs";
import type { Method } from "laebench";
import { RATE } from "./parts/rate.ts";

export const mine: Method = {
  name: "mine",
  label: "My method",
  description: "mean image",
  source: "ours",
  deviations: [],
  defaults: { rate: RATE },
  build: ({ image: { height, width, channels } }, { rate }) => {
    if (!(rate > 0)) throw new RangeError(\`rate must be > 0, got \${rate}\`);
    return {
      init: (noise) => ({ mean: noise.split("mean").uniform([height, width, channels]) }),
      step({ mean }, { images }) {
        const error = tf.sub(tf.mean(images, 0), mean as tf.Tensor);
        return {
          state: { mean: tf.add(mean as tf.Tensor, tf.mul(rate, error)) },
          metrics: { loss: tf.mean(tf.square(error)) as tf.Scalar },
        };
      },
      sample({ mean }, { count }, noise) {
        const xi = noise.split("x").normal([count, height, width, channels]);
        return tf.clipByValue(tf.add(mean as tf.Tensor, tf.mul(0.1, xi)), 0, 1) as tf.Tensor4D;
      },
    };
  },
};
`;

const DATASET = `
import { createImageSet, type Dataset } from "laebench";

const image = { height: 32, width: 32, channels: 1 };
const levels = (step: number) =>
  Uint8Array.from({ length: 50 * 1024 }, (_, i) => (i * step) % 256);

export const ramps: Dataset = {
  name: "ramps",
  label: "Ramps",
  source: "made here",
  image,
  unpadded: { height: 30, width: 30, channels: 1 },
  counts: { train: 50, test: 50 },
  files: [],
  load: (split) => {
    const labels = Int32Array.from({ length: 50 }, (_, i) => i % 2);
    return Promise.resolve(
      createImageSet({ image, pixels: levels(split === "train" ? 3 : 5), labels }),
    );
  },
};
`;

/** Runs the command line with `argv` in a child process that may read and write in \`dir\` only. */
async function cli(argv: readonly string[], dir: string) {
  const { path, args } = childCommand(argv, { read: [dir], write: [dir], anyLibrary: false });
  const allowed = args.toSpliced(1, 0, `--allow-run=${path},git`);
  const { code, stdout, stderr } = await new Deno.Command(path, {
    args: allowed,
    env: { INIT_CWD: dir },
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

/** Writes the modules to the folder `dir`. */
async function writeModules(dir: string): Promise<void> {
  await Deno.mkdir(`${dir}/parts`, { recursive: true });
  await Deno.writeTextFile(`${dir}/mine.ts`, METHOD);
  await Deno.writeTextFile(`${dir}/parts/rate.ts`, "export const RATE: number = 0.5;\n");
  await Deno.writeTextFile(`${dir}/ramps.ts`, DATASET);
}

const BENCH = ["bench", "--preset", "smoke", "--methods", "./mine.ts", "--datasets", "./ramps.ts"];
const SMALL = ["--images", "50", "--epochs", "1", "--samples", "20", "--metrics", "fd_fashion"];

Deno.test("bench trains the method of a user's module on the data set of another; edited code is another run", () =>
  withTempDir(async (dir) => {
    await writeModules(dir);
    const bench = () => cli([...BENCH, ...SMALL, "--threads", "1", "--out", "out"], dir);
    const first = await bench();
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stdout, /\| My method +\| mean image +\|/);
    assert.match(first.stdout, /module of mine: .*mine\.ts, SHA-256 [0-9a-f]{64}/);
    const { records: [record] } = await readResults(`${dir}/out`);
    assert.equal(record.status, "completed");
    const parts = Object.keys(record.provenance?.code?.parts ?? {});
    const ofLibrary = "harness/core/image_set.ts"; // through the import map
    for (const part of ["user/mine.ts", "user/parts/rate.ts", "user/ramps.ts", ofLibrary]) {
      assert.ok(parts.includes(part), `${part} is not in the provenance`);
    }

    const table = await Deno.readTextFile(`${dir}/out/table.md`);
    assert.equal((await cli(["report", "out"], dir)).code, 0);
    assert.equal(
      await Deno.readTextFile(`${dir}/out/table.md`),
      table,
      "report without the modules",
    );

    const configured = await cli(["bench", "--config", "out/experiment.json", "--out", "out"], dir);
    assert.match(configured.stderr, /^Skipping 1 of 1 runs/, "the file knows the modules");

    await Deno.writeTextFile(`${dir}/mine.ts`, `// A comment.\n${METHOD}`);
    assert.match((await bench()).stderr, /^Skipping 1 of 1 runs/);

    await Deno.writeTextFile(`${dir}/parts/rate.ts`, "export const RATE: number = 0.25;\n");
    const edited = await bench();
    assert.equal(edited.code, 0, edited.stderr);
    const ids = new Set((await readResults(`${dir}/out`)).records.map(({ id }) => id));
    assert.equal(ids.size, 2, "code that the module imports is part of the id");

    const stale = await cli(["run", `out/${record.id}/spec.json`, "--out", "alone"], dir);
    assert.equal(stale.code, 1);
    assert.match(stale.stderr, /mine\.ts has changed since the run was defined: [^\n]*\n$/);
  }));

Deno.test("tune searches for the method of a module on a held-out part of the data set of another", () =>
  withTempDir(async (dir) => {
    await writeModules(dir);
    const words = ["tune", "--preset", "smoke", "--methods", "mine.ts", "--dataset", "./ramps.ts"];
    const small = ["--batch-size", "10", "--epochs", "1", "--images", "20", "--samples", "20"];
    const budget = ["--budget", "1", "--finalists", "1", "--seeds", "1", "--threads", "1"];
    const { code, stderr } = await cli([...words, ...small, ...budget, "--out", "out"], dir);
    assert.equal(code, 0, stderr);
    const { records } = await readResults(`${dir}/out`);
    assert.deepEqual(
      records.map(({ spec, status }) => [spec.dataset, spec.modules?.dataset?.label, status]),
      Array(2).fill(["heldout:ramps", "Ramps, held out", "completed"]),
    );
    const both = ["tune", "--methods", "./mine.ts", "--dataset", "fashion_4k,./ramps.ts"];
    const refused = await cli(both, dir);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /^--dataset takes one data set, got fashion_4k,ramps\n$/);
  }));

Deno.test("openTables() takes the module of a data set wherever its name may stand, and tablesOf() finds it again", () =>
  withTempDir(async (dir) => {
    await writeModules(dir);
    const path = `${dir}/ramps.ts`;
    const words = [
      `heldout:${path}`,
      `${path}-1`,
      `heldout:${path}-1`,
      `inpaint:pixels-0.5:${path}`,
      `heldout:${path}@30`,
      "heldout:fashion_4k",
    ];
    const { tables, datasets } = await openTables({ datasets: words.join() });
    const names = words.map((word) => word.replace(path, "ramps"));
    assert.equal(datasets, names.join());
    const counts = names.slice(0, 3).map((name) => tables.datasets[name].counts.train);
    assert.deepEqual(counts, [44, 25, 22]);
    const { method: _, ...spec } = exampleRecord({}).spec;
    const specs = names.map((dataset) => {
      const module = tables.modules?.datasets[dataset];
      return { ...spec, method: "vae", dataset, ...module && { modules: { dataset: module } } };
    });
    const paths = specs.map(({ modules }) => modules?.dataset?.path);
    assert.deepEqual(paths, words.map((word) => word.includes(path) ? path : undefined));
    const again = await tablesOf(specs);
    for (const name of names) {
      assert.deepEqual(again.datasets[name].counts, tables.datasets[name].counts, name);
    }
    assert.deepEqual(specs.map((spec) => sideOf(spec)), [32, 32, 32, 32, 30, 32]);
    await assert.rejects(
      openTables({ datasets: `${path}-7` }),
      /^UsageError: ramps has no class 7/,
    );
  }));

Deno.test("sideOf() is the side of the images that a data set's name stands for", () => {
  const { spec } = exampleRecord({});
  const sides = {
    fashion_4k: 32,
    "fashion_4k@28": 28,
    "fashion_4k@28-3": 28,
    "heldout:fashion_4k@28": 28,
    "fashion_4k-3": 32,
    celeba_hq_64: 64,
    "folder:/pics@64": 64,
    "folder:/pics@7": 32,
  };
  for (const [dataset, side] of Object.entries(sides)) {
    assert.equal(sideOf({ ...spec, dataset }), side, dataset);
  }
});

Deno.test("conform passes a sound method and a sound data set, and fails faulty ones by name", () =>
  withTempDir(async (dir) => {
    await writeModules(dir);
    const sound = await cli(["conform", "mine.ts", "./ramps.ts"], dir);
    assert.equal(sound.code, 0, sound.stdout + sound.stderr);
    assert.match(sound.stdout, /\n\d\d passed, 0 failed\n$/);
    await Deno.writeTextFile(`${dir}/mine.ts`, METHOD.replace("rate > 0", "rate >= 0 || true"));
    await Deno.writeTextFile(`${dir}/ramps.ts`, DATASET.replace("test: 50", "test: 51"));
    const faulty = await cli(["conform", "./mine.ts", "./ramps.ts"], dir);
    assert.equal(faulty.code, 1);
    assert.match(faulty.stdout, /FAILED {2}mine: build\(\) refuses NaN for every number: /);
    assert.match(
      faulty.stdout,
      /FAILED {2}ramps: load\(\) gives as many .*: test: count 50 !== 51\n/,
    );
    assert.match(faulty.stdout, /\n\d\d passed, 2 failed\n$/);
  }));

Deno.test("bench refuses modules that cannot be used, with one line and exit code 2", () =>
  withTempDir(async (dir) => {
    await writeModules(dir);
    const files = {
      "empty.ts": "export const number = 1;\n",
      "broken.ts": "export const = 1;\n",
      "partial.ts": "export const partial = { name: 'partial', build: () => ({}) };\n",
      "taken.ts": METHOD.replace('name: "mine"', 'name: "vae"'),
    };
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${dir}/${name}`, text);
    }
    const cases: [string[], RegExp][] = [
      [["--methods", "./empty.ts"], /^\.\/empty\.ts exports neither a method nor a data set: /],
      [["--methods", "./broken.ts"], /^Cannot load .*broken\.ts: /],
      [["--methods", "./absent.ts"], /^Cannot load .*absent\.ts: Module not found/],
      [
        ["--methods", "./partial.ts"],
        /^A method of \.\/partial\.ts is incomplete, "partial": label: /,
      ],
      [["--methods", "./taken.ts"], /taken\.ts has a method "vae", as this version .*: rename/],
      [
        ["--methods", "./ramps.ts"],
        /^\.\/ramps\.ts exports no method, but the data set ramps$/,
      ],
    ];
    const outcomes = await Promise.all(
      cases.map(([argv]) => cli(["bench", "--preset", "smoke", ...argv, "--out", "out"], dir)),
    );
    outcomes.forEach(({ code, stderr }, i) => {
      assert.match(stderr.trimEnd(), cases[i][1]);
      assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
      assert.equal(code, 2);
    });
  }));

Deno.test("isModulePath() tells files from names and from forms of data sets", () => {
  for (const path of ["./mine.ts", "../a/b.js", "mine.ts", "/abs/x.mjs"]) {
    assert.ok(isModulePath(path), path);
  }
  for (
    const name of ["lae", "fashion_4k", "folder:/data/x", "archive:./a.zip@64", "heldout:svhn"]
  ) {
    assert.ok(!isModulePath(name), name);
  }
});

Deno.test("loadUserModule() gives the same hash for a moved folder", () =>
  withTempDir(async (dir) => {
    const hashes: string[] = [];
    for (const place of ["a", "b/c"]) {
      await writeModules(`${dir}/${place}`);
      hashes.push((await loadUserModule(`${dir}/${place}/mine.ts`)).sha256);
    }
    assert.equal(hashes[0], hashes[1]);
  }));

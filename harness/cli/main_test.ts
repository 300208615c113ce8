import assert from "node:assert/strict";
import { exampleRecord } from "../../reports/example_records.ts";
import { claimFolder, LOCK_FILE } from "../core/file_lock.ts";
import { projectPath } from "../core/project.ts";
import type { RunSpec } from "../core/records.ts";
import { runId } from "../experiment/spec.ts";
import { withTempDir } from "../testing/temp_dir.ts";
import { childCommand } from "../sweep/child.ts";

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line with `argv` in a child process that may write only in `out`. */
async function cli(argv: readonly string[], out = "/nowhere"): Promise<Outcome> {
  const { path, args } = childCommand(argv, { read: [out], write: [out], anyLibrary: false });
  const allowed = args.toSpliced(1, 0, `--allow-run=${path},git`);
  const output = await new Deno.Command(path, { args: allowed }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code: output.code, stdout: decode(output.stdout), stderr: decode(output.stderr) };
}

Deno.test("cli bench refuses wrong arguments with one line and exit code 2, and writes nothing", () =>
  withTempDir(async (dir) => {
    const cases: [string[], RegExp][] = [
      [
        ["--methods", "lea"],
        /^Unknown method "lea": known methods are vae, .*; did you mean "lae"\?$/,
      ],
      [["--datasets", "fashion"], /^Unknown data set "fashion": known data sets are fashion_4k, /],
      [["--datasets", "what:ever"], /^Unknown data set "what:ever": known data sets are /],
      [["--preset", "fast"], /^Unknown preset "fast": known presets are smoke, quick, /],
      [
        ["--config", `${dir}/x.json`],
        /x\.json was not found: --config takes a file$/,
      ],
      [["--config", "x", "--preset", "smoke"], /'--preset <name>' cannot be used with .*'--config/],
      [["--device", "gpu"], /^Unknown device "gpu": known devices are cpu, tfjs-cpu/],
      [["--seeds", "x"], /^Unknown seeds "x"/],
      [["--set", "lae.stepsize=1"], /^Unknown hyperparameter of lae "stepsize": .*stepSize/],
      [
        ["--set", "lae.stepSize=fast"],
        /^Hyperparameter lae.stepSize must be a finite decimal number/,
      ],
      [["--epochs", "many"], /^--epochs must be an integer >= 1, got "many"/],
      [["--epoch", "3"], /^unknown option '--epoch' .*--epochs/],
      [["toy", "--jobs", "zero"], /^--jobs must be an integer >= 1, got "zero"/], // an option of `bench toy`
      [["toy", "--seed", "0..2"], /^--seed must be one integer in \[0, 10\^9\), got "0\.\.2"$/],
      [["--set", "lae.stepSize=0x10"], /^Hyperparameter lae\.stepSize must be .* got "0x10"$/],
      [["--set", "lae.stepSize=1", "--set", "lae.stepSize=2"], /^--set has lae\.stepSize twice, /],
      [["--seeds", "0", "--seeds", "1"], /^--seeds is given twice, 0 and 1: write it once$/],
      [["toy", "--jobs", "1", "--jobs", "2"], /^--jobs is given twice, 1 and 2: write it once$/],
      [["--preset", ""], /^--preset needs a value, got an empty one$/],
      [["--device", "--force"], /^--device needs a value, got --force$/],
      [["--preset=smoke", "--preset=quick"], /^--preset is given twice, smoke and quick/],
      [
        ["lst"],
        /^"lst" is no command of bench: known commands are list, toy; did you mean "list"\?/,
      ],
      [["smoke"], /^"smoke" is no command of bench: did you mean --preset smoke\?$/],
      [["lae"], /^"lae" is no command of bench: did you mean --methods lae\?$/],
    ];
    const outcomes = await Promise.all(
      cases.map(([argv]) => cli(["bench", ...argv, "--out", `${dir}/out`], dir)),
    );
    outcomes.forEach(({ code, stdout, stderr }, i) => {
      assert.match(stderr.trimEnd(), cases[i][1]);
      assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
      assert.deepEqual([code, stdout], [2, ""], stderr);
    });
    assert.deepEqual([...Deno.readDirSync(dir)], []);
  }));

Deno.test("cli answers --help for each command, and bench list names all methods", async () => {
  const [all, ofBench, ofReport, list] = await Promise.all([
    cli(["--help"]),
    cli(["bench", "--help"]),
    cli(["report", "--help"]),
    cli(["bench", "list"]),
  ]);
  for (const { code, stderr } of [all, ofBench, ofReport, list]) {
    assert.deepEqual([code, stderr], [0, ""]);
  }
  assert.match(all.stdout, /bench.*\n.*report.*\n.*run/s);
  for (
    const option of ["methods", "datasets", "seeds", "epochs", "set", "device", "out", "dry-run"]
  ) {
    assert.match(ofBench.stdout, new RegExp(`--${option}\\b`));
  }
  assert.match(ofReport.stdout, /results\.jsonl/);
  for (const name of ["vae", "vae_flow", "abp", "dlgm", "lebm", "lae"]) {
    assert.match(list.stdout, new RegExp(`^  ${name}: `, "m"));
  }
  assert.match(list.stdout, /Deviation: /);
});

Deno.test("cli --version prints the version of deno.json, for each command", async () => {
  const { version } = JSON.parse(await Deno.readTextFile(projectPath("deno.json")));
  for (const argv of [["--version"], ["bench", "--version"], ["report", "--version"]]) {
    assert.deepEqual(await cli(argv), { code: 0, stdout: `laebench ${version}\n`, stderr: "" });
  }
});

Deno.test("cli bench reports in one line that it cannot create the output folder", () =>
  withTempDir(async (dir) => {
    await Deno.writeTextFile(`${dir}/file`, "");
    const { code, stderr } = await cli(
      ["bench", "--preset", "smoke", "--out", `${dir}/file/x`],
      dir,
    );
    assert.equal(code, 1);
    assert.match(stderr, /^Cannot write into the folder [^\n]*: name another one with --out\n$/);
  }));

Deno.test("cli bench and report refuse a results file that is not theirs and leave it unchanged", () =>
  withTempDir(async (dir) => {
    await Deno.writeTextFile(`${dir}/results.jsonl`, "mine\n");
    for (const argv of [["bench", "--preset", "smoke", "--out", dir], ["report", dir]]) {
      const { code, stderr } = await cli(argv, dir);
      assert.equal(code, 1);
      assert.match(stderr, /^[^\n]*results\.jsonl line 1 is not JSON[^\n]*\n$/);
    }
    assert.deepEqual([...Deno.readDirSync(dir)].map(({ name }) => name), ["results.jsonl"]);
    assert.equal(await Deno.readTextFile(`${dir}/results.jsonl`), "mine\n");
  }));

Deno.test("cli report fails with a hint when the folder has no results", () =>
  withTempDir(async (dir) => {
    const { code, stderr } = await cli(["report", dir], dir);
    const hint = `create them with deno task bench --out ${dir}`;
    assert.deepEqual([code, stderr], [1, `No results in ${dir}/results.jsonl: ${hint}\n`]);
  }));

Deno.test("cli likelihood refuses wrong arguments, and a folder without results", () =>
  withTempDir(async (dir) => {
    const cases: [string[], number, RegExp][] = [
      [["--temperatures", "1001"], 2, /^--temperatures must be a multiple of 50, got 1001$/],
      [["--images", "none"], 2, /^--images must be an integer >= 1, got "none"$/],
      [[], 1, /^No results in .*results\.jsonl: /],
    ];
    const outcomes = await Promise.all(
      cases.map(([argv]) => cli(["likelihood", dir, ...argv], dir)),
    );
    outcomes.forEach(({ code, stdout, stderr }, i) => {
      assert.match(stderr.trimEnd(), cases[i][2]);
      assert.deepEqual([code, stdout], [cases[i][1], ""], stderr);
    });
  }));

Deno.test("cli likelihood says who holds the folder", () =>
  withTempDir(async (dir) => {
    const record = exampleRecord({ scores: { fd_fashion: 3 } });
    await Deno.writeTextFile(`${dir}/results.jsonl`, `${JSON.stringify(record)}\n`);
    using _claim = await claimFolder(dir, { hint: "" });
    const { code, stderr } = await cli(["likelihood", dir], dir);
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`is in use by process ${Deno.pid} on .*: wait for it, `));
  }));

Deno.test("cli run says where a spec is when there is none", () =>
  withTempDir(async (dir) => {
    const { code, stderr } = await cli(["run", `${dir}/nope`, "--out", `${dir}/out`], dir);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^Cannot read .*nope \(no such file or directory\): name a spec\.json, [^\n]*\n$/,
    );
  }));

Deno.test("cli run reports in one line that a file is not a run spec", () =>
  withTempDir(async (dir) => {
    const specs = { "broken.json": "{", "other.json": "{}" };
    for (const [name, text] of Object.entries(specs)) {
      await Deno.writeTextFile(`${dir}/${name}`, text);
      const { code, stderr } = await cli(["run", `${dir}/${name}`, "--out", `${dir}/out`], dir);
      assert.equal(code, 1);
      assert.match(stderr, /^[^\n]*\/(broken|other)\.json is not (JSON|a run spec): [^\n]*\n$/);
    }
  }));

/** A spec that no run of these tests executes. */
const SPEC: RunSpec = {
  method: "vae",
  dataset: "fashion_4k",
  seed: 0,
  epochs: 1,
  batchSize: 50,
  trainCount: null,
  sampleCount: 100,
  metrics: [],
  scoreUntrained: false,
  hyper: {},
  device: "cpu",
  threads: 1,
};

Deno.test("cli run refuses a spec that was edited in the folder of another run", () =>
  withTempDir(async (dir) => {
    const folder = `${dir}/${runId(SPEC)}`;
    await Deno.mkdir(folder);
    const spec = `${folder}/spec.json`;
    await Deno.writeTextFile(spec, JSON.stringify({ ...SPEC, epochs: 2 }));
    const { code, stderr } = await cli(["run", spec, "--out", folder], dir);
    assert.equal(code, 2);
    assert.match(stderr, /^.*spec\.json was edited: it is the spec of run [0-9a-f]{12}, not .*\n$/);
    assert.ok(stderr.includes(`, not ${runId(SPEC)}.`), stderr);
  }));

Deno.test("cli run says who holds its folder, and leaves no record there", () =>
  withTempDir(async (dir) => {
    const spec = `${dir}/spec.json`;
    await Deno.writeTextFile(spec, JSON.stringify(SPEC));
    using _claim = await claimFolder(dir, { hint: "" });
    const { code, stderr } = await cli(["run", spec, "--out", dir], dir);
    assert.equal(code, 1);
    const holder = `process ${Deno.pid} on ${Deno.hostname()} since \\S+`;
    assert.match(stderr, new RegExp(`^${dir} is in use by ${holder}: wait for it, or end it\n$`));
    assert.deepEqual([...Deno.readDirSync(dir)].map(({ name }) => name).sort(), [
      LOCK_FILE,
      "spec.json",
    ]);
  }));

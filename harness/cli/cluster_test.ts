import assert from "node:assert/strict";
import { childCommand } from "../sweep/child.ts";
import { readResults } from "../sweep/store.ts";
import { withTempDir } from "../testing/temp_dir.ts";

const ARGS = ["bench", "--preset", "smoke", "--methods", "vae", "--seeds", "0..1"];

/** Runs the command line with `argv` in a child process that may read and write only in `dir`, and start `programs`. */
async function cli(argv: readonly string[], dir: string, programs: readonly string[] = []) {
  const { path, args } = childCommand(argv, { read: [dir], write: [dir], anyLibrary: false });
  const allowed = args.map((arg) =>
    arg.startsWith("--allow-run=") ? `--allow-run=${[path, ...programs].join()}` : arg
  );
  const { code, stdout, stderr } = await new Deno.Command(path, { args: allowed }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

Deno.test("cli bench --slurm writes specs and a script for a device that is not here, and prints how to submit it", () =>
  withTempDir(async (dir) => {
    const out = `${dir}/out`;
    const planned = await cli(
      [...ARGS, "--device", "cuda", "--slurm", "--slurm-time", "60", "--out", out],
      dir,
    );
    assert.equal(planned.code, 0, planned.stderr);
    assert.equal(planned.stdout, `sbatch ${out}/sweep.sbatch\n`);
    const script = await Deno.readTextFile(`${out}/sweep.sbatch`);
    for (const line of ["--array=0-1", "--cpus-per-task=1", "--gres=gpu:1", "--time=60"]) {
      assert.ok(script.includes(`#SBATCH ${line}\n`), line);
    }
    assert.ok(script.includes(Deno.execPath()));
    const { runs } = JSON.parse(await Deno.readTextFile(`${out}/slurm.json`));
    for (const id of runs) await Deno.stat(`${out}/${id}/spec.json`);
    const { success } = await new Deno.Command("bash", { args: ["-n", `${out}/sweep.sbatch`] })
      .output();
    assert.ok(success, "bash parses the script");

    const status = await cli(["status", out], dir);
    assert.match(
      status.stdout,
      /^waiting [0-9a-f]{12} vae fashion_4k seed 0\n.*\n2 runs: 2 waiting\n$/,
    );
    assert.match(status.stderr, /queue cannot be asked here/);
    assert.deepEqual((await readResults(out)).records, []);
  }));

Deno.test("cli bench refuses options for Slurm that have no effect, and writes nothing", () =>
  withTempDir(async (dir) => {
    const cases: [string[], RegExp][] = [
      [["--slurm-time", "60"], /^--slurm-time has an effect only with --slurm$/],
      [["--slurm", "--jobs", "2"], /^--jobs has no effect with Slurm/],
      [
        ["--slurm", "--threads", "4", "--slurm-cpus", "2"],
        /^--slurm-cpus must be at least the threads of a run, 4, got 2$/,
      ],
      [["--parallel-config", `${dir}/none.yaml`], /none\.yaml$/],
      [
        ["--slurm", "--out", `${dir}/a\x1b[2J`],
        /cannot name the folder ".*\/a\\u001b\[2J": choose/,
      ],
    ];
    const outcomes = await Promise.all(
      cases.map(([argv]) => {
        const out = argv.includes("--out") ? [] : ["--out", `${dir}/out`];
        return cli([...ARGS, ...out, ...argv], dir);
      }),
    );
    outcomes.forEach(({ code, stderr }, i) => {
      assert.match(stderr.trimEnd(), cases[i][1]);
      assert.equal(code, 2);
    });
    assert.deepEqual([...Deno.readDirSync(dir)], []);
  }));

Deno.test("cli status --only-failed refuses a folder that was not planned for Slurm", () =>
  withTempDir(async (dir) => {
    const { code, stderr } = await cli(["status", dir, "--only-failed"], dir);
    assert.equal(code, 2);
    assert.match(stderr, /were not planned for Slurm: deno task bench/);
  }));

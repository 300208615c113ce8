import assert from "node:assert/strict";
import { withTempDir } from "../../testing/temp_dir.ts";
import { arrayOf, quote, renderScript, type SlurmScript } from "./script.ts";

const SCRIPT: SlurmScript = {
  experiment: "tiny",
  out: "/nowhere",
  runs: [{ id: "aaaaaaaaaaaa", label: "tiny seed 0" }, {
    id: "bbbbbbbbbbbb",
    label: "tiny seed 1",
  }],
  todo: [1],
  options: { setup: [], arg: [] },
  cpus: 2,
  env: {},
  command: ["true"],
  args: [],
};

Deno.test("arrayOf() joins neighbours", () => {
  assert.equal(arrayOf([0, 1, 2, 5, 7, 8]), "0-2,5,7-8");
  assert.equal(arrayOf([3]), "3");
});

Deno.test("renderScript() has an option of sbatch for each that is given, and one task a run to do", () => {
  const lines = (options: SlurmScript["options"]) =>
    renderScript({ ...SCRIPT, options, out: "/a %b/c" }).split("\n")
      .filter((line) => line.startsWith("#SBATCH")).map((line) => line.slice(8));
  const base = ["--job-name=laebench-tiny", "--array=1", "--cpus-per-task=2"];
  const end = [
    "--signal=B:USR1@120",
    "--requeue",
    "--open-mode=append",
    '--output="/a %%b/c/slurm/%A_%a.log"',
  ];
  assert.deepEqual(lines({ setup: [], arg: [] }), [...base, ...end]);
  const all = {
    partition: "gpu",
    time: "1-00:00:00",
    gres: "gpu:1",
    mem: "16G",
    arrayParallelism: 4,
    setup: ["module load cuda"],
    arg: ["account=abc", "--exclusive"],
  };
  assert.deepEqual(lines(all), [
    base[0],
    "--array=1%4",
    base[2],
    "--partition=gpu",
    "--time=1-00:00:00",
    "--gres=gpu:1",
    "--mem=16G",
    ...end,
    "--account=abc",
    "--exclusive",
  ]);
});

Deno.test("quote() gives words that bash reads back", async () => {
  const words = ["plain", "a b", "it's", '$HOME "`x`" \\', "", "ü*?"];
  const args = ["-c", `printf '%s\\n' ${words.map(quote).join(" ")}`];
  const { stdout } = await new Deno.Command("bash", { args }).output();
  assert.deepEqual(new TextDecoder().decode(stdout).split("\n"), [...words, ""]);
});

/** How the script ended: its exit code, and the job that it asked Slurm to requeue. */
interface Ending {
  readonly code: number;
  readonly requeued: string;
  readonly log: string;
}

/** Runs the script as task 1 of job 7 with a program `program` of bash, and sends `signal` once the program says that it is up. */
async function runScript(
  program: string,
  signal?: Deno.Signal,
  setup: readonly string[] = [],
): Promise<Ending> {
  return await withTempDir(async (root) => {
    const out = `${root}/out it's`;
    const run = `${out}/bbbbbbbbbbbb`;
    await Deno.mkdir(run, { recursive: true });
    await Deno.mkdir(`${root}/bin`);
    const scontrol = `#!/bin/bash\necho "$1 $2" > ${quote(`${root}/requeued`)}\n`;
    await Deno.writeTextFile(`${root}/bin/scontrol`, scontrol, { mode: 0o755 });
    const command = ["bash", "-c", `cd "$2"; ${program}`];
    const text = renderScript({ ...SCRIPT, out, command, options: { setup: [...setup], arg: [] } });
    await Deno.writeTextFile(`${root}/sweep.sbatch`, text);
    const child = new Deno.Command("bash", {
      args: [`${root}/sweep.sbatch`],
      env: {
        PATH: `${root}/bin:${Deno.env.get("PATH")}`,
        SLURM_ARRAY_JOB_ID: "7",
        SLURM_ARRAY_TASK_ID: "1",
      },
      stdout: "null",
    }).spawn();
    if (signal !== undefined) {
      while (!await isThere(`${run}/up`)) await new Promise((resolve) => setTimeout(resolve, 10));
      child.kill(signal);
    }
    const { code } = await child.status;
    const read = (path: string) => Deno.readTextFile(path).catch(() => "");
    return {
      code,
      requeued: (await read(`${root}/requeued`)).trim(),
      log: await read(`${run}/log.txt`),
    };
  });
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/** A program that saves a checkpoint when it is asked to stop; its first argument is `--out`'s folder, its spec is $0. */
const SAVES =
  `trap 'sleep 0.1; touch checkpoint.safetensors; exit 75' TERM; touch up; while :; do sleep 0.02; done`;

Deno.test("the batch script requeues a run that saved a checkpoint because its time was up", async () => {
  assert.deepEqual(await runScript(SAVES, "SIGUSR1"), {
    code: 75,
    requeued: "requeue 7_1",
    log: "",
  });
});

Deno.test("the batch script requeues a run that the signal killed after an earlier checkpoint", async () => {
  const { code, requeued } = await runScript(
    `touch checkpoint.safetensors up; exec sleep 9`,
    "SIGUSR1",
  );
  assert.deepEqual([code, requeued], [143, "requeue 7_1"]);
});

Deno.test("the batch script sees progress after a clock has stepped back", async () => {
  const save = "mv checkpoint.safetensors checkpoint.previous.safetensors; " +
    "touch checkpoint.safetensors up; exec sleep 9";
  const future = `touch -d "+1 hour" "$run/checkpoint.safetensors"`;
  const { code, requeued } = await runScript(save, "SIGUSR1", [future]);
  assert.deepEqual([code, requeued], [143, "requeue 7_1"]);
});

Deno.test("the batch script requeues no run that made no progress, and says so", async () => {
  const { code, requeued, log } = await runScript(`touch up; exec sleep 9`, "SIGUSR1");
  assert.deepEqual([code, requeued], [1, ""]);
  assert.match(log, /^No progress within the time limit: raise --slurm-time/);
});

Deno.test("the batch script leaves a cancelled run to Slurm, and passes exit codes on", async () => {
  const slurmSignals = "(sleep 0.1; kill -TERM $PPID $$) & "; // the script and the program
  const cancelled = await runScript(slurmSignals + SAVES);
  assert.deepEqual([cancelled.code, cancelled.requeued], [75, ""]);
  const failed = await runScript(`echo broken >&2; exit 3`);
  assert.deepEqual(failed, { code: 3, requeued: "", log: "broken\n" });
});

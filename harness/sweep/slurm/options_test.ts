import assert from "node:assert/strict";
import { readSlurmOptions, type SlurmArguments } from "./options.ts";

const FILE = `
slurm:
  partition: gpu
  time: 04:00:00
  mem: 16
  array-parallelism: 8
  setup: [module load cuda]
`;

Deno.test("readSlurmOptions() joins file and command line, which overrides it", () => {
  const file = { path: "p.yaml", text: FILE };
  assert.deepEqual(
    readSlurmOptions({ slurmMem: "8G", slurmCpus: "3", slurmArg: ["account=a"] }, file),
    {
      partition: "gpu",
      time: "04:00:00",
      mem: "8G",
      cpus: 3,
      arrayParallelism: 8,
      setup: ["module load cuda"],
      arg: ["account=a"],
    },
  );
  assert.deepEqual(readSlurmOptions({ slurm: true }, undefined), { setup: [], arg: [] });
  assert.equal(readSlurmOptions({}, undefined), undefined);
});

Deno.test("readSlurmOptions() refuses what would not reach Slurm as written", () => {
  const cases: readonly (readonly [SlurmArguments, string | undefined, RegExp])[] = [
    [{ slurmTime: "60" }, undefined, /^--slurm-time has an effect only with --slurm$/],
    [{ submit: true }, undefined, /^--submit has an effect only with --slurm$/],
    [{ slurm: true, slurmTime: "one hour" }, undefined, /^--slurm-time: must be a time of Slurm/],
    [
      { slurm: true, slurmPartition: "a\n#SBATCH --x" },
      undefined,
      /^--slurm-partition: must be one line/,
    ],
    [{ slurm: true, slurmCpus: "0" }, undefined, /^--slurm-cpus must be an integer >= 1/],
    [{}, "slurm: {partition: [", /^p\.yaml is not YAML: /],
    [{}, "partition: gpu", /^p\.yaml must hold the key slurm/],
    [{}, "slurm: {parttion: gpu}", /^p\.yaml: slurm\.it: Unrecognized key: "parttion"/],
    [{}, 'slurm: {setup: ["a\\nb"]}', /^p\.yaml: slurm\.setup\.0: must be one line/],
  ];
  for (const [args, text, message] of cases) {
    const file = text === undefined ? undefined : { path: "p.yaml", text };
    assert.throws(() => readSlurmOptions(args, file), { name: "UsageError", message });
  }
});

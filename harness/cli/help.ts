/**
 * `deno task help`: the tasks, by what they are for.
 *
 * @module
 */
import { readWords } from "./arguments.ts";

/** Tasks of users with their purpose; names with a slash do one thing together. */
const TASKS: Readonly<Record<string, string>> = {
  bench: "train, sample, score and tabulate methods; bench list shows what it can name",
  "bench toy": "check every sampler on posteriors with exact answers",
  "report DIR": "rebuild the tables of an output folder; --against compares it with another",
  "status / collect DIR": "the state of a sweep on a cluster; add its results to the tables",
  "tune / likelihood DIR": "search hyperparameters; estimate log p(x) of trained models",
  check: "notice in CI that a sampler broke; --draws judges draws of your own",
  "fid A B": "FID, KID and more of two sets of images",
  "data / inception": "install data sets; install the weights of the FID",
  "conform ./mine.ts": "test a method or a data set of your own",
  gpu: "find accelerators, fetch what they need, test them",
};

/** Other tasks by subject. */
const MORE: Readonly<Record<string, readonly string[]>> = {
  speed: [
    "check:speed",
    "bench:step",
    "bench:nodes",
    "bench:winograd",
    "bench:toy",
    "bench:devices",
    "bench:fid",
  ],
  devices: ["gpu:table", "gpu:compile", "tfjs-node:build", "threads"],
  quality: [
    ...["ok", "test", "test:faults", "test:fuzz", "test:slurm", "test:memory", "smoke", "page"],
    "layers",
  ],
  evidence: ["check:power", "check:mutations", "learning", "scores"],
  building: ["run", "help", "npm:pack", "npm:check", "noise:kernel"],
  fixtures: ["fashion:classifier", "cifar:classifier", "fixtures:fashion_4k"],
};

/** The text of the task. */
export const TASKS_HELP = `deno task NAME; --help after any name lists its options

${Object.entries(TASKS).map(([name, purpose]) => `  ${name.padEnd(23)}${purpose}`).join("\n")}

${Object.entries(MORE).map(([subject, names]) => `  ${subject}: ${names.join(", ")}`).join("\n")}`;

if (import.meta.main) {
  readWords(TASKS_HELP);
  console.log(TASKS_HELP);
}

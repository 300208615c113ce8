/**
 * `deno task tune`: searches the hyperparameters of methods at equal budgets.
 *
 * @module
 */
import { Command } from "commander";
import { DATASET_FORMS } from "../../datasets/mod.ts";
import { absoluteName, HELD_OUT } from "../core/dataset_name.ts";
import { parseCount, UsageError } from "../core/arguments.ts";
import { gather } from "./arguments.ts";
import { dataFolder } from "../core/cache_folder.ts";
import { replaceFile } from "../core/files.ts";
import { projectPath, userPath } from "../core/project.ts";
import { availableCores } from "../core/threads.ts";
import { codeReader } from "../experiment/run_code.ts";
import type { Metric } from "../core/types.ts";
import { DEVICES } from "../engine/device.ts";
import { readExperiment } from "../experiment/experiment_arguments.ts";
import { DEFAULT_PRESET, PRESETS } from "../experiment/presets.ts";
import { lookUp, requireJudged, type Tables } from "../experiment/spec.ts";
import { threadsWarning } from "../experiment/warnings.ts";
import { isMetric } from "../metrics/likelihood_bounds.ts";
import { CHECKPOINT_SECONDS } from "./run_command.ts";
import { runSpecs } from "../sweep/bench.ts";
import { forecast } from "../sweep/forecast.ts";
import { readResults } from "../sweep/store.ts";
import { finalRuns, outcomesOf, searchTrials, summarise } from "../tuning/tune.ts";
import { tuningMarkdown } from "./tuning_table.ts";
import { openTables } from "./tables.ts";

interface TuneArguments {
  readonly preset: string;
  readonly methods?: string;
  readonly dataset?: string;
  readonly metric?: string;
  readonly epochs?: string;
  readonly images?: string;
  readonly batchSize?: string;
  readonly samples?: string;
  readonly set?: readonly string[];
  readonly device?: string;
  readonly threads?: string;
  readonly jobs?: string;
  readonly budget: string;
  readonly finalists: string;
  readonly seeds: string;
  readonly out?: string;
  readonly dryRun?: boolean;
  readonly probe?: boolean;
  readonly acceptCode?: boolean;
}

/** Defines the command `tune`; its action calls `end` with the signal that ended it early, if any. */
export function tuneCommand(
  end: (interrupted: Deno.Signal | undefined) => void,
): Command {
  return new Command("tune")
    .description(
      "random search over the ranges that methods declare, with the same number of trials and steps for each, scored on held-out training images; a second call resumes where the first stopped",
    )
    .option("--preset <name>", `one of ${Object.keys(PRESETS).join(", ")}`, DEFAULT_PRESET)
    .option(
      "--methods <names>",
      "comma-separated names, or modules of your own: ./mine.ts; all of the preset by default",
    )
    .option(
      "--dataset <name>",
      `one data set, ${
        DATASET_FORMS.join(", ")
      }, or a module of your own: ./set.ts; the preset's first by default`,
    )
    .option("--metric <name>", "the score to tune for; the preset's first by default")
    .option("--epochs <count>", "epochs of a trial; the preset's by default")
    .option("--images <count>", "training images of a trial; all by default")
    .option("--batch-size <count>", "images per step; the preset's by default")
    .option("--samples <count>", "number of samples for the score; the preset's by default")
    .option("--set <METHOD.KEY=VALUE>", "a hyperparameter that every trial starts from", gather)
    .option("--device <name>", `one of ${Object.keys(DEVICES).join(", ")}`)
    .option("--threads <count>", "threads of a run; the cores divided by --jobs by default")
    .option("--jobs <count>", "runs at a time; 1 by default")
    .option("--budget <count>", "trials for each method", "16")
    .option("--finalists <count>", "best trials that are run again, besides the untuned one", "3")
    .option("--seeds <count>", "new seeds for each finalist", "3")
    .option("--out <folder>", "where to write; runs/tune by default")
    .option("--accept-code", "use trials and checkpoints of code that has changed since")
    .option(
      "--dry-run",
      "print the trials and how long they will take, write nothing, open no device",
    )
    .option(
      "--probe",
      "with --dry-run: open the device and time the first steps of each kind of run",
    )
    .action(async (typed: TuneArguments) => end(await tune(typed)));
}

async function tune(typed: TuneArguments): Promise<Deno.Signal | undefined> {
  const preset = lookUp(PRESETS, "preset", typed.preset);
  const { tables, methods, datasets = "", moduleFolders } = await openTables({
    methods: typed.methods,
    datasets: absoluteName(`${HELD_OUT}${typed.dataset ?? preset.datasets[0]}`),
  });
  if (datasets.includes(",")) {
    throw new UsageError(`--dataset takes one data set, got ${datasets.replaceAll(HELD_OUT, "")}`);
  }
  const { experiment, jobs } = readExperiment(
    { ...typed, methods, datasets, seeds: "0" },
    {
      tables,
      presets: PRESETS,
      devices: Object.keys(DEVICES),
      cores: availableCores(),
    },
  );
  const crowded = threadsWarning({ ...experiment, jobs, cores: availableCores() });
  if (crowded !== undefined) console.error(`Warning: ${crowded}`);
  const metric = metricOf(typed.metric ?? experiment.metrics[0], tables);
  requireJudged({ metrics: [metric.name], datasets: experiment.datasets }, tables);
  const reason = await metric.available?.() ?? null;
  if (reason !== null) throw new Error(`Cannot tune for ${metric.name}: ${reason}`);
  const budget = {
    trials: parseCount(typed.budget, "--budget"),
    finalists: parseCount(typed.finalists, "--finalists"),
    seeds: parseCount(typed.seeds, "--seeds"),
  };
  const scored = { ...experiment, name: "tune", metrics: [metric.name], scoreUntrained: false };
  const trials = searchTrials(scored, { tables, trials: budget.trials });
  const out = userPath(typed.out ?? "runs/tune");
  const options = {
    tables,
    out,
    jobs,
    force: false,
    checkpointSeconds: Number(CHECKPOINT_SECONDS),
    acceptCode: typed.acceptCode ?? false,
    readCode: codeReader(projectPath(".")),
    dataFolder: dataFolder(),
    moduleFolders,
  };
  const specs = trials.map(({ spec }) => spec);
  if (typed.probe && !typed.dryRun) {
    throw new UsageError("--probe has an effect only with --dry-run");
  }
  if (typed.dryRun) {
    for (const { method, index, changed } of trials) {
      console.log(`${method} trial ${index}: ${JSON.stringify(changed)}`);
    }
    const { records } = await readResults(out);
    console.log(await forecast(specs, { ...options, records, probe: typed.probe ?? false }));
    return undefined;
  }

  const search = await runSpecs(specs, scored, options);
  if (search.interrupted !== undefined) return search.interrupted;
  const finals = finalRuns(trials, { outcomeOf: outcomesOf(search.records, metric), budget });
  const { records, interrupted } = await runSpecs(
    finals.flatMap(({ specs }) => specs),
    scored,
    options,
  );
  if (interrupted !== undefined) return interrupted;
  const tuned = summarise(trials, { records, metric, finals });
  const markdown = tuningMarkdown(tuned, { metric: metric.label, ...budget });
  await replaceFile(`${out}/tuning.md`, markdown);
  await replaceFile(`${out}/tuning.json`, `${JSON.stringify({ budget, tuned }, null, 2)}\n`);
  console.log(`${markdown}\nWrote ${out}/tuning.md, ${out}/tuning.json`);
  return undefined;
}

function metricOf(name: string, tables: Tables): Metric {
  const score = lookUp(tables.metrics, "metric", name);
  if (!isMetric(score)) throw new UsageError(`Cannot tune for ${name}: it does not score samples`);
  return score;
}

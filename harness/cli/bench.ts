/**
 * `deno task bench`: the experiment that the arguments describe, trained, sampled, scored and tabulated.
 *
 * @module
 */
import { Command, Option } from "commander";
import { DATASET_FORMS } from "../../datasets/mod.ts";
import { parseSeconds, UsageError } from "../core/arguments.ts";
import { dataFolder } from "../core/cache_folder.ts";
import { absoluteName, baseName, parseOwnImages } from "../core/dataset_name.ts";
import { exitCodeOf, FAILED } from "../core/exit_codes.ts";
import { readTextIfAny } from "../core/files.ts";
import { projectPath, userPath } from "../core/project.ts";
import { availableCores } from "../core/threads.ts";
import { DEVICES } from "../engine/device.ts";
import { type ExperimentArguments, readExperiment } from "../experiment/experiment_arguments.ts";
import { type ConfiguredExperiment, parseExperiment } from "../experiment/experiment_file.ts";
import { DEFAULT_PRESET, PRESETS } from "../experiment/presets.ts";
import { codeReader } from "../experiment/run_code.ts";
import { bench, type BenchOptions, dryRun } from "../sweep/bench.ts";
import { withEarlierThreads } from "../sweep/earlier_threads.ts";
import type { SlurmArguments } from "../sweep/slurm/options.ts";
import { RESULTS_FILE } from "../sweep/store.ts";
import { gather } from "./arguments.ts";
import { addSlurmOptions, benchOnSlurm, slurmOptions } from "./cluster.ts";
import { listCommand, misplacedWord } from "./list.ts";
import { lookAt } from "./open_page.ts";
import { CHECKPOINT_SECONDS } from "./run_command.ts";
import { openTables, TABLES } from "./tables.ts";
import { toyCommand } from "./toy.ts";
import { PAGE_FILE, writeReports } from "./write_reports.ts";

interface BenchArguments extends Omit<ExperimentArguments, "preset">, SlurmArguments {
  readonly preset?: string;
  readonly config?: string;
  readonly out?: string;
  readonly dryRun?: boolean;
  readonly probe?: boolean;
  readonly force?: boolean;
  readonly checkpointSeconds: string;
  readonly acceptCode?: boolean;
  readonly strict?: boolean;
  readonly size?: string;
}

/** Defines the command `bench`, with `toy` and `list`. */
export function benchCommand(): Command {
  const command = new Command("bench")
    .description(
      "train, sample, score and tabulate every method on every data set and seed; the options from --methods to --device override the preset (deno task bench list)",
    )
    .addOption(
      new Option(
        "--preset <name>",
        `one of ${Object.keys(PRESETS).join(", ")} (default: ${DEFAULT_PRESET})`,
      ).conflicts("config"),
    )
    .option(
      "--config <file>",
      "an experiment.json, as bench writes it to its output folder, in the place of a preset",
    )
    .option(
      "--methods <names>",
      "comma-separated names, or modules of your own: ./mine.ts",
    )
    .option(
      "--datasets <names>",
      `comma-separated names, ${
        DATASET_FORMS.join(", ")
      }, or modules of your own: ./set.ts; fashion_4k@28 leaves out the padding to 32x32, fashion_4k-3 holds out class 3 as an anomaly, inpaint:block-0.3:NAME and recover:pixels-0.5:NAME hide pixels of test or training images`,
    )
    .option("--metrics <names>", "comma-separated names of scores")
    .option("--seeds <seeds>", "for example 0..2 or 0,1,2")
    .option("--epochs <count>", "training epochs")
    .option("--batch-size <count>", "images per step")
    .option("--images <count>", "number of training images, the first of the set")
    .option("--samples <count>", "number of samples for the scores")
    .option("--score-every <epochs>", "also score samples after every so many epochs, for curves")
    .option(
      "--set <METHOD.KEY=VALUE>",
      "a hyperparameter, for example lae.stepSize=1e-4; *.KEY sets it for all methods that have it; repeatable",
      gather,
    )
    .option(
      "--device <name>",
      `one of ${Object.keys(DEVICES).join(", ")}`,
    )
    .option(
      "--threads <count>",
      "threads per run (default: as the runs in the folder, else the cores of the machine or of the Slurm job divided by --jobs)",
    )
    .option(
      "--jobs <count>",
      "number of parallel runs; timings from parallel runs are not comparable (default: 1)",
    )
    .option("--out <folder>", "output folder (default: runs/PRESET)")
    .option("--dry-run", "print the runs and their estimated time, write nothing, open no device")
    .option(
      "--probe",
      "with --dry-run: open the device and time the first steps of each kind of run",
    )
    .option("--force", "repeat completed runs")
    .option(
      "--checkpoint-seconds <seconds>",
      "seconds of training between checkpoints inside an epoch",
      CHECKPOINT_SECONDS,
    )
    .option(
      "--accept-code",
      "use results and checkpoints of code that has changed since; averages over different code are marked",
    )
    .option("--strict", "refuse settings that a method warns about")
    .addOption(
      new Option("--size <pixels>", "image size of folder: and archive: data sets (default: 32)")
        .choices(["32", "64"]),
    )
    .allowExcessArguments() // benchAction names the command that was meant
    .action((typed: BenchArguments, { args }: Command) => benchAction(typed, args));
  addSlurmOptions(command);
  command.enablePositionalOptions().addCommand(toyCommand(userPath));
  return command.addCommand(listCommand(TABLES));
}

async function benchAction(args: BenchArguments, [word]: readonly string[]): Promise<void> {
  if (word !== undefined) throw misplacedWord(word, TABLES);
  const datasets = resolvedNames(args.datasets, args.size);
  const config = args.config === undefined ? undefined : await readConfig(args.config);
  const { tables, moduleFolders, ...names } = await openTables({
    methods: args.methods,
    datasets: datasets ?? config?.preset.datasets.join(),
    modules: config?.modules,
  });
  const preset = config?.name ?? args.preset ?? DEFAULT_PRESET;
  const slurm = await slurmOptions(args);
  const { experiment: asked, jobs } = readExperiment({ ...args, ...names, preset }, {
    tables,
    presets: config === undefined ? PRESETS : { [config.name]: config.preset },
    devices: Object.keys(DEVICES),
    // On a cluster, the cores of a task, not of the machine that plans.
    cores: slurm === undefined ? availableCores() : slurm.cpus ?? 1,
  });
  const out = userPath(args.out ?? `runs/${asked.name}`);
  const where = { out, tables, asked: args.threads !== undefined };
  const { experiment, notice } = await withEarlierThreads(asked, where);
  if (notice !== undefined) console.error(notice);
  const options: BenchOptions = {
    tables,
    out,
    jobs,
    force: args.force ?? false,
    acceptCode: args.acceptCode ?? false,
    readCode: codeReader(projectPath(".")),
    strict: args.strict ?? false,
    checkpointSeconds: parseSeconds(args.checkpointSeconds, "--checkpoint-seconds"),
    dataFolder: dataFolder(),
    moduleFolders,
    publish: async (records) => {
      const { markdown, paths } = await writeReports(out, records);
      const written = [`${out}/${RESULTS_FILE}`, ...paths].join(", ");
      return `${markdown}\nWrote ${written}\n${lookAt(`${out}/${PAGE_FILE}`)}`;
    },
  };
  const probe = args.probe ?? false;
  if (args.dryRun) return await dryRun(experiment, { ...options, probe });
  if (probe) throw new UsageError("--probe has an effect only with --dry-run");
  if (slurm !== undefined) {
    return await benchOnSlurm(experiment, { ...options, slurm, submit: args.submit ?? false });
  }
  const { complete, interrupted } = await bench(experiment, options);
  Deno.exitCode = exitCodeOf(interrupted) ?? (complete ? 0 : FAILED);
}

/** Reads an experiment from a file of the user's. */
async function readConfig(given: string): Promise<ConfiguredExperiment> {
  const path = userPath(given);
  const text = await readTextIfAny(path);
  if (text === undefined) throw new UsageError(`${path} was not found: --config takes a file`);
  return parseExperiment(text, path);
}

/** The names of data sets with `--size` and absolute paths in those of the user's own images. */
function resolvedNames(names: string | undefined, size: string | undefined): string | undefined {
  return names?.split(",").map((name) => {
    const own = parseOwnImages(baseName(name.trim()));
    const isSized = own === undefined || own.size !== undefined || size === undefined;
    return absoluteName(isSized ? name.trim() : `${name.trim()}@${size}`);
  }).join();
}

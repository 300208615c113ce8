/**
 * The command line. The only module that knows both the tables and the reports.
 *
 * @module
 */
import { Command, CommanderError, Option } from "commander";
import { DATASET_FORMS, DATASETS, resolveDataset } from "../../datasets/mod.ts";
import { METHODS } from "../../methods/mod.ts";
import { toHtml } from "../../reports/html.ts";
import { toJson } from "../../reports/json.ts";
import { blocksMarkdown, toMarkdown } from "../../reports/markdown.ts";
import { againstPaper } from "../../reports/against_paper.ts";
import { againstRuns } from "../../reports/against_runs.ts";
import { buildResults, type Results } from "../../reports/table.ts";
import type { Block } from "../../reports/document/block.ts";
import { downloadsOf, readPictures } from "./page_content.ts";
import { addSlurmOptions, benchOnSlurm, slurmOptions, statusCommand } from "./cluster.ts";
import type { SlurmArguments } from "../sweep/slurm/options.ts";
import { bench, type BenchOptions, dryRun } from "../sweep/bench.ts";
import { dataFolder } from "../core/cache_folder.ts";
import { absoluteName, HELD_OUT, parseOwnImages } from "../core/dataset_name.ts";
import { CHECKPOINTED, FAILED, INTERRUPTED, MISUSED } from "../core/exit_codes.ts";
import { DEVICES, openDevice } from "../engine/device.ts";
import { type ExperimentArguments, readExperiment } from "../experiment/experiment_arguments.ts";
import { DEFAULT_PRESET, PRESETS } from "../experiment/presets.ts";
import { ifThere, replaceFile } from "../core/files.ts";
import { listTables } from "../experiment/listing.ts";
import { METRICS } from "../metrics/metrics.ts";
import { measurePace } from "../run/probe.ts";
import { plainText } from "../core/plain_text.ts";
import { projectPath, userPath } from "../core/project.ts";
import { availableCores } from "../core/threads.ts";
import { withEarlierThreads } from "../sweep/earlier_threads.ts";
import { codeReader } from "../experiment/run_code.ts";
import { parseSpec } from "../experiment/record_schema.ts";
import { lookUp, type Tables } from "../experiment/spec.ts";
import { collect, findRecords } from "../sweep/collect.ts";
import { latestRecords, readResults, RESULTS_FILE } from "../sweep/store.ts";
import { readLikelihoods } from "../sweep/likelihood_store.ts";
import { readRunList } from "../sweep/run_list.ts";
import { toyCommand } from "./toy.ts";
import { CHECKPOINT_SECONDS, type Entries, runCommand } from "./run_command.ts";
import { likelihoodCommand } from "./likelihood.ts";
import { tuneCommand } from "./tune.ts";
import type { Method } from "../core/types.ts";
import type { RunRecord, RunSpec } from "../core/records.ts";
import { parseSeconds, UsageError } from "../core/arguments.ts";

const TABLES: Tables = {
  methods: METHODS as Readonly<Record<string, Method>>,
  datasets: DATASETS,
  metrics: METRICS,
};

interface BenchArguments extends ExperimentArguments, SlurmArguments {
  readonly out?: string;
  readonly dryRun?: boolean;
  readonly probe?: boolean;
  readonly force?: boolean;
  readonly checkpointSeconds: string;
  readonly acceptCode?: boolean;
  readonly strict?: boolean;
  readonly size?: string;
}

function createProgram(): Command {
  const program = new Command("deno task")
    .enablePositionalOptions() // options after a command belong to that command
    .description("Trains Langevin autoencoders and their rivals, and tabulates the results.");
  const collect = (value: string, values: readonly string[] = []) => [...values, value];

  const benchCommand = program.command("bench")
    .description(
      "train, sample, score and tabulate every method on every data set and seed; the options from --methods to --device override the preset (deno task bench list)",
    )
    .option("--preset <name>", `one of ${Object.keys(PRESETS).join(", ")}`, DEFAULT_PRESET)
    .option("--methods <names>", "comma-separated names")
    .option(
      "--datasets <names>",
      `comma-separated names; ${DATASET_FORMS.join(", ")} also work`,
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
      collect,
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
    .action(benchAction);
  addSlurmOptions(benchCommand);
  benchCommand.enablePositionalOptions().addCommand(toyCommand(userPath));
  benchCommand.command("list")
    .description("print methods, data sets, metrics, presets, hyperparameters, sources, deviations")
    .action(() => {
      const others = { presets: PRESETS, devices: DEVICES, datasetForms: DATASET_FORMS };
      console.log(listTables(TABLES, others).trimEnd());
    });

  program.command("report")
    .description("rebuild the tables of an output folder from its results.jsonl")
    .argument("<folder>", "the output folder")
    .option(
      "--against <folder>",
      "compare with the results of another folder, run by run, or with `paper`, the published numbers",
    )
    .action(reportAction);

  program.command("collect")
    .description(
      "add the records that runs wrote to their own folders to results.jsonl, and rebuild the tables; nothing is trained or scored again",
    )
    .argument("<folder>", "the output folder")
    .action(collectAction);

  program.addCommand(statusCommand());

  program.addCommand(likelihoodCommand({ tablesWith, publish: writeReports }));
  program.addCommand(tuneCommand(TABLES, (interrupted) => {
    Deno.exitCode = exitCodeOf(interrupted) ?? 0;
  }));

  program.addCommand(runCommand(entriesOf));

  program.command("probe", { hidden: true })
    .description("print the pace of a run as JSON")
    .argument("<spec>", "a run spec as JSON")
    .action(probeAction);

  program.command("device", { hidden: true })
    .description("open and close a device, and print the number of GPUs that it found")
    .argument("<name>", "as for --device")
    .action(async (name: string) => {
      await using device = await openDevice(name, { threads: 1 });
      console.log(device.gpuCount ?? 0);
    });
  return program;
}

async function benchAction(typed: BenchArguments): Promise<void> {
  const args = { ...typed, datasets: resolvedNames(typed.datasets, typed.size) };
  const tables = await tablesWith(args.datasets);
  const slurm = await slurmOptions(args);
  const { experiment: asked, jobs } = readExperiment(args, {
    tables,
    presets: PRESETS,
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
    publish: async (records) => {
      const { markdown, paths } = await writeReports(out, records);
      return `${markdown}\nWrote ${[`${out}/${RESULTS_FILE}`, ...paths].join(", ")}`;
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

/** The exit code after the signal `by`; undefined after none. */
function exitCodeOf(by: Deno.Signal | undefined): number | undefined {
  return by === undefined ? undefined : by === "SIGINT" ? INTERRUPTED : CHECKPOINTED;
}

/** The names of data sets with `--size` and absolute paths in those of the user's own images. */
function resolvedNames(names: string | undefined, size: string | undefined): string | undefined {
  return names?.split(",").map((name) => {
    const own = parseOwnImages(name.trim());
    const isSized = own === undefined || own.size !== undefined || size === undefined;
    return absoluteName(isSized ? name.trim() : `${name.trim()}@${size}`);
  }).join();
}

/** The tables with the data sets in `names` of forms such as `folder:PATH`. */
async function tablesWith(names = ""): Promise<Tables> {
  const made = names.split(",").filter((name) => name.includes(":"));
  const datasets = await Promise.all(made.map(async (name) => {
    try {
      return [name, await resolveDataset(name)] as const;
    } catch (error) {
      throw error instanceof RangeError ? new UsageError(error.message) : error;
    }
  }));
  return { ...TABLES, datasets: { ...TABLES.datasets, ...Object.fromEntries(datasets) } };
}

async function reportAction(
  folder: string,
  { against }: { readonly against?: string },
): Promise<void> {
  const dir = userPath(folder);
  const records = await recordsIn(dir);
  const compare = against === undefined ? undefined : await comparisonWith(against, records);
  const { markdown, paths } = await writeReports(dir, records, compare);
  console.log(`${markdown}\nWrote ${paths.join(", ")}`);
}

async function collectAction(folder: string): Promise<void> {
  const dir = userPath(folder);
  if (!await ifThere(Deno.stat(dir))) throw new Error(`Folder not found: ${dir}`);
  const { adopted, records } = await collect(dir);
  if (adopted.length === 0) console.error(`Nothing new in the run folders of ${dir}`);
  if (records.length === 0) return;
  const { paths } = await writeReports(dir, latestRecords(records));
  console.error(`Wrote ${paths.join(", ")}`);
}

/** The latest records of the folder `dir`, with those that its runs wrote to their own folders. Throws if it has none. */
async function recordsIn(dir: string): Promise<RunRecord[]> {
  const { records: known, torn } = await readResults(dir);
  if (torn !== "") console.error(`Ignored the incomplete last line of ${dir}/${RESULTS_FILE}`);
  const records = [...known, ...await foundIn(dir, known)];
  if (records.length === 0) {
    throw new Error(
      `No results in ${dir}/${RESULTS_FILE}: create them with deno task bench --out ${dir}`,
    );
  }
  return latestRecords(records);
}

/** The records of runs in `dir` that `known` lacks, collected if the results can be written. */
async function foundIn(dir: string, known: readonly RunRecord[]): Promise<readonly RunRecord[]> {
  const { records } = await findRecords(dir, known);
  if (records.length === 0) return [];
  try {
    return (await collect(dir)).adopted;
  } catch (error) {
    console.error(`Shown, and not added to the results: ${(error as Error).message}`);
    return records;
  }
}

/** The blocks that compare `records` with the published numbers or with those of the folder `against`. */
async function comparisonWith(
  against: string,
  records: readonly RunRecord[],
): Promise<(results: Results) => Block[]> {
  if (against === "paper") return ({ table }) => againstPaper(table);
  const others = await recordsIn(userPath(against));
  return ({ table }) => againstRuns(records, { table, others, name: against });
}

/**
 * Writes the tables of `records`; the blocks of `compare` follow in the page and in `markdown`, not in table.md and table.json.
 * Equal records give equal bytes.
 */
async function writeReports(
  dir: string,
  records: readonly RunRecord[],
  compare: (results: Results) => Block[] = () => [],
): Promise<{ readonly markdown: string; readonly paths: readonly string[] }> {
  const names = {
    methods: Object.values(TABLES.methods),
    datasets: Object.values(TABLES.datasets),
    metrics: Object.values(TABLES.metrics),
  };
  const results = buildResults(records, {
    names,
    runList: await readRunList(dir),
    likelihoods: await readLikelihoods(dir),
  });
  const against = compare(results);
  const markdown = toMarkdown(results.table);
  const pictures = await readPictures(dir, results, sideOf);
  const files = {
    "table.md": markdown,
    "table.json": toJson(results.table),
    "report.html": toHtml(results, { pictures, downloads: downloadsOf(results), against }),
  };
  for (const [name, text] of Object.entries(files)) await replaceFile(`${dir}/${name}`, text);
  const compared = against.length === 0 ? "" : `\n${blocksMarkdown(against, { captions: true })}`;
  return {
    markdown: markdown + compared,
    paths: Object.keys(files).map((name) => `${dir}/${name}`),
  };
}

/** The side of a data set's images in pixels; that of the user's own pictures stands in the name. */
function sideOf(dataset: string): number {
  const name = dataset.startsWith(HELD_OUT) ? dataset.slice(HELD_OUT.length) : dataset;
  return TABLES.datasets[name]?.image.width ?? Number(/@(\d+)$/.exec(name)?.[1] ?? 32);
}

async function probeAction(text: string): Promise<void> {
  const start = performance.now();
  const spec = parseSpec(text, "The argument");
  await using device = await openDevice(spec.device, { threads: spec.threads });
  const pace = await measurePace(spec, { ...await entriesOf(spec), device });
  console.log(JSON.stringify({ ...pace, seconds: (performance.now() - start) / 1000 }));
}

async function entriesOf(spec: RunSpec): Promise<Entries> {
  const { methods, datasets, metrics } = await tablesWith(spec.dataset);
  return {
    method: lookUp(methods, "method", spec.method),
    dataset: lookUp(datasets, "data set", spec.dataset),
    metrics: spec.metrics.map((name) => lookUp(metrics, "metric", name)),
  };
}

/** Executes the command line `args`. Every error is one line on standard error and an exit code. */
async function main(args: readonly string[]): Promise<void> {
  const program = createProgram();
  const silence = (command: Command) => {
    command.exitOverride().configureOutput({ writeErr: () => {} });
    command.commands.forEach(silence);
  };
  silence(program);
  try {
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return; // help was printed
    const message = error instanceof Error ? error.message : String(error);
    console.error(plainText(message.replace(/^error: /, "").trim()));
    const misused = error instanceof CommanderError || error instanceof UsageError;
    Deno.exitCode = misused ? MISUSED : FAILED;
  }
}

if (import.meta.main) await main(Deno.args);

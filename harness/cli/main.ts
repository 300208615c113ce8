/**
 * The command line.
 *
 * @module
 */
import { Command, CommanderError, Option } from "commander";
import { DATASET_FORMS } from "../../datasets/mod.ts";
import { toCsv } from "../../reports/csv.ts";
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
import { absoluteName, baseName, parseOwnImages } from "../core/dataset_name.ts";
import { CHECKPOINTED, FAILED, INTERRUPTED, MISUSED } from "../core/exit_codes.ts";
import { DEVICES, openDevice } from "../engine/device.ts";
import { type ExperimentArguments, readExperiment } from "../experiment/experiment_arguments.ts";
import { DEFAULT_PRESET, PRESETS } from "../experiment/presets.ts";
import { ifThere, readTextIfAny, replaceFile } from "../core/files.ts";
import { type ConfiguredExperiment, parseExperiment } from "../experiment/experiment_file.ts";
import { measurePace } from "../run/probe.ts";
import { plainText } from "../core/plain_text.ts";
import { projectPath, projectVersion, userPath } from "../core/project.ts";
import { availableCores } from "../core/threads.ts";
import { withEarlierThreads } from "../sweep/earlier_threads.ts";
import { codeReader } from "../experiment/run_code.ts";
import { parseSpec } from "../experiment/record_schema.ts";
import { collect, findRecords } from "../sweep/collect.ts";
import { latestRecords, readResults, RESULTS_FILE } from "../sweep/store.ts";
import { readLikelihoods } from "../sweep/likelihood_store.ts";
import { readRunList } from "../sweep/run_list.ts";
import { checkValues, gather } from "./arguments.ts";
import { listCommand, misplacedWord } from "./list.ts";
import { TOY_PAGE, toyCommand } from "./toy.ts";
import { lookAt, openPage } from "./open_page.ts";
import { CHECKPOINT_SECONDS, runCommand } from "./run_command.ts";
import { likelihoodCommand } from "./likelihood.ts";
import { conformCommand } from "./conform.ts";
import { tuneCommand } from "./tune.ts";
import { errorLine } from "./programs.ts";
import { entriesOf, namesOf, openTables, sideOf, TABLES, tablesOf } from "./tables.ts";
import type { RunRecord } from "../core/records.ts";
import { parseSeconds, UsageError } from "../core/arguments.ts";

/** The page of an output folder, and the table of its runs for other programs. */
const PAGE_FILE = "report.html";
const CSV_FILE = "runs.csv";

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

function createProgram(): Command {
  const program = new Command("deno task")
    .enablePositionalOptions() // options after a command belong to that command
    .description("Trains Langevin autoencoders and their rivals, and tabulates the results.");
  const benchCommand = program.command("bench")
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
      }, or modules of your own: ./set.ts; fashion_4k-3 holds out class 3 as an anomaly, inpaint:block-0.3:NAME and recover:pixels-0.5:NAME hide pixels of test or training images`,
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
  addSlurmOptions(benchCommand);
  benchCommand.enablePositionalOptions().addCommand(toyCommand(userPath));
  benchCommand.addCommand(listCommand(TABLES));

  program.command("report")
    .description("rebuild the tables of an output folder from its results.jsonl")
    .argument("<folder>", "the output folder")
    .option(
      "--against <folder>",
      "compare with the results of another folder, run by run, or with `paper`, the published numbers",
    )
    .option("--csv", `also write ${CSV_FILE}: one line a run, with every setting and score`)
    .option("--open", `open ${PAGE_FILE} in a browser`)
    .action(reportAction);

  program.command("collect")
    .description(
      "add the records that runs wrote to their own folders to results.jsonl, and rebuild the tables; nothing is trained or scored again",
    )
    .argument("<folder>", "the output folder")
    .action(collectAction);

  program.addCommand(statusCommand());

  program.addCommand(likelihoodCommand({ tablesOf, publish: writeReports }));
  program.addCommand(tuneCommand((interrupted) => {
    Deno.exitCode = exitCodeOf(interrupted) ?? 0;
  }));

  program.addCommand(conformCommand((passed) => {
    Deno.exitCode = passed ? 0 : FAILED;
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
  const version = `laebench ${projectVersion()}`;
  for (const command of [program, ...program.commands]) {
    command.version(version, "--version", "print the version");
  }
  return program;
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

/** The exit code after the signal `by`; undefined after none. */
function exitCodeOf(by: Deno.Signal | undefined): number | undefined {
  return by === undefined ? undefined : by === "SIGINT" ? INTERRUPTED : CHECKPOINTED;
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

async function reportAction(
  folder: string,
  { against, csv, open }: {
    readonly against?: string;
    readonly csv?: boolean;
    readonly open?: boolean;
  },
): Promise<void> {
  const dir = userPath(folder);
  const records = await recordsIn(dir);
  const compare = against === undefined ? undefined : await comparisonWith(against, records);
  const { markdown, paths } = await writeReports(dir, records, compare);
  if (csv) await replaceFile(`${dir}/${CSV_FILE}`, toCsv(records));
  const written = [...paths, ...csv ? [`${dir}/${CSV_FILE}`] : []];
  console.log(`${markdown}\nWrote ${written.join(", ")}\n${lookAt(`${dir}/${PAGE_FILE}`)}`);
  if (open) await openPage(`${dir}/${PAGE_FILE}`);
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
  const runList = await readRunList(dir);
  const results = buildResults(records, {
    names: namesOf([...records, ...runList ?? []].map(({ spec }) => spec)),
    runList,
    likelihoods: await readLikelihoods(dir),
  });
  const against = compare(results);
  const markdown = toMarkdown(results.table);
  const pictures = await readPictures(dir, results, sideOf);
  const files = {
    "table.md": markdown,
    "table.json": toJson(results.table),
    [PAGE_FILE]: toHtml(results, {
      pictures,
      downloads: downloadsOf(results),
      against,
      toy: await toyPageFrom(dir),
    }),
  };
  for (const [name, text] of Object.entries(files)) await replaceFile(`${dir}/${name}`, text);
  const compared = against.length === 0 ? "" : `\n${blocksMarkdown(against, { captions: true })}`;
  return {
    markdown: markdown + compared,
    paths: Object.keys(files).map((name) => `${dir}/${name}`),
  };
}

/** The path from the folder `dir` to the page of the toy suite, in it or beside it; undefined if there is none. */
async function toyPageFrom(dir: string): Promise<string | undefined> {
  for (const path of [TOY_PAGE, `../toy/${TOY_PAGE}`]) {
    const isThere = await Deno.stat(`${dir}/${path}`).then(
      ({ isFile }) => isFile,
      () => false, // absent, or not to be read
    );
    if (isThere) return path;
  }
}

async function probeAction(text: string): Promise<void> {
  const start = performance.now();
  const spec = parseSpec(text, "The argument");
  await using device = await openDevice(spec.device, { threads: spec.threads });
  const pace = await measurePace(spec, { ...await entriesOf(spec), device });
  console.log(JSON.stringify({ ...pace, seconds: (performance.now() - start) / 1000 }));
}

/** Executes the command line `args`. Every error is one line on standard error and an exit code. */
async function main(args: readonly string[]): Promise<void> {
  const program = createProgram();
  const silence = (command: Command) => {
    command.exitOverride().configureOutput({ writeErr: () => {} });
    command.commands.forEach(silence);
  };
  silence(program);
  checkValues(program);
  try {
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return; // help was printed
    console.error(plainText(errorLine(error).replace(/^error: /, "")));
    const misused = error instanceof CommanderError || error instanceof UsageError;
    Deno.exitCode = misused ? MISUSED : FAILED;
  }
}

if (import.meta.main) await main(Deno.args);

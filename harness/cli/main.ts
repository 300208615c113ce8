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
import { bench, type BenchOptions, dryRun } from "../sweep/bench.ts";
import { dataFolder } from "../core/cache_folder.ts";
import { DEVICES, openDevice } from "../engine/device.ts";
import type { RunEvent } from "../run/events.ts";
import { type ExperimentArguments, readExperiment } from "../experiment/experiment_arguments.ts";
import { DEFAULT_PRESET, PRESETS } from "../experiment/presets.ts";
import { readTextIfAny, replaceFile } from "../core/files.ts";
import { type ConfiguredExperiment, parseExperiment } from "../experiment/experiment_file.ts";
import { listTables } from "../experiment/listing.ts";
import { measurePace } from "../run/probe.ts";
import { projectPath, projectVersion, userPath } from "../core/project.ts";
import { readProvenance } from "../run/provenance.ts";
import { codeReader } from "../experiment/run_code.ts";
import { parseSpec } from "../experiment/record_schema.ts";
import { executeRun } from "../run/run.ts";
import { latestRecords, readResults, RESULTS_FILE } from "../sweep/store.ts";
import { readLikelihoods } from "../sweep/likelihood_store.ts";
import { readRunList } from "../sweep/run_list.ts";
import { RECORD_FILE } from "../sweep/sweep.ts";
import { throttleEvents } from "../run/throttle.ts";
import { TOY_PAGE, toyCommand } from "./toy.ts";
import { lookAt, openPage } from "./open_page.ts";
import { likelihoodCommand } from "./likelihood.ts";
import { conformCommand } from "./conform.ts";
import { tuneCommand } from "./tune.ts";
import { entriesOf, namesOf, openTables, sideOf, TABLES, tablesOf } from "./tables.ts";
import type { RunRecord } from "../core/records.ts";
import { parseCount, UsageError } from "../core/arguments.ts";

/** The page of an output folder, and the table of its runs for other programs. */
const PAGE_FILE = "report.html";
const CSV_FILE = "runs.csv";

/** Exit codes: failed work, wrong arguments. */
const FAILED = 1;
const MISUSED = 2;
/** Exit code after Ctrl-C, as in shells: 128 + SIGINT. */
const INTERRUPTED = 130;

interface BenchArguments extends Omit<ExperimentArguments, "preset"> {
  readonly preset?: string;
  readonly config?: string;
  readonly out?: string;
  readonly dryRun?: boolean;
  readonly force?: boolean;
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
      `comma-separated names, ${DATASET_FORMS.join(", ")}, or modules of your own: ./set.ts`,
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
    .option("--threads <count>", "threads per run (default: cores divided by --jobs)")
    .option(
      "--jobs <count>",
      "number of parallel runs; timings from parallel runs are not comparable (default: 1)",
    )
    .option("--out <folder>", "output folder (default: runs/PRESET)")
    .option("--dry-run", "print the runs and their estimated time, write nothing")
    .option("--force", "repeat completed runs")
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
    .option("--csv", `also write ${CSV_FILE}: one line a run, with every setting and score`)
    .option("--open", `open ${PAGE_FILE} in a browser`)
    .action(reportAction);

  program.addCommand(likelihoodCommand({ tablesOf, publish: writeReports }));
  program.addCommand(tuneCommand(TABLES, (interrupted) => {
    Deno.exitCode = interrupted ? INTERRUPTED : 0;
  }));

  program.addCommand(conformCommand((passed) => {
    Deno.exitCode = passed ? 0 : FAILED;
  }));

  program.command("run")
    .description(
      "execute one run in this process, as bench or a cluster scheduler starts it",
    )
    .argument("<spec>", "file with a run spec, as bench writes it")
    .requiredOption(
      "--out <folder>",
      `folder for ${RECORD_FILE}, the checkpoint and the samples`,
    )
    .option("--experiment <name>", "name of the experiment, for the record", "single")
    .option("--jobs <count>", "number of parallel runs on the machine, for the record", "1")
    .option("--accept-code", "resume from a checkpoint of code that has changed since")
    .action(runAction);

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

async function benchAction(args: BenchArguments): Promise<void> {
  const datasets = sized(args.datasets, args.size);
  const config = args.config === undefined ? undefined : await readConfig(args.config);
  const { tables, moduleFolders, ...names } = await openTables({
    methods: args.methods,
    datasets: datasets ?? config?.preset.datasets.join(),
    modules: config?.modules,
  });
  const preset = config?.name ?? args.preset ?? DEFAULT_PRESET;
  const { experiment, jobs } = readExperiment({ ...args, ...names, preset }, {
    tables,
    presets: config === undefined ? PRESETS : { [config.name]: config.preset },
    devices: Object.keys(DEVICES),
    cores: navigator.hardwareConcurrency,
  });
  const out = userPath(args.out ?? `runs/${experiment.name}`);
  const options: BenchOptions = {
    tables,
    out,
    jobs,
    force: args.force ?? false,
    acceptCode: args.acceptCode ?? false,
    readCode: codeReader(projectPath(".")),
    strict: args.strict ?? false,
    dataFolder: dataFolder(),
    moduleFolders,
    publish: async (records) => {
      const { markdown, paths } = await writeReports(out, records);
      const written = [`${out}/${RESULTS_FILE}`, ...paths].join(", ");
      return `${markdown}\nWrote ${written}\n${lookAt(`${out}/${PAGE_FILE}`)}`;
    },
  };
  if (args.dryRun) return await dryRun(experiment, options);
  const { complete, interrupted } = await bench(experiment, options);
  Deno.exitCode = interrupted ? INTERRUPTED : complete ? 0 : FAILED;
}

/** Reads an experiment from a file of the user's. */
async function readConfig(given: string): Promise<ConfiguredExperiment> {
  const path = userPath(given);
  const text = await readTextIfAny(path);
  if (text === undefined) throw new UsageError(`${path} was not found: --config takes a file`);
  return parseExperiment(text, path);
}

/** Appends `--size` to the data sets of the user's own images that name no size. */
function sized(datasets: string | undefined, size: string | undefined): string | undefined {
  if (datasets === undefined || size === undefined) return datasets;
  return datasets.split(",").map((name) =>
    name.includes(":") && !/@\d+$/.test(name) ? `${name}@${size}` : name
  ).join();
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

/** The latest records of the folder `dir`. Throws if it has none. */
async function recordsIn(dir: string): Promise<RunRecord[]> {
  const { records, torn } = await readResults(dir);
  if (torn !== "") console.error(`Ignored the incomplete last line of ${dir}/${RESULTS_FILE}`);
  if (records.length === 0) {
    throw new Error(
      `No results in ${dir}/${RESULTS_FILE}: create them with deno task bench --out ${dir}`,
    );
  }
  return latestRecords(records);
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

async function runAction(
  path: string,
  args: {
    readonly out: string;
    readonly experiment: string;
    readonly jobs: string;
    readonly acceptCode?: boolean;
  },
): Promise<void> {
  const spec = parseSpec(await Deno.readTextFile(userPath(path)), path);
  const dir = userPath(args.out);
  const jobs = parseCount(args.jobs, "--jobs");
  await Deno.mkdir(dir, { recursive: true });
  try {
    const { method, dataset, metrics } = await entriesOf(spec);
    await using device = await openDevice(spec.device, { threads: spec.threads });
    const record = await executeRun(spec, {
      method,
      dataset,
      metrics,
      device,
      experiment: args.experiment,
      dir,
      provenance: (datasetSha256) =>
        readProvenance({ device: device.description, datasetSha256, metrics, jobs }),
      modules: () => codeReader(projectPath("."))(spec),
      acceptCode: args.acceptCode,
      report: throttleEvents(tell),
    });
    await replaceFile(`${dir}/${RECORD_FILE}`, `${JSON.stringify(record)}\n`);
  } catch (error) {
    if (error instanceof Error) {
      await Deno.writeTextFile(`${dir}/log.txt`, `${error.stack}\n`, { append: true });
    }
    throw error;
  }
}

/** Writes `event` as a line to standard output. Throws if the pipe is closed, so that a run ends with its bench. */
function tell(event: RunEvent): void {
  const bytes = new TextEncoder().encode(`${JSON.stringify(event)}\n`);
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
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
  try {
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return; // help was printed
    const message = error instanceof Error ? error.message : String(error);
    console.error(message.replace(/^error: /, "").replaceAll(/\s*\n\s*/g, " "));
    const misused = error instanceof CommanderError || error instanceof UsageError;
    Deno.exitCode = misused ? MISUSED : FAILED;
  }
}

if (import.meta.main) await main(Deno.args);

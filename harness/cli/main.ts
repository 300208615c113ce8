/**
 * The command line. The only module that knows both the tables and the reports.
 *
 * @module
 */
import { Command, CommanderError, Option } from "commander";
import { DATASET_FORMS, DATASETS, HELD_OUT, isMade, resolveDataset } from "../../datasets/mod.ts";
import { METHODS } from "../../methods/mod.ts";
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
import { replaceFile } from "../core/files.ts";
import { listTables } from "../experiment/listing.ts";
import { METRICS } from "../metrics/metrics.ts";
import { measurePace } from "../run/probe.ts";
import { projectPath, userPath } from "../core/project.ts";
import { readProvenance } from "../run/provenance.ts";
import { codeReader } from "../experiment/run_code.ts";
import { parseSpec } from "../experiment/record_schema.ts";
import { executeRun } from "../run/run.ts";
import { lookUp, type Tables } from "../experiment/spec.ts";
import { latestRecords, readResults, RESULTS_FILE } from "../sweep/store.ts";
import { readLikelihoods } from "../sweep/likelihood_store.ts";
import { readRunList } from "../sweep/run_list.ts";
import { RECORD_FILE } from "../sweep/sweep.ts";
import { throttleEvents } from "../run/throttle.ts";
import { toyCommand } from "./toy.ts";
import { likelihoodCommand } from "./likelihood.ts";
import { tuneCommand } from "./tune.ts";
import type { Method } from "../core/types.ts";
import type { RunRecord, RunSpec } from "../core/records.ts";
import { parseCount, UsageError } from "../core/arguments.ts";

const TABLES: Tables = {
  methods: METHODS as Readonly<Record<string, Method>>,
  datasets: DATASETS,
  metrics: METRICS,
};

/** Exit codes: failed work, wrong arguments. */
const FAILED = 1;
const MISUSED = 2;
/** Exit code after Ctrl-C, as in shells: 128 + SIGINT. */
const INTERRUPTED = 130;

interface BenchArguments extends ExperimentArguments {
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
    .option("--preset <name>", `one of ${Object.keys(PRESETS).join(", ")}`, DEFAULT_PRESET)
    .option("--methods <names>", "comma-separated names")
    .option(
      "--datasets <names>",
      `comma-separated names; ${
        DATASET_FORMS.join(", ")
      } also work, and fashion_4k-3 holds out class 3 as an anomaly`,
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
    .action(reportAction);

  program.addCommand(likelihoodCommand({ tablesWith, publish: writeReports }));
  program.addCommand(tuneCommand(TABLES, (interrupted) => {
    Deno.exitCode = interrupted ? INTERRUPTED : 0;
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
  return program;
}

async function benchAction(typed: BenchArguments): Promise<void> {
  const args = { ...typed, datasets: sized(typed.datasets, typed.size) };
  const tables = await tablesWith(args.datasets);
  const { experiment, jobs } = readExperiment(args, {
    tables,
    presets: PRESETS,
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
    publish: async (records) => {
      const { markdown, paths } = await writeReports(out, records);
      return `${markdown}\nWrote ${[`${out}/${RESULTS_FILE}`, ...paths].join(", ")}`;
    },
  };
  if (args.dryRun) return await dryRun(experiment, options);
  const { complete, interrupted } = await bench(experiment, options);
  Deno.exitCode = interrupted ? INTERRUPTED : complete ? 0 : FAILED;
}

/** Appends `--size` to the data sets of the user's own images that name no size. */
function sized(datasets: string | undefined, size: string | undefined): string | undefined {
  if (datasets === undefined || size === undefined) return datasets;
  return datasets.split(",").map((name) =>
    name.includes(":") && !/@\d+$/.test(name) ? `${name}@${size}` : name
  ).join();
}

/** The tables with the data sets in `names` that are made on demand: `folder:PATH`, `fashion_4k-3`. */
async function tablesWith(names = ""): Promise<Tables> {
  const made = names.split(",").filter(isMade);
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

async function entriesOf(spec: RunSpec) {
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
    console.error(message.replace(/^error: /, "").replaceAll(/\s*\n\s*/g, " "));
    const misused = error instanceof CommanderError || error instanceof UsageError;
    Deno.exitCode = misused ? MISUSED : FAILED;
  }
}

if (import.meta.main) await main(Deno.args);

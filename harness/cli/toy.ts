/**
 * `bench toy`: words to calls, and the only place of the toy suite that knows the tables and the reports.
 *
 * @module
 */
import { Command } from "commander";
import sharp from "sharp";
import { bivariateGaussian } from "../../datasets/toy/bivariate_gaussian.ts";
import { flatEnergy } from "../../datasets/toy/flat_energy.ts";
import { TARGETS } from "../../datasets/toy/mod.ts";
import { standardNormal } from "../../datasets/toy/standard_normal.ts";
import { univariateGaussian } from "../../datasets/toy/univariate_gaussian.ts";
import { METHOD_CHAINS } from "../../methods/toy/method_chains.ts";
import { MOVERS, SAMPLERS } from "../../methods/toy/mod.ts";
import { toyFigures } from "../../reports/toy_figures.ts";
import { failures, toyMarkdown } from "../../reports/toy_table.ts";
import { toyHtml } from "../../reports/toy_page.ts";
import { lookAt } from "./open_page.ts";
import { makeOutputFolder, replaceFile } from "../core/files.ts";
import { parseCount, parseNames, parseSeed, UsageError } from "../core/arguments.ts";
import { namedEntry } from "../experiment/spec.ts";
import { benchToy, partOf, type ToySuite } from "../toy/run_suite.ts";
import { benchSchedule } from "./toy_schedule.ts";
import { openCores } from "../toy/cores.ts";
import type { ToyReport } from "../core/toy_report.ts";
import type { GaussianTarget } from "../core/toy_types.ts";

/** Targets of the methods' chains by name. */
const CHAIN_TARGETS: Readonly<Record<string, GaussianTarget>> = {
  bivariate: bivariateGaussian,
  univariate: univariateGaussian,
  flat: flatEnergy,
};

/** The suite of section 6.1. */
export const TOY_SUITE: ToySuite = {
  targets: Object.values(TARGETS),
  samplers: Object.values(SAMPLERS),
  fits: { diagonal: SAMPLERS.avi_diagonal, full: SAMPLERS.avi_full },
  gaps: [{ sampler: SAMPLERS.ald, target: bivariateGaussian }],
  chains: METHOD_CHAINS.map((chain) => ({ chain, target: CHAIN_TARGETS[chain.target] })),
  movers: MOVERS,
  convergence: {
    samplers: [
      ...Object.values(SAMPLERS).filter(({ fits }) => !fits).map((sampler) => ({ sampler })),
      { sampler: SAMPLERS.ld, stepSize: 1e-4 },
      { sampler: SAMPLERS.sgald, stepSize: 1e-3 }, // as printed
    ],
    target: univariateGaussian,
  },
  normal: standardNormal,
};

/** The page of the suite in its output folder. */
export const TOY_PAGE = "toy.html";

/** Pixels of a PNG for each of the SVG. */
const SCALE = 2;

/** The command `toy`; `absolute` resolves a folder as the user meant it. */
export function toyCommand(absolute: (path: string) => string): Command {
  return new Command("toy")
    .description("toy posteriors of section 6.1: every sampler on every target, table and figures")
    .option(
      "--targets <names>",
      "a comma between them; all by default",
      (text: string) => parseNames(text, { kind: "target", known: Object.keys(TARGETS) }),
    )
    .option(
      "--samplers <names>",
      "a comma between them; all by default",
      (text: string) => parseNames(text, { kind: "sampler", known: Object.keys(SAMPLERS) }),
    )
    .option("--seed <seed>", "seed of all chains", "0")
    .option("--out <folder>", "where to write", "runs/toy")
    .option("--jobs <count>", "runs at a time; one for each core by default")
    .option(
      "--schedule",
      "instead of the suite: last iterates under decreasing step sizes, with noisy and biased gradients",
    )
    .action(
      async (words: ToyWords) => {
        for (const name of Object.keys(TARGETS)) namedEntry(TARGETS, "target", name);
        for (const name of Object.keys(SAMPLERS)) namedEntry(SAMPLERS, "sampler", name);
        const seed = parseSeed(words.seed, "--seed");
        const jobs = words.jobs === undefined ? undefined : parseCount(words.jobs, "--jobs");
        const out = absolute(words.out);
        if (words.schedule) return await scheduleAction(words, { seed, jobs, out });
        const suite = partOf(TOY_SUITE, words);
        await makeOutputFolder(out);
        await using cores = await openCores(jobs);
        const report = await benchToy(suite, {
          devices: cores.devices,
          seed,
          report: (line) => console.log(line),
        });
        const paths = await writeToy(out, report);
        console.log(`${toyMarkdown(report)}\nWrote ${paths.join(", ")}`);
        console.log(lookAt(`${out}/${TOY_PAGE}`));
        const failed = failures(report);
        for (const { experiment, sampler, metric, value, low, high } of failed) {
          console.error(
            `Failed: ${experiment}, ${sampler}: ${metric} is ${value}, outside [${low ?? "-∞"}, ${
              high ?? "∞"
            }]`,
          );
        }
        if (failed.length > 0) Deno.exitCode = 1;
      },
    );
}

/** Runs `--schedule` and prints its gates. */
async function scheduleAction(
  { targets, samplers }: ToyWords,
  { seed, jobs, out }: {
    readonly seed: number;
    readonly jobs: number | undefined;
    readonly out: string;
  },
): Promise<void> {
  if (targets !== undefined || samplers !== undefined) {
    throw new UsageError(
      "--schedule has its own targets and rules: leave out --targets and --samplers",
    );
  }
  await makeOutputFolder(out);
  const { report, files, svg } = await benchSchedule({
    seed,
    jobs,
    report: (line) => console.log(line),
  });
  const paths = await writeFiles(out, files, { schedule: svg });
  console.log(`${files["schedule.md"]}\nWrote ${paths.join(", ")}`);
  const failed = report.gates.filter(({ passed }) => !passed);
  for (const { name, value, high } of failed) {
    console.error(`Failed: ${name} is ${value.toPrecision(3)}, must be at most ${high}`);
  }
  if (failed.length > 0) Deno.exitCode = 1;
}

interface ToyWords {
  readonly schedule?: boolean;
  readonly seed: string;
  readonly out: string;
  readonly targets?: readonly string[];
  readonly samplers?: readonly string[];
  readonly jobs?: string;
}

/** Writes table, raw statistics and figures; resolves to the paths. */
function writeToy(folder: string, report: ToyReport): Promise<string[]> {
  const figures = toyFigures(report);
  const texts = {
    [TOY_PAGE]: toyHtml(report, figures),
    "toy.md": toyMarkdown(report),
    "toy.json": `${JSON.stringify(withoutDraws(report), null, 1)}\n`,
  };
  return writeFiles(folder, texts, figures);
}

/** Writes `texts`, and each of `figures` as SVG and as PNG, into `folder`; resolves to the paths. */
async function writeFiles(
  folder: string,
  texts: Readonly<Record<string, string>>,
  figures: Readonly<Record<string, string>>,
): Promise<string[]> {
  const files: Record<string, string | Uint8Array<ArrayBuffer>> = { ...texts };
  for (const [name, svg] of Object.entries(figures)) {
    files[`${name}.svg`] = svg;
    const png = await sharp(new TextEncoder().encode(svg), { density: 72 * SCALE }).png()
      .toBuffer();
    files[`${name}.png`] = new Uint8Array(png);
  }
  for (const [name, content] of Object.entries(files)) {
    await replaceFile(`${folder}/${name}`, content);
  }
  return Object.keys(files).map((name) => `${folder}/${name}`);
}

/** The report without the data behind figures. */
function withoutDraws({ densities: _, normals: __, ...report }: ToyReport) {
  return { ...report, runs: report.runs.map(({ shown: _, ...run }) => run) };
}

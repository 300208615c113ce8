/**
 * `deno task inception` and `deno task fid`: parse the command line and call the metrics.
 *
 * @module
 */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { join } from "node:path";
import { downloadFile } from "../../datasets/parts/download.ts";
import { resolveDataset } from "../../datasets/mod.ts";
import { replaceFile } from "../core/files.ts";
import { plainText } from "../core/plain_text.ts";
import { userPath } from "../core/project.ts";
import { availableCores } from "../core/threads.ts";
import type { ImageSet } from "../core/types.ts";
import { hasStatistics } from "../formats/image_archives.ts";
import { readFile } from "../formats/byte_source.ts";
import { defaultSplit, type Split } from "../metrics/fid/feature_extractor.ts";
import { cachedStatistics } from "../metrics/fid/fid.ts";
import { firstFile, weightsCandidates } from "../metrics/fid/find_weights.ts";
import { imagesAt, imagesOfSet } from "../metrics/fid/image_source.ts";
import {
  convertInception,
  findInception,
  inceptionFolder,
  type StoredInception,
  verifyInception,
} from "../metrics/fid/inception_store.ts";
import { type Mode, MODES } from "../metrics/fid/preprocess.ts";
import type { Estimate, Spread } from "../metrics/fid/kid.ts";
import { openProgressBar } from "./progress_bar.ts";
import {
  checkComparable,
  type Described,
  describeImages,
  scorePair,
  type Scores,
  type Wanted,
  warningsOf,
} from "../metrics/fid/score_pair.ts";
import { readStatistics, writeStatistics } from "../metrics/fid/statistics_file.ts";
import { PUBLISHED_WEIGHTS } from "../metrics/fid/weights.ts";

interface FidOptions {
  readonly mode: Mode;
  readonly kid?: boolean;
  readonly is?: boolean;
  readonly pr?: boolean;
  readonly infinity?: boolean;
  readonly all?: boolean;
  readonly seed: number;
  readonly split: Split;
  readonly saveStats?: string;
  readonly json?: boolean;
}

const SPLIT = defaultSplit(availableCores());

const program = new Command()
  .name("deno task")
  .exitOverride()
  .configureOutput({
    outputError: (text, write) =>
      write(`${text.replace(/^error: /, "").trim().replaceAll("\n", " ")}\n`),
  });

program.command("inception")
  .description("Find or download Inception's weights and convert them to ONNX")
  .option("--weights <file>", "a .pth file of pytorch-fid or torch-fidelity, or TensorFlow's .pb")
  .action(prepareInception);

program.command("fid")
  .description(
    "Compute FID and related scores of the images A (samples) relative to B (real images)",
  )
  .argument("<A>", "folder, .zip, .tar(.gz), .npz statistics, or a data set such as cifar10/train")
  .argument("[B]", "the same; optional with --save-stats")
  .addOption(
    new Option("--mode <mode>", "protocol; FIDs of different modes are not comparable")
      .choices(MODES).default("tf"),
  )
  .option("--kid", "Kernel Inception Distance")
  .option("--is", "Inception Score of A")
  .option("--pr", "precision, recall, density, coverage")
  .option("--infinity", "FID-infinity, without the bias in the number of samples")
  .option("--all", "every score")
  .option("--seed <number>", "seed of random subsets", parseSeed, 0)
  .addOption(
    new Option("--split <PxT>", "P sessions of T threads")
      .argParser(parseSplit)
      .default(SPLIT, `${SPLIT.sessions}x${SPLIT.threads}`),
  )
  .option("--save-stats <file.npz>", "write the statistics of A")
  .option("--json", "print one JSON object")
  .action(fid);

async function prepareInception({ weights }: { readonly weights?: string }): Promise<void> {
  const folder = inceptionFolder();
  const named = weights ?? Deno.env.get("LAEBENCH_INCEPTION");
  const known = findInception(folder);
  if (named === undefined && known) {
    await verifyInception(known);
    return report(known);
  }
  if (named !== undefined) return report(await convertInception(named, folder));
  const found = await firstFile([downloadPath(folder), ...weightsCandidates(Deno.env.get)]);
  if (found !== undefined) console.error(`Reading ${found}`);
  report(await convertInception(found ?? await downloadWeights(folder), folder));
}

function downloadPath(folder: string): string {
  return join(folder, PUBLISHED_WEIGHTS.names[0]);
}

async function downloadWeights(folder: string): Promise<string> {
  const path = downloadPath(folder);
  const { urls, bytes, sha256 } = PUBLISHED_WEIGHTS;
  let reason = "";
  for (const url of urls) {
    try {
      using bar = openProgressBar("Downloading Inception's weights");
      const file = { name: PUBLISHED_WEIGHTS.names[0], url, bytes, sha256 };
      await downloadFile({ file, path }, {
        retries: 2,
        backoffSeconds: 0.5,
        onProgress: (n) => bar.update(n, bytes),
      });
      return path;
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
    }
  }
  throw new Error(
    `Inception's weights were not found and cannot be downloaded (${reason}): fetch ${urls[0]} (${
      bytes.toLocaleString("en")
    } bytes, SHA-256 ${sha256}) on another machine, put the file at ${path} and run this again, or name it with --weights`,
  );
}

function report(stored: StoredInception): void {
  console.log(stored.path);
  console.error(
    `Inception is ready, weights ${stored.weightsSha256.slice(0, 16)} (${
      stored.published
        ? "the published file"
        : `${stored.sourceFormat} without a published hash: origin not verified`
    })`,
  );
}

async function fid(a: string, b: string | undefined, options: FidOptions): Promise<void> {
  if (b === undefined && options.saveStats === undefined) {
    throw new InvalidArgumentError("Name a second set of images, or a file by --save-stats");
  }
  const stored = findInception(inceptionFolder());
  const onlyStatistics = isStatistics(a) && (b === undefined || isStatistics(b));
  if (stored === null && !onlyStatistics) {
    throw new Error("The Inception network is not installed: run deno task inception");
  }
  if (stored) await verifyInception(stored);
  const wanted: Wanted = {
    kid: Boolean(options.kid || options.all),
    inceptionScore: Boolean(options.is || options.all),
    overlap: Boolean(options.pr || options.all),
    fidInfinity: Boolean(options.infinity || options.all),
  };
  const features = wanted.kid || wanted.overlap;
  const samples = await describeInput(a, stored, options, {
    features: features || wanted.fidInfinity,
    logits: wanted.inceptionScore,
  });
  if (options.saveStats !== undefined) {
    await replaceFile(options.saveStats, writeStatistics(samples));
    console.error(`Statistics of ${samples.name} are in ${options.saveStats}`);
  }
  if (b === undefined) return;
  const real = await describeInput(b, stored, options, { features, logits: false });
  checkComparable(samples, real);
  const threads = options.split.sessions * options.split.threads;
  using bar = openProgressBar("FID");
  const scores = await scorePair(samples, real, {
    wanted,
    seed: options.seed,
    threads,
    progress: (what, done, of) => bar.update(done, of, what),
  });
  const notes = stored ? warningsOf(samples, real, stored) : [];
  if (options.json) printJson(scores, { samples, real, options, stored, notes });
  else printLines(scores, notes);
}

/** Whether an input is a file of statistics; an .npz may be an array of images instead. */
function isStatistics(path: string): boolean {
  if (!/\.npz$/i.test(path)) return false;
  return hasStatistics(path);
}

/** Reads or computes the statistics of an input of the command line; `keep` selects outputs to keep. */
async function describeInput(
  input: string,
  inception: StoredInception | null,
  { mode, split }: FidOptions,
  keep: { readonly features: boolean; readonly logits: boolean },
): Promise<Described> {
  if (isStatistics(input)) {
    const saved = readStatistics(await readFile(input), input);
    return { ...saved, name: input, formats: [], features: null, logits: null };
  }
  if (!inception) {
    throw new Error("The Inception network is not installed: run deno task inception");
  }
  using bar = openProgressBar(`Features of ${input}`);
  const progress = (done: number, of: number | null) => bar.update(done, of);
  const set = await datasetOf(input);
  if (set && !keep.features && !keep.logits) {
    const waiting = () =>
      console.error(`${input}: waiting for another process that computes its features`);
    const options = { inception, mode, split, watcher: { progress, waiting } };
    const saved = await cachedStatistics(set, options);
    return { ...saved, name: input, formats: [], features: null, logits: null };
  }
  const source = set ? imagesOfSet(set, input) : await imagesAt(input);
  const described = await describeImages(source, { inception, mode, split, keep, progress });
  const skipped = source.skipped?.();
  if (skipped !== undefined) console.error(plainText(skipped));
  return described;
}

/** Loads the data set of an input that is not a path: `cifar10/train`, `cifar10/test`, or `cifar10` (train). */
async function datasetOf(input: string): Promise<ImageSet | null> {
  const exists = await Deno.stat(input).then(() => true, () => false);
  const parts = /^(\w+)(?:\/(train|test))?$/.exec(input);
  if (exists || !parts) return null;
  const dataset = await resolveDataset(parts[1]);
  return await dataset.load(parts[2] === "test" ? "test" : "train");
}

function printLines(scores: Scores, notes: readonly string[]): void {
  const names: Readonly<Record<keyof Scores, string>> = {
    fid: "FID",
    fidInfinity: "FID-infinity",
    kidOfAll: "KID x 1000",
    kid: "KID, subsets",
    inceptionScore: "Inception Score",
    precision: "Precision",
    recall: "Recall",
    density: "Density",
    coverage: "Coverage",
  };
  for (const key of Object.keys(names) as (keyof Scores)[]) {
    const value = scores[key];
    if (value === undefined) continue;
    console.log(`${names[key].padEnd(16)} ${formatScore(value, key.startsWith("kid") ? 1000 : 1)}`);
  }
  for (const note of notes) console.error(`Note: ${note}`);
}

/** A score times `scale`. Only an estimate has an error; the spread over parts or subsets is none. */
function formatScore(value: number | Spread | Estimate, scale: number): string {
  const text = (x: number) => (scale * x).toFixed(4);
  if (typeof value === "number") return text(value);
  if ("std" in value && value.std === null) {
    return `${text(value.mean)} (every subset is the whole set)`;
  }
  return "std" in value
    ? `${text(value.mean)} (standard deviation of the parts ${text(value.std ?? NaN)})`
    : `${text(value.value)} ± ${text(value.standardError)} (standard error over images)`;
}

function printJson(
  scores: Scores,
  { samples, real, options, stored, notes }: {
    readonly samples: Described;
    readonly real: Described;
    readonly options: FidOptions;
    readonly stored: StoredInception | null;
    readonly notes: readonly string[];
  },
): void {
  const side = ({ name, statistics, origin }: Described) => ({
    name,
    count: statistics.count,
    imagesSha256: origin?.imagesSha256 ?? null,
  });
  console.log(JSON.stringify({
    ...scores,
    mode: samples.origin?.mode ?? real.origin?.mode ?? null,
    quantize: samples.origin?.quantize ?? real.origin?.quantize ?? null,
    weightsSha256: samples.origin?.weightsSha256 ?? real.origin?.weightsSha256 ?? null,
    weightsPublished: stored?.published ?? null,
    seed: options.seed,
    samples: side(samples),
    real: side(real),
    notes,
  }));
}

function parseSeed(text: string): number {
  if (!/^\d{1,9}$/.test(text)) {
    throw new InvalidArgumentError(`Seed must be an integer in [0, 10^9), got "${text}"`);
  }
  return Number(text);
}

function parseSplit(text: string): Split {
  const match = /^([1-9]\d?)x([1-9]\d?)$/.exec(text);
  if (!match) {
    throw new InvalidArgumentError(`Write sessions x threads, such as 2x1, got "${text}"`);
  }
  return { sessions: Number(match[1]), threads: Number(match[2]) };
}

if (import.meta.main) {
  try {
    Deno.chdir(userPath(".")); // resolves the user's paths, which then appear in messages as typed
    await program.parseAsync(Deno.args, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error instanceof InvalidArgumentError) console.error(plainText(error.message));
      Deno.exit(error.exitCode === 0 ? 0 : 2);
    }
    console.error(plainText(error instanceof Error ? error.message : String(error)));
    Deno.exit(1);
  }
}

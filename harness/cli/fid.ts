/**
 * `deno task inception` and `deno task fid`: parse the command line and call the metrics.
 *
 * @module
 */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { join } from "node:path";
import { downloadFile } from "../../datasets/parts/download.ts";
import { parseSeed, UsageError } from "../core/arguments.ts";
import { checkWritable, replaceFile } from "../core/files.ts";
import { plainText } from "../core/plain_text.ts";
import { userPath } from "../core/project.ts";
import { availableCores } from "../core/threads.ts";
import { defaultSplit, type Split } from "../metrics/fid/feature_extractor.ts";
import { firstFile, weightsCandidates } from "../metrics/fid/find_weights.ts";
import {
  convertInception,
  findInception,
  inceptionFolder,
  type StoredInception,
  verifyInception,
} from "../metrics/fid/inception_store.ts";
import { type Mode, MODES } from "../metrics/fid/preprocess.ts";
import { checkValues } from "./arguments.ts";
import { checkInput, describeInput, openInput } from "./fid_inputs.ts";
import { scoreLines } from "./fid_lines.ts";
import { openProgressBar } from "./progress_bar.ts";
import {
  checkScorable,
  type Described,
  scorePair,
  type Scores,
  type Wanted,
  warningsOf,
} from "../metrics/fid/score_pair.ts";
import { writeStatistics } from "../metrics/fid/statistics_file.ts";
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
  .option("--seed <number>", "seed of random subsets", (text) => parseSeed(text, "--seed"), 0)
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
  const { mode, split, saveStats } = options;
  if (b === undefined && saveStats === undefined) {
    throw new InvalidArgumentError("Name a second set of images, or a file by --save-stats");
  }
  const wanted: Wanted = {
    kid: Boolean(options.kid || options.all),
    inceptionScore: Boolean(options.is || options.all),
    overlap: Boolean(options.pr || options.all),
    fidInfinity: Boolean(options.infinity || options.all),
  };
  // Everything that can be wrong is found before the network runs, which may take an hour.
  if (saveStats !== undefined) await checkWritable(saveStats);
  const [inputA, inputB] = [await openInput(a), b === undefined ? null : await openInput(b)];
  const inception = findInception(inceptionFolder());
  if (inception) await verifyInception(inception);
  const sideA = await checkInput(inputA, { inception, mode });
  if (inputB) {
    const sideB = await checkInput(inputB, { inception, mode });
    checkScorable({ samples: sideA, real: sideB, wanted });
  }
  const features = wanted.kid || wanted.overlap;
  const samples = await describeInput(inputA, {
    inception,
    mode,
    split,
    keep: { features: features || wanted.fidInfinity, logits: wanted.inceptionScore },
  });
  if (saveStats !== undefined) {
    await replaceFile(saveStats, writeStatistics(samples));
    console.error(`Statistics of ${samples.name} are in ${saveStats}`);
  }
  if (!inputB) return;
  const keep = { features, logits: false };
  const real = await describeInput(inputB, { inception, mode, split, keep });
  using bar = openProgressBar("FID");
  const { scores, failures } = await scorePair(samples, real, {
    wanted,
    seed: options.seed,
    threads: split.sessions * split.threads,
    progress: (what, done, of) => bar.update(done, of, what),
  });
  const notes = inception ? warningsOf(samples, real, inception) : [];
  if (options.json) printJson(scores, { samples, real, options, stored: inception, notes });
  else {
    for (const line of scoreLines(scores)) console.log(line);
    for (const note of notes) console.error(`Note: ${note}`);
  }
  for (const failure of failures) console.error(plainText(failure));
  if (failures.length > 0) Deno.exitCode = 1;
}

function printJson(
  scores: Partial<Scores>,
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

function parseSplit(text: string): Split {
  const match = /^([1-9]\d?)x([1-9]\d?)$/.exec(text);
  if (!match) {
    throw new InvalidArgumentError(`Write sessions x threads, such as 2x1, got "${text}"`);
  }
  return { sessions: Number(match[1]), threads: Number(match[2]) };
}

if (import.meta.main) {
  try {
    checkValues(program);
    Deno.chdir(userPath(".")); // resolves the user's paths, which then appear in messages as typed
    await program.parseAsync(Deno.args, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error instanceof InvalidArgumentError) console.error(plainText(error.message));
      Deno.exit(error.exitCode === 0 ? 0 : 2);
    }
    console.error(plainText(error instanceof Error ? error.message : String(error)));
    Deno.exit(error instanceof UsageError ? 2 : 1);
  }
}

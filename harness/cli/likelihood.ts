/**
 * `deno task likelihood`: log p(x) of trained models by annealed importance sampling.
 *
 * @module
 */
import { Command } from "commander";
import { metropolisStep } from "../../methods/samplers/metropolis.ts";
import { parseCount, parseNames, UsageError } from "../core/arguments.ts";
import { projectPath, userPath } from "../core/project.ts";
import { availableCores } from "../core/threads.ts";
import type { RunRecord, RunSpec } from "../core/records.ts";
import { DEVICES, openDevice } from "../engine/device.ts";
import { formatDuration } from "../experiment/estimate.ts";
import { checkGpuNumber } from "../experiment/experiment_arguments.ts";
import { codeReader } from "../experiment/run_code.ts";
import type { Tables } from "../experiment/spec.ts";
import { threadsWarning } from "../experiment/warnings.ts";
import { BLOCK } from "../run/annealing.ts";
import { passesOf } from "../run/bidirectional.ts";
import { costOf, estimateRun, type PendingRun, planLikelihoods } from "../sweep/likelihood.ts";
import { LIKELIHOOD_FILE, openLikelihoods } from "../sweep/likelihood_store.ts";
import { describeRun } from "../sweep/progress.ts";
import { latestRecords, readResults, RESULTS_FILE } from "../sweep/store.ts";
import { openProgressBar } from "./progress_bar.ts";

interface LikelihoodArguments {
  readonly images: string;
  readonly temperatures: string;
  readonly chains: string;
  readonly methods?: string;
  readonly device?: string;
  readonly threads?: string;
  readonly dryRun?: boolean;
  readonly acceptCode?: boolean;
}

/** Dependencies of the command, from the composition root. */
export interface LikelihoodRoot {
  /** The tables with the entries that `specs` name. */
  tablesOf(specs: readonly RunSpec[]): Promise<Tables>;
  /** Writes the reports of a folder. */
  publish(
    dir: string,
    records: readonly RunRecord[],
  ): Promise<{ readonly paths: readonly string[] }>;
}

/** Defines the command `likelihood`. */
export function likelihoodCommand(root: LikelihoodRoot): Command {
  return new Command("likelihood")
    .description(
      "estimate log p(x) for every completed run in a folder by annealed importance sampling, with bounds from both sides on simulated images; prints the cost first, and a second call resumes where the first stopped",
    )
    .argument("<folder>", "an output folder of bench")
    .option("--images <count>", "test images, and as many simulated ones", "32")
    .option("--temperatures <count>", `steps of the path, a multiple of ${BLOCK}`, "1000")
    .option("--chains <count>", "chains for each image", "16")
    .option("--methods <names>", "comma-separated; all in the folder by default")
    .option("--device <name>", `one of ${Object.keys(DEVICES).join(", ")}`, "cpu")
    .option("--threads <count>", "threads; all cores by default")
    .option("--accept-code", "estimate runs whose code has changed since they were trained")
    .option("--dry-run", "print the cost, estimate nothing")
    .action((folder: string, typed: LikelihoodArguments) =>
      likelihood(userPath(folder), typed, root)
    );
}

async function likelihood(
  dir: string,
  typed: LikelihoodArguments,
  root: LikelihoodRoot,
): Promise<void> {
  const settings = {
    images: parseCount(typed.images, "--images"),
    temperatures: parseCount(typed.temperatures, "--temperatures"),
    chains: parseCount(typed.chains, "--chains"),
  };
  if (settings.temperatures % BLOCK !== 0) {
    throw new UsageError(
      `--temperatures must be a multiple of ${BLOCK}, got ${settings.temperatures}`,
    );
  }
  const cores = availableCores();
  const threads = parseCount(typed.threads ?? `${cores}`, "--threads");
  const name = typed.device ?? "cpu";
  checkGpuNumber(name);
  const crowded = threadsWarning({ device: name, threads, jobs: 1, cores });
  if (crowded !== undefined) console.error(`Warning: ${crowded}`);
  const records = latestRecords((await readResults(dir)).records);
  if (records.length === 0) {
    throw new Error(
      `No results in ${dir}/${RESULTS_FILE}: deno task bench --out ${dir} makes them`,
    );
  }
  const present = [...new Set(records.map(({ spec }) => spec.method))];
  const methods = typed.methods === undefined
    ? present
    : parseNames(typed.methods, { kind: "method", known: present });
  const chosen = records.filter(({ spec }) => methods.includes(spec.method));
  const tables = await root.tablesOf(chosen.map(({ spec }) => spec));
  using store = typed.dryRun ? undefined : await openLikelihoods(dir);
  const { pending, done, leftOut } = await planLikelihoods(chosen, {
    tables,
    dir,
    settings,
    readCode: codeReader(projectPath(".")),
    acceptCode: typed.acceptCode ?? false,
  });
  for (const reason of leftOut) console.error(`Left out ${reason}`);
  if (pending.length > 0) {
    await using device = await openDevice(name, { threads });
    const options = { tables, dir, settings, device, transition: metropolisStep };
    const { passes, seconds } = await costOf(pending, options);
    console.log(
      `${pending.length} runs (${done} done before): ${settings.images} test and ${settings.images} simulated images, ` +
        `${settings.chains} chains, ${settings.temperatures} temperatures; ${
          (passes / 1e6).toPrecision(2)
        } million gradients of log p(x | z), about ${formatDuration(seconds)} on ${device.name}`,
    );
    if (store === undefined) return;
    for (const [index, run] of pending.entries()) {
      const place = `[${index + 1}/${pending.length}]`;
      await estimateWithProgress(run, { ...options, store, place });
    }
  }
  if (store === undefined) return;
  const { paths } = await root.publish(dir, records);
  console.log(`Wrote ${[`${dir}/${LIKELIHOOD_FILE}`, ...paths].join(", ")}`);
}

async function estimateWithProgress(
  run: PendingRun,
  { place, ...options }: Parameters<typeof estimateRun>[1] & { readonly place: string },
): Promise<void> {
  const name = `${place} ${describeRun(run.spec)}`;
  const of = passesOf(options.settings);
  const { likelihood: { test, simulated: { gap }, normaliser }, seconds } = await (async () => {
    using bar = openProgressBar(`${name}: gradients`);
    return await estimateRun(run, options, (done) => bar.update(done, of));
  })();
  const value = test.mean - (normaliser?.upper.mean ?? 0);
  console.log(
    `${name}: log p(x) >= ${value.toFixed(2)} ± ${
      test.standardError.toFixed(2)
    } nats, gap on simulated images ` +
      `${gap.mean.toFixed(2)} ± ${gap.standardError.toFixed(2)}, ${formatDuration(seconds)}`,
  );
}

/**
 * `deno task check --draws`: anyone's draws against a target.
 *
 * @module
 */
import { TARGETS } from "../datasets/toy/mod.ts";
import { fail } from "../harness/cli/programs.ts";
import { parseDecimal } from "../harness/core/arguments.ts";
import { readNames } from "../harness/cli/arguments.ts";
import { openLiveLine } from "../harness/core/live_line.ts";
import { userPath } from "../harness/core/project.ts";
import type { ToyRow } from "../harness/core/toy_report.ts";
import type { Target } from "../harness/core/toy_types.ts";
import type { Device } from "../harness/core/types.ts";
import { openDevice } from "../harness/engine/device.ts";
import { symmetricEigenvalues } from "../harness/linalg/symmetric_eigenvalues.ts";
import { readDrawsFile } from "../harness/formats/draws_file.ts";
import {
  judgeDraws,
  type Judgement,
  type Law,
  POSTERIOR,
  posteriorOf,
} from "../harness/toy/judge_draws.ts";
import { openTruth } from "../harness/toy/open_truth.ts";
import { placeDraws } from "../harness/toy/place_draws.ts";
import { TOY_METRICS } from "../harness/toy/toy_metrics.ts";
import { SAMPLERS } from "../methods/toy/mod.ts";
import { publish, type PublishOptions, type Verdict } from "./verdicts.ts";

/** Integrators by name whose distribution at a step size is known, on Gaussians at least. */
const INTEGRATORS = Object.fromEntries(
  Object.entries(SAMPLERS).filter(([, { bias }]) => bias?.closedForm)
    .map(([name, sampler]) => [name === "ld" ? "euler" : name, sampler]),
);

/** Options of the command line that have to do with draws. */
export interface DrawsWords {
  readonly draws: string;
  readonly target?: string;
  readonly var?: string;
  readonly point?: string;
  readonly step?: string;
  readonly integrator?: string;
  readonly json: boolean;
}

/** The lines of the help. */
export const DRAWS_HELP =
  `  --draws FILE        judge draws of any sampler: .npy, .npz, .csv, ArviZ's .json or .nc
  --target NAME       the target that they should follow: ${Object.keys(TARGETS).join(", ")}
  --var NAME          the array in a file that holds several
  --point NUMBER      the draws are of this one of the target's posteriors, from 0
  --step NUMBER       step size of a sampler that discretises Langevin dynamics, with --integrator
  --integrator NAME   hold the draws to its distribution at this step instead of the posterior's:
                      ${Object.keys(INTEGRATORS).join(", ")}`;

/** Judges the draws, prints the table, and resolves to whether all gates passed. Wrong input ends the program with code 2. */
export async function checkDraws(
  words: DrawsWords,
  { began, ...forms }: Omit<PublishOptions, "suite" | "seconds"> & { readonly began: number },
): Promise<boolean> {
  const law = readLaw(words);
  const whole = readTarget(words);
  const { judgement, posterior } = await orMisused(async () => {
    const target = words.point === undefined ? whole : posteriorOf(whole, pointOf(words.point));
    const draws = placeDraws(
      await readDrawsFile(userPath(words.draws), { variable: words.var }),
      target,
    );
    checkStep(law, target);
    await using device = await openDevice("cpu", { threads: 1 });
    const judge = judgeShown(target, device);
    const judgement = await judge(draws, law);
    return { judgement, posterior: law === POSTERIOR ? null : await judge(draws, POSTERIOR) };
  });
  const verdicts = verdictsOf(judgement);
  const failed = verdicts.filter(({ failure }) => failure !== null);
  if (words.json) {
    const failures = failed.map(({ failure }) => failure);
    console.log(JSON.stringify({ ...judgement, posterior: posterior?.rows ?? null, failures }));
  } else {
    console.log(tableOf(judgement, posterior));
    for (const { failure } of failed) console.error(`Failed: ${failure}`);
  }
  const seconds = (performance.now() - began) / 1000;
  await publish(verdicts, { ...forms, suite: `laebench: ${words.draws}`, seconds });
  return failed.length === 0;
}

/** Errors of the input are one line, exit code 2. */
async function orMisused<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error), 2);
  }
}

/** The number of a posterior; NaN, which is none, for other text. */
function pointOf(text: string): number {
  return /^\d{1,9}$/.test(text) ? Number(text) : NaN;
}

function readTarget({ target }: DrawsWords): Target {
  const known = Object.keys(TARGETS);
  if (target === undefined) return fail(`--draws needs --target, one of ${known.join(", ")}`, 2);
  return TARGETS[readNames(target, { kind: "target", known })[0]];
}

function readLaw({ step, integrator }: DrawsWords): Law {
  if (step === undefined && integrator === undefined) return POSTERIOR;
  if (step === undefined || integrator === undefined) {
    return fail("--step and --integrator go together: --step 0.02 --integrator euler", 2);
  }
  const stepSize = parseDecimal(step);
  if (stepSize === undefined || stepSize <= 0) {
    return fail(`--step must be a number > 0, got "${step}"`, 2);
  }
  const [name] = readNames(integrator, { kind: "integrator", known: Object.keys(INTEGRATORS) });
  return { name, theory: INTEGRATORS[name], stepSize };
}

/** Throws RangeError for a step at which the integrator has no stationary distribution on a Gaussian target. */
function checkStep({ name, theory, stepSize }: Law, target: Target): void {
  if (target.answer.kind !== "gaussian" || stepSize === 0) return;
  const settings = { ...target.length, stepSize, batchSize: target.points, featureDim: 0 };
  const { covariance } = target.answer;
  const [least] = symmetricEigenvalues(Float64Array.from(covariance.flat()), target.dim);
  const ratio = theory.varianceRatio?.(1 / least, { target, settings });
  if (ratio === undefined || ratio > 0 && Number.isFinite(ratio)) return;
  throw new RangeError(
    `--step ${stepSize} is too long for ${name} on ${target.name}: chains have no stationary distribution there`,
  );
}

/** Judges against laws with the progress shown; the target's answer is worked out once. */
function judgeShown(target: Target, device: Device) {
  return async (draws: Parameters<typeof judgeDraws>[0], law: Law): Promise<Judgement> => {
    using line = openLiveLine();
    line.show(`Working out ${target.name}`);
    const truth = await openTruth({ ...target, points: draws.points }, device);
    const began = performance.now();
    const report = (share: number) => {
      const left = (performance.now() - began) / 1000 * (1 - share) / share;
      line.show(`Comparing with exact samplers, about ${left.toFixed(0)} s left`);
    };
    return await judgeDraws(draws, { target, device, law, truth, report });
  };
}

/** Every gate as a verdict. */
function verdictsOf(judgement: Judgement): Verdict[] {
  return judgement.rows.filter(({ verdict }) => verdict !== "shown").map((row) => ({
    group: `${judgement.target}, draws`,
    name: labelOf(row),
    failure: row.verdict === "pass" ? null : describe(row, judgement),
  }));
}

const LABELS = new Map(TOY_METRICS.map(({ name, label }) => [name, label]));

function labelOf({ metric }: ToyRow): string {
  return LABELS.get(metric) ?? (metric === "not_finite" ? "draws that are not finite" : metric);
}

function describe(row: ToyRow, { worst }: Judgement): string {
  const detail = worst[row.metric];
  const what = `${labelOf(row)} is ${show(row.value)}, ${boundOf(row)}`;
  const hint = row.metric === "ess" ? ": run longer, or thin less" : "";
  if (!detail) return `${what}${hint}`;
  const { name, value, expected, error } = detail;
  return `${what}: ${name} is ${show(value)} ± ${show(error)}, it should be ${show(expected)}`;
}

function boundOf({ low, high }: ToyRow): string {
  if (low !== null && high !== null) return `${show(low)} to ${show(high)}`;
  return low !== null ? `at least ${show(low)}` : high !== null ? `at most ${show(high)}` : "–";
}

function show(value: number | null): string {
  return value === null ? "–" : Number(value.toPrecision(3)).toString();
}

/** The table, and what the draws could have shown. */
function tableOf(judgement: Judgement, posterior: Judgement | null): string {
  const { target, law, chains, draws, points, rows, visible } = judgement;
  const head = ["Metric", "Value", "Exact sampler", "Bound", "Verdict"];
  const cells = rows.map((row) => [
    labelOf(row),
    show(row.value),
    show(row.exact),
    row.verdict === "shown" ? "–" : boundOf(row),
    row.verdict,
  ]);
  const widths = head.map((title, i) =>
    Math.max(title.length, ...cells.map((row) => row[i].length))
  );
  const line = (row: readonly string[]) =>
    row.map((cell, i) => cell.padEnd(widths[i])).join("  ").trimEnd();
  const what = law.stepSize > 0 ? `${law.name} at step ${law.stepSize}` : "the posterior";
  const failed = posterior?.rows.filter(({ verdict }) => verdict === "fail") ?? [];
  return [
    `${target}: ${chains} chains of ${draws} draws${
      points > 1 ? ` of ${points} points` : ""
    }, against ${what}`,
    "",
    line(head),
    line(widths.map((width) => "-".repeat(width))),
    ...cells.map(line),
    "",
    ...posterior
      ? [
        failed.length === 0
          ? "The posterior itself would pass too: the bias of the step does not show in these draws"
          : `Against the posterior itself, the bias of the step shows in: ${
            failed.map(labelOf).join(", ")
          }`,
      ]
      : [],
    ...visible === null || rows.some(({ verdict }) => verdict === "fail") ? [] : [
      `These draws show an error of the temperature of ${(100 * visible).toPrecision(2)} % or more`,
    ],
  ].join("\n");
}

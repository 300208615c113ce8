/**
 * `bench toy --schedule`: its targets, rules and schedules, and where its results go.
 *
 * @module
 */
import { doubleWell } from "../../datasets/toy/double_well.ts";
import { eightGaussians } from "../../datasets/toy/eight_gaussians.ts";
import { standardNormal } from "../../datasets/toy/standard_normal.ts";
import { scheduled, SCHEDULED_RULES } from "../../methods/toy/scheduled.ts";
import { scheduleMarkdown } from "../../reports/schedule_table.ts";
import { scheduleFigure } from "../../reports/toy_figures/schedule.ts";
import type { ScheduleReport } from "../core/schedule_types.ts";
import type { Target } from "../core/toy_types.ts";
import { openCores } from "../toy/cores.ts";
import { openTruth } from "../toy/open_truth.ts";
import { runSchedules, type ScheduleCase } from "../toy/schedule.ts";

/** Exponents p of the step sizes; 0 is a constant step. The theorem wants 1/2 < p <= 1. */
const POWERS = [0, 0.6, 0.8, 1];
/** The schedule on which rules are compared, and its gradient noise. */
const COMPARED = { power: 0.8, gradientNoise: 1 };
const NOISES = [0, 1];
/** k_0, and c of the bias. */
const DELAY = 40;
const GRADIENT_BIAS = 0.5;

/** gamma_0 on each target: as large as its curvature and its steepest starts allow, so that the bias of a constant step shows. */
const TARGETS: readonly { readonly target: Target; readonly stepSize: number }[] = [
  { target: standardNormal, stepSize: 0.5 },
  { target: doubleWell, stepSize: 0.04 },
  { target: eightGaussians, stepSize: 0.1 },
];

/** Every run of the experiment. */
export function scheduleCases(): ScheduleCase[] {
  return TARGETS.flatMap(({ target, stepSize }) =>
    Object.entries(SCHEDULED_RULES).flatMap(([rule, entry]) => {
      const settings = NOISES.flatMap((gradientNoise) =>
        POWERS.map((power) => ({
          stepSize,
          delay: DELAY,
          power,
          gradientNoise,
          gradientBias: GRADIENT_BIAS,
        }))
      ).filter(({ power, gradientNoise }) =>
        rule === "euler" ||
        power === COMPARED.power && gradientNoise === COMPARED.gradientNoise
      );
      return settings.map((setting): ScheduleCase => ({
        target,
        rule,
        label: entry.label,
        setting,
        sampler: scheduled(entry, setting),
      }));
    })
  );
}

/** Runs the experiment; resolves to the report and its files by name. */
export async function benchSchedule(
  { seed, jobs, report }: {
    readonly seed: number;
    readonly jobs: number | undefined;
    readonly report: (line: string) => void;
  },
): Promise<
  {
    readonly report: ScheduleReport;
    readonly files: Readonly<Record<string, string>>;
    readonly svg: string;
  }
> {
  await using cores = await openCores(jobs);
  const truths = Object.fromEntries(
    await Promise.all(
      TARGETS.map(async ({ target }) =>
        [target.name, await openTruth(target, cores.devices[0])] as const
      ),
    ),
  );
  const result = await runSchedules(scheduleCases(), {
    truths,
    devices: cores.devices,
    seed,
    report,
  });
  return {
    report: result,
    files: {
      "schedule.md": scheduleMarkdown(result),
      "schedule.json": `${JSON.stringify(result, null, 1)}\n`,
    },
    svg: scheduleFigure(result),
  };
}

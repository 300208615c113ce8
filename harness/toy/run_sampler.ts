import type { Device } from "../core/types.ts";
import { checkOutsideMass } from "./outside_mass.ts";
import { checkTarget, namedError } from "./check_target.ts";
import { gatesOf } from "./gates.ts";
import { knownRows } from "./known_rows.ts";
import { metricRows } from "./metric_rows.ts";
import { runDecisions } from "./decisions.ts";
import { gramSpectrumOf } from "./gram_spectrum.ts";
import { type Sample, thinned } from "../statistics/sample.ts";
import { runChains } from "./run_chains.ts";
import type { SuiteOptions } from "./suite_options.ts";
import { scoreRun } from "./score_run.ts";
import { whyUngated } from "./ungated.ts";
import { openTruth } from "./open_truth.ts";
import type { Truth } from "./truth.ts";
import type { ToyRow, ToyRun } from "../core/toy_report.ts";
import type { Sampler, SamplerSettings, Target } from "../core/toy_types.ts";

/** Draws of a posterior that figures show. */
const SHOWN = 1000;

/** A target with its answer worked out. */
export interface OpenTarget {
  readonly target: Target;
  readonly truth: Truth;
}

/** Checks the target and works out its answer. Throws an Error that names it when its density cannot be used. */
export async function openTarget(target: Target, device: Device): Promise<OpenTarget> {
  await checkTarget(target);
  try {
    const { answer } = target;
    if (answer.kind === "grid") await checkOutsideMass({ ...target, answer }, device);
    return { target, truth: await openTruth(target, device) };
  } catch (error) {
    throw namedError(target, error);
  }
}

/** Runs and judges `sampler` on a target. */
export async function runToy(
  sampler: Sampler,
  { target, truth, device, seed, overrides }: SuiteOptions & OpenTarget & {
    readonly overrides?: Partial<SamplerSettings>;
  },
): Promise<ToyRun> {
  const run = await runChains(sampler, { target, device, seed, overrides });
  const names = { experiment: target.name, sampler: sampler.name };
  const note = whyUngated(sampler, target);
  const features = sampler.features?.(run.state);
  const { stepSize } = run.settings;
  // What follows from K for steps of this size, where nothing else scales them.
  const answer = target.answer.kind === "gaussian" && !sampler.preconditioned
    ? target.answer
    : undefined;
  const base = {
    ...names,
    label: sampler.label,
    settings: run.settings,
    seconds: run.seconds,
    chainStepsPerSecond: run.chainStepsPerSecond,
    gradients: run.gradients,
    gram: features ? gramSpectrumOf(features, { stepSize, answer }) : null,
  };
  if (!run.draws.data.every(Number.isFinite)) {
    return {
      ...base,
      note: `diverged${note ? `: ${note}` : ""}`,
      posteriors: [],
      shown: [],
      rows: [divergedRow(names, note)],
    };
  }
  const scored = scoreRun(run, { target, sampler, truth });
  const gates = gatesOf(scored, { target, sampler, settings: run.settings, truth });
  const known: ToyRow[] = (await knownRows(run, {
    target,
    sampler,
    truth,
    device,
    isShortened: overrides !== undefined,
  }))
    .map((row) => ({ ...names, ...row }));
  if (sampler.accepted && !sampler.decidesJointly && note === null) {
    known.push(await runDecisions(sampler, { target, device, seed }));
  }
  const rows = metricRows(scored, { names, gates, known });
  return {
    ...base,
    note,
    rows,
    posteriors: scored.posteriors,
    shown: scored.samples.map((sample) => rowsOf(thinned(sample, SHOWN))),
  };
}

function rowsOf({ data, count, dim }: Sample): number[][] {
  return Array.from({ length: count }, (_, i) => [...data.subarray(i * dim, (i + 1) * dim)]);
}

/** A chain that left the numbers fails, unless nothing was asked of it. */
function divergedRow(
  names: { readonly experiment: string; readonly sampler: string },
  note: string | null,
): ToyRow {
  return {
    ...names,
    metric: "finite",
    value: null,
    exact: null,
    error: null,
    low: null,
    high: null,
    verdict: note === null ? "fail" : "shown",
  };
}

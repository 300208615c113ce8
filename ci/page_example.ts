/**
 * Output folders with records that nobody ran, for the test of the page: every section, every mark, and Table 1 whole.
 *
 * @module
 */
import sharp from "sharp";
import { DATASETS } from "../datasets/mod.ts";
import { draws, foldIn, keyOf } from "../harness/core/noise.ts";
import type {
  Calibration,
  ChainHealth,
  EpochRecord,
  Experiment,
  RunRecord,
  RunSpec,
} from "../harness/core/records.ts";
import type { Method } from "../harness/core/types.ts";
import { PRESETS } from "../harness/experiment/presets.ts";
import { resolveRuns, runId, type Tables } from "../harness/experiment/spec.ts";
import { METRICS } from "../harness/metrics/metrics.ts";
import { RESULTS_FILE } from "../harness/sweep/store.ts";
import { writeExperiment } from "../harness/sweep/run_list.ts";
import { METHODS } from "../methods/mod.ts";
import { exampleFindings, exampleRecord } from "../reports/example_records.ts";

const TABLES: Tables = {
  methods: METHODS as Readonly<Record<string, Method>>,
  datasets: DATASETS,
  metrics: METRICS,
};

/** A number in [0, 1) that depends on the words alone. */
function chance(...words: readonly (string | number)[]): number {
  return draws(words.reduce(foldIn, keyOf(0)), { counter: 0, count: 1, kind: "uniform" })[0];
}

function experimentOf(name: "quick" | "table1"): Experiment {
  const { about: _about, ...preset } = PRESETS[name];
  return { methods: Object.keys(METHODS), ...preset, name, threads: 2 };
}

/** Writes the runs of the preset `table1`, with a FID each, to the folder `dir`. */
export async function writeTableOne(dir: string): Promise<void> {
  const experiment = experimentOf("table1");
  const runs = resolveRuns(experiment, TABLES);
  const records = runs.map((spec, i) => {
    const { method, dataset, seed } = spec;
    const fid = 30 + 60 * chance(method, dataset) + 4 * chance(method, dataset, seed);
    const seconds = 100 * (1 + chance(method));
    return {
      ...exampleRecord({
        spec,
        seconds: [2 * seconds, seconds, seconds * (1 + 0.01 * chance(i))],
        scores: { fid },
        decodedScores: { fid: 0.8 * fid },
        reconstructionError: 0.01 * (1 + chance(method, dataset)),
      }),
      id: runId(spec),
    };
  });
  await writeFolder(dir, { experiment, runs, records });
}

/** Writes the runs of the preset `quick` with everything that a record can hold, one failed, one diverged and one missing. */
export async function writeQuick(dir: string): Promise<void> {
  const experiment = experimentOf("quick");
  const runs = resolveRuns(experiment, TABLES);
  const records = runs.slice(0, -1).map((spec, i) => recordOf(spec, i));
  await writeFolder(dir, { experiment, runs, records });
  for (const { id, spec, status } of records) {
    if (status === "completed") await writePictures(`${dir}/${id}`, spec);
  }
}

async function writeFolder(dir: string, { experiment, runs, records }: {
  readonly experiment: Experiment;
  readonly runs: readonly RunSpec[];
  readonly records: readonly RunRecord[];
}): Promise<void> {
  const lines = records.map((record) => `${JSON.stringify(record)}\n`);
  await Deno.writeTextFile(`${dir}/${RESULTS_FILE}`, lines.join(""));
  await writeExperiment(dir, experiment, runs);
}

function recordOf(spec: RunSpec, index: number): RunRecord {
  const id = runId(spec);
  const record = (change: Parameters<typeof exampleRecord>[0]) => {
    const made = exampleRecord({ spec, seconds: [9, 4, 5, 4.5, 4.2], ...change });
    return { ...made, id, epochs: made.epochs.map((epoch) => epochOf(spec, epoch)) };
  };
  if (index === 3) return record({ end: { status: "failed", error: "out of memory at epoch 2" } });
  if (index === 5) return record({ end: { status: "diverged", epoch: 2, metric: "loss" } });
  const { method, seed } = spec;
  const quality = chance(method) + 0.2 * chance(method, seed);
  const shirts = Math.round(300 * quality);
  const findings = exampleFindings({
    fd: 500 - 300 * quality,
    coverage: 0.2 * quality,
    recall: 0.1 * quality,
    precision: 0.3 * quality,
    entropy: 2 + 0.2 * quality,
    kid: 400 - 300 * quality,
    classes: { "T-shirt": shirts, trouser: 200, bag: 800 - shirts },
  });
  const real = exampleFindings();
  const families = { fashion: { samples: findings, real } };
  return record({
    scores: findings.scores,
    untrained: { fd_fashion: 950 + 20 * quality },
    decodedScores: { fd_fashion: 200 - 100 * quality },
    families,
    reconstructionError: 0.03 - 0.01 * quality,
    chainHealth: chainsOf(spec),
    calibration: calibrationOf(spec),
    ...method === "lae" && {
      alternatives: {
        prior_steps: {
          label: "LAE + prior steps",
          scores: findings.scores,
          untrained: {},
          families,
        },
      },
      diagnostics: {
        features: 256,
        rows: 4000,
        rank: 250,
        leverage: { mean: 0.06, min: 0.01, max: 0.4 },
        varianceRatio: 0.07,
        moves: 200,
      },
    },
    ...method === "lebm" && {
      priorCheck: {
        count: 200,
        posterior: { energy: 3.2, trace: 30 },
        negatives: { energy: 3.9, trace: 33 },
        longChains: { energy: 4.4, trace: 36 },
      },
    },
  });
}

function epochOf(spec: RunSpec, epoch: EpochRecord): EpochRecord {
  const fall = Math.exp(-0.5 * epoch.epoch) *
    (1 + 0.1 * chance(spec.method, spec.seed, epoch.epoch));
  return {
    ...epoch,
    metrics: { loss: 400 + 400 * fall, squaredError: 0.02 + 0.04 * fall },
    chainHealth: chainsOf(spec),
  };
}

function chainsOf({ method, seed }: RunSpec): ChainHealth[] {
  if (method.startsWith("vae")) return [];
  const stability = 3 * chance(method, "stability") + 0.1 * chance(method, seed);
  return [{
    chain: "posterior",
    count: 50,
    dimension: 32,
    steps: 8,
    stepSize: 0.0125,
    stability: { quantile90: 0.8 * stability, largest: stability },
    acceptance: { mean: 0.6, standardError: 0.02 },
    drift: { mean: -2, standardError: 0.8 },
    virial: { mean: 0.8, standardError: 0.05 },
  }];
}

function calibrationOf({ method, seed }: RunSpec): Calibration {
  const names = ["logJoint", "logLikelihood", "gradient", "squaredNorm", "projection"];
  const tests = Object.fromEntries(names.map((name) => {
    const effect = chance(method, name) - 0.5 + 0.01 * chance(seed);
    const histogram = Array.from({ length: 20 }, (_, i) => Math.round(26 + effect * (i - 10)));
    return [name, { z: 25 * effect, p: 1e-5, signP: 1e-4, effect, ties: 0, histogram }];
  }));
  return { images: 512, priorIsExact: true, infer: { notFinite: 0, tests } };
}

/** Grids of 10 by 10 images of noise. */
async function writePictures(dir: string, { method, seed }: RunSpec): Promise<void> {
  await Deno.mkdir(dir, { recursive: true });
  const names = [
    "samples.png",
    "samples_prior_steps.png",
    "reconstructions.png",
    "interpolations.png",
  ];
  for (const name of names) {
    const key = [method, seed, name].reduce<ReturnType<typeof keyOf>>(foldIn, keyOf(1));
    const noise = draws(key, { counter: 0, count: 320 * 320, kind: "uniform" });
    const pixels = Uint8Array.from(noise, (x) => 255 * x);
    await sharp(pixels, { raw: { width: 320, height: 320, channels: 1 } }).png()
      .toFile(`${dir}/${name}`);
  }
}

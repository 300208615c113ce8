import type { RunEvent } from "./events.ts";
import { NotFiniteError } from "../core/not_finite.ts";
import type { Chains } from "./batches.ts";
import type { Generator } from "./generator.ts";
import type { Stopwatch } from "../core/stopwatch.ts";
import {
  drawReal,
  findingsOf,
  passesOf,
  type PassScoring,
  type ScorePass,
} from "./score_passes.ts";
import type {
  Dataset,
  DeviceState,
  FamilyRecord,
  Findings,
  ImageBatch,
  ImageSet,
  Metric,
} from "../core/types.ts";
import type { Key } from "../core/noise.ts";

/** Scores by the names of their metrics. */
export type Scores = Readonly<Record<string, number>>;

/** Scores of a state, and the first batch of its images. */
interface Scored {
  readonly state: DeviceState;
  readonly images: ImageBatch;
  readonly scores: Scores;
  /** Findings by family; absent if no score has a family. */
  readonly families?: Readonly<Record<string, FamilyRecord>>;
}

/** A state to draw images from, and how. */
interface Drawing {
  readonly generator: Generator;
  readonly state: DeviceState;
  readonly chains: Chains;
}

/** Draws images and scores them. */
export type Scorer = (drawing: Drawing) => Promise<Scored>;

/**
 * Scores the images of a generator by every metric that is available, batch by batch: no more than a batch is in memory.
 * Sampling and scoring are on separate clocks. Statistics of the real images are computed once. Families also score real
 * images of the split that they do not compare with, once.
 */
export function createScorer(
  { metrics, dataset, images: trained, real, stopwatch, report }: {
    readonly metrics: readonly Metric[];
    readonly dataset: Dataset;
    readonly images: ImageSet;
    /** Number and key of the real images that are scored for comparison. */
    readonly real: { readonly count: number; readonly key: Key };
    readonly stopwatch: Stopwatch;
    report(event: RunEvent): void;
  },
): Scorer {
  const passes = passesOf(metrics);
  const references = new Map<ScorePass, unknown>();
  const referenceOf = async (pass: ScorePass) => {
    if (!references.has(pass)) {
      report({ event: "phase", phase: "reference" });
      const images = pass.against === "test" ? await dataset.load("test") : trained;
      const reference = await pass.reference(images, {
        done: (done) => report({ event: "images", done, of: images.count }),
        waiting: () => report({ event: "phase", phase: "wait" }),
      });
      references.set(pass, reference);
    }
    return references.get(pass);
  };
  const realFindings = new Map<ScorePass, Findings | undefined>();
  const realFindingsOf = async (pass: ScorePass) => {
    if (!realFindings.has(pass)) {
      const others = pass.against === "test" ? trained : await dataset.load("test");
      const images = drawReal(others, real);
      realFindings.set(pass, await findingsOf(pass, images, await referenceOf(pass)));
    }
    return realFindings.get(pass);
  };
  return async ({ generator, state: before, chains }) => {
    stopwatch.switchTo("score");
    await using stack = new AsyncDisposableStack();
    const scorings = new Map<ScorePass, PassScoring>();
    for (const pass of passes) {
      if (!await pass.isAvailable()) continue; // bench has reported the reason; a later call adds the score
      scorings.set(pass, stack.use(await pass.begin(await referenceOf(pass))));
    }
    report({ event: "phase", phase: "score" });
    let first: ImageBatch | undefined;
    let done = 0;
    stopwatch.switchTo("sample");
    const use = async (images: ImageBatch) => {
      first ??= images;
      stopwatch.switchTo("score");
      for (const scoring of scorings.values()) await scoring.add(images);
      done += images.count;
      report({ event: "images", done, of: generator.count });
      stopwatch.switchTo("sample");
    };
    const state = await generator.draw(before, { chains, use });
    stopwatch.switchTo("score");
    const scores: Record<string, number> = {};
    const families: Record<string, FamilyRecord> = {};
    for (const [pass, scoring] of scorings) {
      const result = await scoring.finish();
      for (const [name, value] of Object.entries(result.scores)) {
        if (!Number.isFinite(value)) throw new NotFiniteError(name, value);
        scores[name] = value;
      }
      const ofReal = result.findings && await realFindingsOf(pass);
      if (result.findings && ofReal) {
        families[pass.name] = { samples: result.findings, real: ofReal };
      }
    }
    stopwatch.switchTo("other");
    if (first === undefined) throw new RangeError("No samples were drawn: sampleCount is 0");
    const hasFamilies = Object.keys(families).length > 0;
    return { state, images: first, scores, ...hasFamilies && { families } };
  };
}

/** Scores images that are in memory. */
export async function scoreImages<Reference>(
  metric: Metric<Reference>,
  images: ImageBatch,
  reference: Reference,
): Promise<number> {
  await using scoring = await metric.begin(reference);
  await scoring.add(images);
  return await scoring.finish();
}

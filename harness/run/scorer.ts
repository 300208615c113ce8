import type { RunEvent } from "./events.ts";
import { NotFiniteError } from "../core/not_finite.ts";
import type { Chains } from "./batches.ts";
import type { Generator } from "./generator.ts";
import type { Stopwatch } from "../core/stopwatch.ts";
import type { Dataset, DeviceState, ImageBatch, ImageSet, Metric, Scoring } from "../core/types.ts";

/** Scores by the names of their metrics. */
export type Scores = Readonly<Record<string, number>>;

/** A state's scores, and the first batch of the samples that were scored. */
interface Scored {
  readonly state: DeviceState;
  readonly images: ImageBatch;
  readonly scores: Scores;
}

/**
 * Samples a state and scores the samples by every metric that is available, batch by batch: no more than a
 * batch is in memory. Sampling and scoring are on clocks of their own.
 */
export function createScorer(
  { generator, metrics, dataset, images: trained, stopwatch, report }: {
    readonly generator: Generator;
    readonly metrics: readonly Metric[];
    readonly dataset: Dataset;
    readonly images: ImageSet;
    readonly stopwatch: Stopwatch;
    report(event: RunEvent): void;
  },
): (state: DeviceState, chains: Chains) => Promise<Scored> {
  const references = new Map<string, unknown>();
  const referenceOf = async (metric: Metric) => {
    if (!references.has(metric.name)) {
      report({ event: "phase", phase: "reference" });
      const real = metric.against === "test" ? await dataset.load("test") : trained;
      const reference = await metric.reference(real, {
        done: (done) => report({ event: "images", done, of: real.count }),
        waiting: () => report({ event: "phase", phase: "wait" }),
      });
      references.set(metric.name, reference);
    }
    return references.get(metric.name);
  };
  return async (before, chains) => {
    stopwatch.switchTo("score");
    await using stack = new AsyncDisposableStack();
    const scorings = new Map<string, Scoring>();
    for (const metric of metrics) {
      if (await metric.available?.() ?? null) continue; // bench has said why; a later call adds the score
      scorings.set(metric.name, stack.use(await metric.begin(await referenceOf(metric))));
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
    for (const [name, scoring] of scorings) {
      const value = await scoring.finish();
      if (!Number.isFinite(value)) throw new NotFiniteError(name, value);
      scores[name] = value;
    }
    stopwatch.switchTo("other");
    if (first === undefined) throw new RangeError("No samples were drawn: sampleCount is 0");
    return { state, images: first, scores };
  };
}

/** The score of images that are in memory. */
export async function scoreImages<Reference>(
  metric: Metric<Reference>,
  images: ImageBatch,
  reference: Reference,
): Promise<number> {
  await using scoring = await metric.begin(reference);
  await scoring.add(images);
  return await scoring.finish();
}

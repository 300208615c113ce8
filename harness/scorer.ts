import type { RunEvent } from "./events.ts";
import { NotFiniteError } from "./not_finite.ts";
import type { Sampler } from "./sampling.ts";
import type { Stopwatch } from "./stopwatch.ts";
import type { Dataset, DeviceState, ImageSet, Metric } from "./types.ts";

/** Scores by the names of their metrics. */
export type Scores = Readonly<Record<string, number>>;

/** Samples a state and scores the samples by every metric that is available, each on its clock. */
export function createScorer(
  { sampler, metrics, dataset, images: trained, stopwatch, report }: {
    readonly sampler: Sampler;
    readonly metrics: readonly Metric[];
    readonly dataset: Dataset;
    readonly images: ImageSet;
    readonly stopwatch: Stopwatch;
    report(event: RunEvent): void;
  },
): (state: DeviceState) => Promise<{ state: DeviceState; images: ImageSet; scores: Scores }> {
  const references = new Map<string, unknown>();
  return async (before) => {
    report({ event: "phase", phase: "sample" });
    stopwatch.switchTo("sample");
    const { state, images } = await sampler.draw(before);
    report({ event: "phase", phase: "score" });
    stopwatch.switchTo("score");
    const scores: Record<string, number> = {};
    for (const metric of metrics) {
      if (await metric.available?.() ?? null) continue; // bench has said why; a later call adds the score
      if (!references.has(metric.name)) {
        const real = metric.against === "test" ? await dataset.load("test") : trained;
        references.set(metric.name, await metric.reference(real));
      }
      const value = await metric.score(images, references.get(metric.name));
      if (!Number.isFinite(value)) throw new NotFiniteError(metric.name, value);
      scores[metric.name] = value;
    }
    stopwatch.switchTo("other");
    return { state, images, scores };
  };
}

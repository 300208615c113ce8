import type { Metric, MetricFamily, ScoreBase } from "../core/types.ts";

/** A score of `family` as a metric that can also stand by itself. */
export function metricOf<Reference>(
  family: MetricFamily<Reference>,
  facts: ScoreBase & Pick<Metric, "check">,
): Metric<Reference> {
  return {
    ...facts,
    family,
    reference: (real, watcher) => family.reference(real, watcher),
    async begin(reference) {
      const scoring = await family.begin(reference, [facts.name]);
      return {
        add: (images) => scoring.add(images),
        finish: async () => (await scoring.finish()).scores[facts.name] ?? NaN,
        [Symbol.asyncDispose]: () => scoring[Symbol.asyncDispose](),
      };
    },
  };
}

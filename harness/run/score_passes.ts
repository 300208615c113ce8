import { selectImages } from "../core/image_set.ts";
import type { Key } from "../core/noise.ts";
import { shuffledRows } from "../core/row_order.ts";
import type {
  Findings,
  ImageBatch,
  ImageSet,
  Metric,
  MetricFamily,
  ReferenceWatcher,
  Split,
} from "../core/types.ts";

/** One pass over a set of images, by a single metric or by a family for all its requested metrics. */
export interface ScorePass {
  /** Name of the family or of the metric. */
  readonly name: string;
  readonly against: Split;
  isAvailable(): Promise<boolean>;
  reference(real: ImageSet, watcher: ReferenceWatcher): Promise<unknown>;
  begin(reference: unknown): Promise<PassScoring>;
}

/** A pass in progress. */
export interface PassScoring extends AsyncDisposable {
  add(images: ImageBatch): Promise<void>;
  finish(): Promise<PassResult>;
}

/** Scores by name, and the findings of the family, if any. */
export interface PassResult {
  readonly scores: Readonly<Record<string, number>>;
  readonly findings?: Findings;
}

/** Groups `metrics` into passes: one per family, and one per metric without a family. */
export function passesOf(metrics: readonly Metric[]): ScorePass[] {
  const groups = Map.groupBy(metrics, (metric) => metric.family ?? metric);
  return [...groups.values()].map((group) => {
    const [first] = group; // a family shares its weights, hence availability and split
    const facts = {
      against: first.against ?? "train" as const,
      isAvailable: async () => (await first.available?.() ?? null) === null,
    };
    return first.family === undefined
      ? { ...facts, ...passOfMetric(first) }
      : { ...facts, ...passOfFamily(first.family, group) };
  });
}

type Pass = Omit<ScorePass, "against" | "isAvailable">;

function passOfMetric(metric: Metric): Pass {
  return {
    name: metric.name,
    reference: (real, watcher) => metric.reference(real, watcher),
    async begin(reference) {
      const scoring = await metric.begin(reference);
      return {
        add: (images) => scoring.add(images),
        finish: async () => ({ scores: { [metric.name]: await scoring.finish() } }),
        [Symbol.asyncDispose]: () => scoring[Symbol.asyncDispose](),
      };
    },
  };
}

function passOfFamily(family: MetricFamily, metrics: readonly Metric[]): Pass {
  const wanted = metrics.map(({ name }) => name);
  return {
    name: family.name,
    reference: (real, watcher) => family.reference(real, watcher),
    async begin(reference) {
      const scoring = await family.begin(reference, wanted);
      return {
        add: (images) => scoring.add(images),
        async finish() {
          const findings = await scoring.finish();
          const scores = Object.entries(findings.scores).filter(([name]) => wanted.includes(name));
          return { scores: Object.fromEntries(scores), findings };
        },
        [Symbol.asyncDispose]: () => scoring[Symbol.asyncDispose](),
      };
    },
  };
}

/** Draws up to `count` images of `set` without replacement, in the order of the set. */
export function drawReal(
  set: ImageSet,
  { count, key }: { readonly count: number; readonly key: Key },
): ImageSet {
  return selectImages(set, shuffledRows(key, 0, set.count).subarray(0, count).toSorted());
}

/** Findings of the family of `pass` for `images` in memory; undefined for a metric without a family. */
export async function findingsOf(
  pass: ScorePass,
  images: ImageBatch,
  reference: unknown,
): Promise<Findings | undefined> {
  await using scoring = await pass.begin(reference);
  await scoring.add(images);
  return (await scoring.finish()).findings;
}

import { selectImages } from "../../harness/core/image_set.ts";
import type { Dataset } from "../../harness/core/types.ts";

/**
 * Trains on all classes of `dataset` but `anomaly`, and keeps all test images: the task is to tell that class in the test
 * images from the others. Reads the labels. Throws RangeError if the data set has no labels, or no such class.
 */
export async function withoutClass(dataset: Dataset, anomaly: number): Promise<Dataset> {
  const [train, test] = await Promise.all([dataset.load("train"), dataset.load("test")]);
  const { name } = dataset;
  if (train.labels === undefined || test.labels === undefined) {
    throw new RangeError(`${name} has no labels: no class of it can be held out`);
  }
  const classes = [...new Set(train.labels)].toSorted((a, b) => a - b);
  if (!classes.includes(anomaly) || !test.labels.includes(anomaly)) {
    throw new RangeError(`${name} has no class ${anomaly}: its classes are ${classes.join(", ")}`);
  }
  const { labels } = train;
  const rows = Int32Array.from(labels.keys()).filter((row) => labels[row] !== anomaly);
  return {
    ...dataset,
    name: `${name}-${anomaly}`,
    label: `${dataset.label} without class ${anomaly}`,
    counts: { ...dataset.counts, train: rows.length },
    anomaly,
    load: async (split) => {
      const set = await dataset.load(split);
      return split === "train" ? selectImages(set, rows) : set;
    },
  };
}

/**
 * Fréchet Inception Distance and its relatives: features, statistics and scores of sets of images.
 *
 * ```ts
 * import { frechetDistance, readStatistics } from "laebench/fid";
 *
 * const [a, b] = ["a.npz", "b.npz"].map((name) => readStatistics(Deno.readFileSync(name), name));
 * console.log(frechetDistance(a, b));
 * ```
 *
 * @module
 */
export { featureStatistics, type Statistics } from "../metrics/fid/feature_statistics.ts";
export { type FeatureTable, featureTable } from "../metrics/fid/feature_table.ts";
export { cachedStatistics, inceptionStatistics } from "../metrics/fid/fid.ts";
export { frechetDistance } from "../metrics/fid/frechet.ts";
export { imagesAt, imagesOfSet, type ImageSource } from "../metrics/fid/image_source.ts";
export {
  convertInception,
  findInception,
  inceptionFolder,
} from "../metrics/fid/inception_store.ts";
export { inceptionScore } from "../metrics/fid/inception_score.ts";
export { kernelInceptionDistance } from "../metrics/fid/kid.ts";
export { neighbourOverlap } from "../metrics/fid/neighbours.ts";
export { describeImages, scorePair } from "../metrics/fid/score_pair.ts";
export {
  readStatistics,
  type SavedStatistics,
  writeStatistics,
} from "../metrics/fid/statistics_file.ts";

/**
 * Toy posteriors with exact answers, and the check of anyone's draws against them.
 *
 * ```ts
 * import { judgeDraws, TARGETS } from "laebench/toy";
 * ```
 *
 * @module
 */
export { TARGETS } from "../../datasets/toy/mod.ts";
export { SAMPLERS } from "../../methods/toy/mod.ts";
export type { ToyRow } from "../core/toy_report.ts";
export type * from "../core/toy_types.ts";
export {
  judgeDraws,
  type Judgement,
  type JudgeOptions,
  type Law,
  POSTERIOR,
  posteriorOf,
} from "../toy/judge_draws.ts";
export { openTruth } from "../toy/open_truth.ts";
export { placeDraws } from "../toy/place_draws.ts";
export { TOY_METRICS } from "../toy/toy_metrics.ts";
export type { Truth } from "../toy/truth.ts";

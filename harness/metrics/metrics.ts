/** The table of scores. A new score is one file and one line here. @module */
import { CIFAR_SCORES } from "./fd_cifar.ts";
import { FASHION_SCORES } from "./fd_fashion.ts";
import { fid } from "./fid/fid.ts";
import { BOUNDS } from "./likelihood_bounds.ts";
import type { Score } from "../core/types.ts";

/** Scores by name. */
export const METRICS: Readonly<Record<string, Score>> = {
  ...FASHION_SCORES,
  ...CIFAR_SCORES,
  fid,
  ...BOUNDS,
};

/** The table of scores. A new score is one file and one line here. @module */
import { FASHION_SCORES, fdFashion } from "./fd_fashion.ts";
import { fid } from "./fid/fid.ts";
import { BOUNDS } from "./likelihood_bounds.ts";
import type { Score } from "../core/types.ts";

/** Scores by name. */
export const METRICS: Readonly<Record<string, Score>> = {
  fd_fashion: fdFashion,
  ...FASHION_SCORES,
  fid,
  ...BOUNDS,
};

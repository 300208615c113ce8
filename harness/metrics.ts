/** The table of scores. A new one is one file and one line here. @module */
import { fdFashion } from "./fid/fd_fashion.ts";
import { fid } from "./fid/fid.ts";
import type { Metric } from "./types.ts";

/** Metrics by name. */
export const METRICS: Readonly<Record<string, Metric>> = {
  fd_fashion: fdFashion,
  fid,
};

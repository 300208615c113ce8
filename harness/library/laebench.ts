/**
 * The interfaces of laebench, and what every implementation of them needs: data sets, methods, random numbers, loops.
 *
 * ```ts
 * import { createImageSet, type Dataset } from "laebench";
 * ```
 *
 * @module
 */
export { createImageSet } from "../core/image_set.ts";
export { createNoise, foldIn, type Key, keyOf } from "../core/noise.ts";
export { repeat } from "../core/repeat.ts";
export type * from "../core/types.ts";

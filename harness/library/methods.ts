/**
 * The methods of laebench, as values.
 *
 * ```ts
 * import { METHODS } from "laebench/methods";
 *
 * const model = METHODS.vae.build(
 *   { image: { height: 32, width: 32, channels: 3 }, trainCount: 50_000, batchSize: 100 },
 *   METHODS.vae.defaults,
 * );
 * ```
 *
 * @module
 */
export { METHODS } from "../../methods/mod.ts";
export type { Hyperparams, Method, Model, Problem } from "../core/types.ts";

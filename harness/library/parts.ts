/**
 * The parts of which the methods of laebench are made: networks, likelihoods, optimizers, checks and Langevin chains.
 *
 * ```ts
 * import { adam, lossAndGradients } from "laebench/parts";
 * ```
 *
 * @module
 */
export * from "../../methods/parts/adam.ts";
export * from "../../methods/parts/checks.ts";
export {
  drawFrom,
  entropy,
  gaussianEncoder,
  klToStandardNormal,
  logDensity,
} from "../../methods/parts/gaussian_encoder.ts";
export * from "../../methods/parts/gradients.ts";
export * from "../../methods/parts/likelihood.ts";
export * from "../../methods/parts/nets.ts";
export * from "../../methods/parts/standard_normal.ts";
export * from "../../methods/parts/step_flops.ts";
export * from "../../methods/samplers/langevin.ts";
export * from "../../methods/samplers/metropolis.ts";
export * from "../../methods/samplers/psgld.ts";

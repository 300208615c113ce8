/** The table of toy samplers. A new one is one file and one line here. @module */
import type { Sampler } from "../../harness/core/toy_types.ts";
import { ald, aldAsPrinted, sgald } from "./ald.ts";
import { aviDiagonal, aviFull } from "./avi.ts";
import { laePhi, laePsi } from "./lae.ts";
import { ld, ldChain, ldOfTensor, sgld } from "./ld.ts";
import { aldMetropolis, mala, malaLong } from "./metropolis.ts";
import { independentMidpointLd, midpointLd, optimisticMidpointLd } from "./midpoint.ts";
import { mirrorLd } from "./mirror.ts";
import { proximalLd } from "./proximal.ts";
import { psgald, psgld, psgldShort } from "./psgld.ts";
import { rungeKuttaLd } from "./stochastic_runge_kutta.ts";

/** Samplers by name, in the order of reports. */
export const SAMPLERS: Readonly<Record<string, Sampler>> = {
  ld,
  sgld,
  psgld,
  mala,
  mala_long: malaLong,
  ald,
  sgald,
  psgald,
  ald_mh: aldMetropolis,
  lae_phi: laePhi,
  lae_psi: laePsi,
  ald_as_printed: aldAsPrinted,
  avi_diagonal: aviDiagonal,
  avi_full: aviFull,
  proximal: proximalLd,
  midpoint: midpointLd,
  midpoint_independent: independentMidpointLd,
  midpoint_optimistic: optimisticMidpointLd,
  runge_kutta: rungeKuttaLd,
  mirror: mirrorLd,
};

/** Samplers whose single moves are held to their distribution, one or more for each rule. */
export const MOVERS: readonly Sampler[] = [
  ld,
  ldChain,
  ldOfTensor,
  psgldShort,
  proximalLd,
  midpointLd,
  independentMidpointLd,
  optimisticMidpointLd,
  rungeKuttaLd,
  mirrorLd,
];

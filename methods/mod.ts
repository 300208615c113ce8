/**
 * The table of methods, in the row order of reports: the rows of Table 1, then others.
 *
 * @module
 */
import type { Method } from "../harness/core/types.ts";
import { abp } from "./abp.ts";
import { coopvaebm } from "./coopvaebm.ts";
import { dlgm } from "./dlgm.ts";
import { ebm } from "./ebm.ts";
import { hvae } from "./hvae.ts";
import { iwae } from "./iwae.ts";
import { lae } from "./lae.ts";
import { lae_neurips } from "./lae_neurips.ts";
import { langevin_vae } from "./langevin_vae.ts";
import { lebm } from "./lebm.ts";
import { lfbm } from "./lfbm.ts";
import { sri, sri_layers } from "./sri.ts";
import { vae } from "./vae.ts";
import { vae_flow } from "./vae_flow.ts";

/** Every method by its name. */
export const METHODS: Readonly<Record<string, Method>> = {
  vae,
  vae_flow,
  abp,
  dlgm,
  lebm,
  lae,
  lae_neurips,
  ebm,
  iwae,
  hvae,
  langevin_vae,
  sri,
  sri_layers,
  coopvaebm,
  lfbm,
};

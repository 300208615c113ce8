/**
 * The table of methods, in the row order of Table 1.
 *
 * @module
 */
import type { Method } from "../harness/core/types.ts";
import { abp } from "./abp.ts";
import { dlgm } from "./dlgm.ts";
import { lae } from "./lae.ts";
import { lebm } from "./lebm.ts";
import { vae } from "./vae.ts";
import { vae_flow } from "./vae_flow.ts";

/** Every method by its name. */
export const METHODS = { vae, vae_flow, abp, dlgm, lebm, lae } as const satisfies Readonly<
  Record<string, Method>
>;

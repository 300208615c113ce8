/**
 * The table of methods, in the row order of Table 1.
 *
 * @module
 */
import type { Method } from "../harness/types.ts";
import { abp } from "./abp.ts";
import { lae } from "./lae.ts";
import { vae } from "./vae.ts";

/** Every method by its name. */
export const METHODS = { vae, abp, lae } as const satisfies Readonly<Record<string, Method>>;

import type { Device } from "../core/types.ts";

/** Options of a run of the suite. */
export interface SuiteOptions {
  readonly device: Device;
  readonly seed: number;
  /** Called before each run. */
  readonly report?: (line: string) => void;
}

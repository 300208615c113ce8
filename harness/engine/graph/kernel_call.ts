import type { Builder } from "./builder.ts";
import type { Value } from "./graph.ts";

/** A kernel call of tfjs, with graph values in place of tensors. */
export interface Call {
  readonly b: Builder;
  /** Inputs by name; lists (Concat, Pack) by position. */
  readonly inputs: Readonly<Record<string, Value>>;
  readonly attrs: Readonly<Record<string, never>>;
}

/** Translates a kernel call to its output or outputs. */
export type Kernel = (call: Call) => Value | Value[];

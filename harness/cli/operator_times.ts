/** Times by operator from a profile of ONNX Runtime, and their extrapolation to more threads. @module */

/** Nodes and milliseconds of a run, by operator; a node inside a loop counts once an iteration. */
export type OperatorTimes = Readonly<
  Record<string, { readonly nodes: number; readonly ms: number }>
>;

/** An event of the profile; times in microseconds. */
export interface ProfileEvent {
  readonly cat: string;
  readonly name: string;
  readonly dur: number;
  readonly args?: { readonly op_name?: string };
}

/** Means over the runs of a profile but the first `skip`. */
export function operatorTimes(
  events: readonly ProfileEvent[],
  { skip }: { readonly skip: number },
): OperatorTimes {
  // A run's own event follows those of its nodes.
  const ends = events.flatMap(({ name }, i) => name === "model_run" ? [i] : []);
  const runs = ends.length - skip;
  if (runs < 1) {
    throw new RangeError(`A profile of ${ends.length} runs has none after the first ${skip}`);
  }
  const counted = events.slice(skip > 0 ? ends[skip - 1] + 1 : 0, ends[ends.length - 1]);
  const times: Record<string, { nodes: number; ms: number }> = {};
  for (const { cat, name, dur, args } of counted) {
    if (cat !== "Node" || !name.endsWith("_kernel_time") || !args?.op_name) continue;
    if (args.op_name === "Loop") continue; // the nodes of its body have events of their own
    const of = times[args.op_name] ??= { nodes: 0, ms: 0 };
    of.nodes += 1 / runs;
    of.ms += dur / 1000 / runs;
  }
  for (const of of Object.values(times)) of.nodes = Math.round(of.nodes);
  return times;
}

/**
 * Milliseconds with `threads`, by Amdahl's law for each operator: its serial share s comes from t(m) = t(1) (s + (1 - s) / m)
 * with `measured` threads m, between 0 and 1.
 */
export function scaledTime(
  one: OperatorTimes,
  several: OperatorTimes,
  { measured, threads }: { readonly measured: number; readonly threads: number },
): number {
  return Object.entries(one).reduce((sum, [op, { ms }]) => {
    const ratio = (several[op]?.ms ?? ms) / ms;
    const serial = Math.min(1, Math.max(0, (ratio * measured - 1) / (measured - 1)));
    return sum + ms * (serial + (1 - serial) / threads);
  }, 0);
}

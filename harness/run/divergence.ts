/**
 * What one needs to find why a run diverged: its epoch is trained again from the same state, to the same bits, by a step that
 * also returns norms of the weights, of their changes and of their gradients.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Divergence, NormsAtStep } from "../core/records.ts";
import { NotFiniteError, type StepAtFault } from "../core/not_finite.ts";
import type { Device, PureFunction } from "../core/types.ts";
import type { Chains } from "./batches.ts";
import { loadCheckpoint } from "./checkpoint_files.ts";
import { initialise } from "./initial_state.ts";
import type { Run } from "./run_context.ts";
import { startStopwatch } from "../core/stopwatch.ts";
import { stepOf, trainOptions } from "./train_run.ts";
import { train, type TrainOptions, type TrainPosition } from "./train.ts";

/** Prefix of the norms among the outputs of a step. */
const NORM = "norm/";

/** Options of `traceDivergence`. */
export interface TraceOptions extends Omit<TrainOptions, "program" | "onStep"> {
  readonly device: Device;
  /** The training step and its shapes. */
  readonly step: PureFunction;
  readonly specs: Parameters<Device["compile"]>[1];
}

/** The facts of the step at fault, without norms. */
export function describeFault({ step, metrics, before }: StepAtFault): Divergence {
  const finite = Object.entries(metrics).map(([name, value]) =>
    [name, Number.isFinite(value) ? value : null] as const
  );
  return { step, metrics: Object.fromEntries(finite), lastFinite: before ?? null, norms: null };
}

/**
 * Trains the epoch of `position` again until `fault`, and adds the norms of the last step at which all are finite. They are null
 * if there is none, as for a fault in the first step of an epoch, or on a device that does not repeat its bits.
 */
export async function traceDivergence(
  position: TrainPosition,
  { fault, device, step, specs, ...options }: TraceOptions & { readonly fault: StepAtFault },
): Promise<Divergence> {
  const plain = describeFault(fault);
  let norms: NormsAtStep | null = null;
  await using program = await device.compile(withNorms(step), specs);
  const epochs = train(position, {
    ...options,
    program,
    epochs: position.epoch + 1,
    onStep: (step, metrics) => norms = normsOf(step, metrics),
  });
  try {
    await Array.fromAsync(epochs);
  } catch (error) {
    if (error instanceof NotFiniteError) return { ...plain, norms };
    throw error;
  }
  return plain; // the epoch ended well this time: these norms are of another course
}

/** Trains again from the newest checkpoint of `run`, or from its start, up to `fault`, with norms. */
export async function explainDivergence(fault: StepAtFault, run: Run): Promise<Divergence> {
  const { device, dir, epochs, report } = run;
  const again = `epoch ${epochs.length + 1} up to step ${fault.step}`;
  report({ event: "warning", text: `diverged: ${again} is trained again to record norms` });
  try {
    const saved = await loadCheckpoint(dir);
    // Not run.start: training has moved its chains in place.
    const start = saved ??
      await initialise(run.spec, { model: run.model, trainCount: run.problem.trainCount });
    const state = await device.upload(start.state);
    return await traceDivergence({
      epoch: epochs.length,
      ...saved?.partial && { partial: saved.partial },
      state,
      chains: start.chains as Chains,
    }, {
      ...trainOptions({ ...run, stopwatch: startStopwatch() }),
      ...stepOf(run, state),
      device,
      fault,
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    report({ event: "warning", text: `no norms were recorded: ${reason}` });
    return describeFault(fault);
  }
}

/** `step` with the Euclidean norms of the state before it, of its change, and of gradients in its tensors among the outputs. */
function withNorms(step: PureFunction): PureFunction {
  return (given) => {
    const { result, gradients } = recordGradients(given.state, () => step(given));
    const norms: Record<string, tf.Tensor> = {};
    for (const [name, before] of Object.entries(given.state)) {
      if (before.dtype !== "float32") continue;
      norms[`${NORM}state/${name}`] = tf.norm(before);
      const after = result.state?.[name];
      if (after !== undefined) norms[`${NORM}change/${name}`] = tf.norm(tf.sub(after, before));
      if (gradients.has(name)) norms[`${NORM}gradient/${name}`] = gradients.get(name) as tf.Tensor;
    }
    return { ...result, outputs: { ...result.outputs, ...norms } };
  };
}

/** A gradient call of tfjs: the derivative of `f` with respect to `xs`. */
type Gradients = (f: () => tf.Tensor, xs: tf.Tensor[], ...rest: unknown[]) => {
  readonly value: tf.Tensor;
  readonly grads: (tf.Tensor | null)[];
};

/** The result of `work`, and the norms of the first gradients that it takes with respect to tensors of `state`, by name. */
function recordGradients<T>(
  state: Readonly<Record<string, tf.Tensor>>,
  work: () => T,
): { readonly result: T; readonly gradients: ReadonlyMap<string, tf.Tensor> } {
  const engine = tf.engine() as unknown as { gradients: Gradients };
  const original = engine.gradients;
  const names = new Map(Object.entries(state).map(([name, tensor]) => [tensor, name]));
  const norms = new Map<string, tf.Tensor>();
  engine.gradients = (f, xs, ...rest) => {
    const found = original.call(engine, f, xs, ...rest);
    xs.forEach((x, i) => {
      const [name, gradient] = [names.get(x), found.grads[i]];
      if (name !== undefined && gradient && !norms.has(name)) {
        norms.set(name, tf.keep(tf.norm(gradient)));
      }
    });
    return found;
  };
  try {
    return { result: work(), gradients: norms };
  } finally {
    engine.gradients = original;
  }
}

function normsOf(step: number, metrics: Readonly<Record<string, number>>): NormsAtStep {
  const of = (kind: string) => {
    const prefix = `${NORM}${kind}/`;
    const own = Object.entries(metrics).filter(([name]) => name.startsWith(prefix));
    return Object.fromEntries(own.map(([name, value]) => [name.slice(prefix.length), value]));
  };
  return { step, state: of("state"), change: of("change"), gradient: of("gradient") };
}

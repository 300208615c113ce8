/**
 * Explains why a run diverged: training is repeated from the last checkpoint, to the same bits, by a step that also returns
 * norms of the weights, of their changes and of their gradients.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Chains } from "./batches.ts";
import { loadSoundCheckpoint } from "./checkpoint_files.ts";
import { initialise } from "./initial_state.ts";
import type { Run } from "./run_context.ts";
import { train, type TrainOptions, type TrainPosition } from "./train.ts";
import { createTurns, type StepProgram, stepProgram, trainOptions } from "./train_run.ts";
import { NotFiniteError, type StepAtFault } from "../core/not_finite.ts";
import { startStopwatch } from "../core/stopwatch.ts";
import type { Device, PureFunction } from "../core/types.ts";
import type { Divergence, NormsAtStep } from "../core/records.ts";

/** Prefix of the norms among the outputs of a step. */
const NORM = "norm/";

/**
 * Trains `run` again up to `fault`, from its newest checkpoint or the start, with norms. If that fails, or `stop` is
 * aborted, it reports the reason, and there are no norms.
 */
export async function explainDivergence(fault: StepAtFault, run: Run): Promise<Divergence> {
  const { spec, model, problem: { trainCount }, device, dir, stop, report } = run;
  const warn = (text: string) => report({ event: "warning", text });
  try {
    const saved = await loadSoundCheckpoint(dir, { check() {}, report: warn });
    // Training has moved the chains of `run.start`.
    const start = saved ?? await initialise(spec, { model, trainCount });
    const [epoch, partial] = [saved?.epochs.length ?? 0, saved?.partial];
    warn(
      `diverged in ${placeOf(fault)}: training is repeated from ` +
        `${placeOf({ epoch, step: (partial?.steps ?? 0) + 1 })}, to record norms`,
    );
    const state = await device.upload(start.state);
    const turn = createTurns();
    return await traceDivergence({ epoch, partial, state, chains: start.chains as Chains }, {
      ...trainOptions(run),
      ...stepProgram(state, run),
      stopwatch: startStopwatch(),
      device,
      fault,
      async pause() {
        await turn();
        stop?.throwIfAborted();
        return false;
      },
    });
  } catch (error) {
    warn(`no norms were recorded: ${error instanceof Error ? error.message : String(error)}`);
    return describeFault(fault);
  }
}

function placeOf({ epoch, step }: { readonly epoch: number; readonly step: number }): string {
  return `epoch ${epoch + 1}, step ${step}`;
}

/** Options of `traceDivergence`. */
export interface TraceOptions
  extends StepProgram, Omit<TrainOptions, "program" | "epochs" | "onStep"> {
  readonly device: Device;
  readonly fault: StepAtFault;
}

/** The facts of the step at fault, without norms. */
export function describeFault({ step, metrics, before }: StepAtFault): Divergence {
  const finite = Object.entries(metrics).map(([name, value]) =>
    [name, Number.isFinite(value) ? value : null] as const
  );
  return { step, metrics: Object.fromEntries(finite), lastFinite: before ?? null, norms: null };
}

/**
 * Trains from `position` again until `fault`, and adds the norms of the last step before it, in its epoch, at which all are
 * finite. They are null if there is none, as for a fault in the first step of an epoch or after `position`, or if training
 * goes beyond the fault, on a device that does not repeat its bits.
 */
export async function traceDivergence(
  position: TrainPosition,
  { fault, device, step, specs, ...options }: TraceOptions,
): Promise<Divergence> {
  let norms = null as NormsAtStep | null;
  await using program = await device.compile(withNorms(step), specs);
  const reached = train(position, {
    ...options,
    program,
    epochs: fault.epoch + 1,
    onStep: (step, metrics) => norms = normsOf(step, metrics),
  });
  try {
    for await (const { ended } of reached) if (ended) norms = null;
  } catch (error) {
    if (!(error instanceof NotFiniteError)) throw error;
  }
  return { ...describeFault(fault), norms: norms && norms.step < fault.step ? norms : null };
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

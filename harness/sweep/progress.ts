import {
  estimateSweep,
  formatDuration,
  paceKey,
  type Paces,
  secondsPerStep,
} from "../experiment/estimate.ts";
import type { RunEvent } from "../run/events.ts";
import type { Job } from "./sweep.ts";
import type { EpochRecord, RunRecord, RunSpec } from "../core/records.ts";

/** Shows the progress of a sweep: one live line on a terminal, one line per epoch elsewhere. */
export interface Progress {
  start(job: Job): void;
  event(job: Job, event: RunEvent): void;
  record(job: Job, record: RunRecord): void;
  /** Removes the live line. */
  end(): void;
}

interface Running {
  readonly epochs: EpochRecord[];
  readonly startedAt: number;
  /** The phase, when it began, and when its progress was last printed. */
  phase:
    | { readonly name: keyof typeof PHASES; readonly since: number; printedAt: number }
    | undefined;
}

/** Minimum seconds between lines of one phase without a terminal. */
const LINE_INTERVAL = 60;

/** Creates a Progress that prints with `write`. */
export function createProgress(
  { queue, paces, jobs, stepsPerEpoch, write, terminal, now = () => performance.now() / 1000 }: {
    readonly queue: readonly Job[];
    /** Paces of earlier runs. */
    readonly paces: Paces;
    readonly jobs: number;
    stepsPerEpoch(spec: RunSpec): number;
    write(text: string): void;
    /** The terminal, whose last line can be overwritten; undefined without one. */
    readonly terminal: { readonly columns: number } | undefined;
    readonly now?: () => number;
  },
): Progress {
  const known = new Map(paces);
  const running = new Map<string, Running>();
  const waiting = new Map(queue.map((job) => [job.id, job]));
  let done = 0;

  const place = () => `[${done + 1}/${queue.length}]`;
  const timeLeft = () => {
    const rest = [...waiting.values()].map(({ id, spec }) => {
      const epochs = running.get(id)?.epochs ?? [];
      const steps = (spec.epochs - epochs.length) * stepsPerEpoch(spec);
      return { key: paceKey(spec), steps };
    });
    const { seconds } = estimateSweep(rest, { paces: known, jobs: Math.min(jobs, rest.length) });
    return seconds === undefined ? "" : `, about ${formatDuration(seconds)} left`;
  };
  const line = (text: string) => write(terminal ? `\r\x1b[K${text}\n` : `${text}\n`);
  const live = (text: string) => {
    if (terminal) write(`\r\x1b[K${text.slice(0, terminal.columns - 1)}`);
  };

  return {
    start(job) {
      running.set(job.id, { epochs: [], startedAt: now(), phase: undefined });
      live(`${place()} ${describeRun(job.spec)}: starting${timeLeft()}`);
    },
    event(job, event) {
      const run = running.get(job.id);
      if (run === undefined) return;
      const prefix = `${place()} ${describeRun(job.spec)}`;
      const { epochs } = job.spec;
      switch (event.event) {
        case "phase": {
          run.phase = { name: event.phase, since: now(), printedAt: now() };
          const text = `${prefix}: ${PHASES[event.phase]}${timeLeft()}`;
          return terminal || event.phase !== "wait" ? live(text) : line(text); // waiting may take long
        }
        case "step": {
          const of = stepsPerEpoch(job.spec);
          const where = `epoch ${event.epoch + 1}/${epochs}, step ${event.step}/${of}`;
          return live(`${prefix}: ${where}${describeLoss(event.metrics)}${timeLeft()}`);
        }
        case "images": {
          const { phase } = run;
          if (phase === undefined) return;
          const what = IMAGES[phase.name];
          const rest = (now() - phase.since) * (event.of / event.done - 1);
          const text = `${prefix}: ${event.done}/${event.of} ${what} scored, about ${
            formatDuration(rest)
          } for the rest${timeLeft()}`;
          if (terminal) return live(text);
          if (now() - phase.printedAt < LINE_INTERVAL) return;
          phase.printedAt = now();
          return line(text);
        }
        case "warning":
          return line(`${prefix}: warning: ${event.text}`);
        case "epoch": {
          const { record } = event;
          run.epochs.push(record);
          const pace = secondsPerStep(run.epochs);
          const key = paceKey(job.spec);
          if (pace !== undefined) {
            const training = run.epochs.reduce((sum, { seconds }) => sum + seconds, 0);
            const start = Math.max(0, now() - run.startedAt - training); // until a run has finished
            known.set(key, {
              secondsPerStep: pace,
              restSeconds: known.get(key)?.restSeconds ?? start,
            });
          }
          const text = `${prefix}: epoch ${record.epoch + 1}/${epochs}${
            describeLoss(record.metrics)
          }, ${record.seconds.toFixed(2)} s${timeLeft()}`;
          return terminal ? live(text) : line(text);
        }
      }
    },
    record(job, record) {
      const { startedAt, epochs } = running.get(job.id) ?? { startedAt: now(), epochs: [] };
      const seconds = now() - startedAt;
      const pace = secondsPerStep(epochs);
      if (record.status === "completed" && pace !== undefined) {
        const training = epochs.reduce((sum, epoch) => sum + epoch.seconds, 0);
        known.set(paceKey(job.spec), {
          secondsPerStep: pace,
          restSeconds: Math.max(0, seconds - training),
        });
      }
      running.delete(job.id);
      waiting.delete(job.id);
      line(
        `${place()} ${describeRun(job.spec)}: ${describeOutcome(record)}, ${
          formatDuration(seconds)
        }`,
      );
      done++;
    },
    end() {
      if (terminal) write("\r\x1b[K");
    },
  };
}

const PHASES = {
  load: "loading",
  compile: "compiling",
  train: "training",
  reference: "computing statistics of the real images",
  wait: "waiting for another run that computes the same statistics",
  score: "sampling and scoring",
  bound: "bounding the likelihood",
  calibrate: "testing inference on simulated images",
  diagnose: "measuring the chains",
} as const;

/** Names of the images that a phase processes. */
const IMAGES = {
  load: "images",
  compile: "images",
  train: "images",
  reference: "real images",
  wait: "real images",
  score: "samples",
  bound: "test images",
  calibrate: "simulated images",
  diagnose: "images",
} as const;

/** `lae fashion_4k seed 1`. */
export function describeRun({ method, dataset, seed }: RunSpec): string {
  return `${method} ${dataset} seed ${seed}`;
}

/** Describes how a run ended. */
export function describeOutcome(record: RunRecord): string {
  switch (record.status) {
    case "completed": {
      const scores = Object.entries(record.scores).map(([name, score]) => {
        const before = record.untrained[name];
        const untrained = before === undefined ? "" : ` (untrained ${formatNumber(before)})`;
        return `, ${name} ${formatNumber(score)}${untrained}`;
      });
      return `completed${scores.join("")}`;
    }
    case "diverged":
      return `diverged in epoch ${record.epoch + 1}: ${record.metric} is ${
        record.limit === undefined ? "not finite" : `beyond its limit of ${record.limit}`
      }`;
    case "failed":
      return `failed: ${record.error}`;
    case "interrupted":
      return `interrupted after ${record.epochs.length} of ${record.spec.epochs} epochs`;
  }
}

/** Describes the metric `loss`, or the first one. */
function describeLoss(metrics: Readonly<Record<string, number>>): string {
  const name = "loss" in metrics ? "loss" : Object.keys(metrics)[0];
  return name === undefined ? "" : `, ${name} ${formatNumber(metrics[name])}`;
}

function formatNumber(value: number): string {
  return String(Number(value.toPrecision(4)));
}

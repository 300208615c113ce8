/**
 * `deno task bench:devices`: compares training steps on every usable device: the deviation of the first two from eager
 * tfjs-cpu, and seconds per step with the paper's 32x32 networks. Devices alternate step by step in one process, so that a
 * drift of the machine's speed affects all of them; `against cpu` is the median over these rounds.
 *
 * @module
 */
import { cpus } from "node:os";
import { openDevice } from "../engine/device.ts";
import { findCpuPlugin } from "../engine/xla/pjrt_find.ts";
import { median } from "../statistics/summary.ts";
import type {
  Device,
  DeviceState,
  HostArrays,
  Hyperparams,
  Method,
  Program,
} from "../core/types.ts";
import { prepareStep, type TrainingStep, WARM_UPS } from "./training_step.ts";
import { readCounts, readOptions } from "./arguments.ts";
import { methodsNamed } from "./tables.ts";
import { runProgram } from "./programs.ts";

const ORACLE = "tfjs-cpu";

/** Latent dimension at 32x32, as in bench:step. */
const LATENT_DIM = 64;
/** Hyperparameters of small networks; those that a method lacks are ignored. */
const SMALL: Hyperparams = {
  latentDim: 4,
  featureDim: 64,
  width: 0.125,
  inputDim: 16,
  posteriorSteps: 2,
  priorSteps: 2,
};
/** Whether a large step would exceed the limit, estimated from the seconds of a small one; false without a FLOP formula. */
function tooSlow(
  seconds: number,
  { small, large }: { readonly small: TrainingStep; readonly large: TrainingStep },
): boolean {
  if (small.flops === undefined || large.flops === undefined) return false;
  return seconds * large.flops / small.flops > counts.limit * SMALL_STEP_HANDICAP;
}

/** Factor by which a small step is slower than its FLOPs suggest, because of call overhead and first use. */
const SMALL_STEP_HANDICAP = 30;

const HELP = `Usage: deno task bench:devices [options]

Compares training steps on every usable device: the deviation of the first two from ${ORACLE} with small networks, and
seconds per step with the paper's 32x32 networks.

  --devices LIST   comma-separated; default all available ones
  --methods LIST   comma-separated names, or modules of your own: ./mine.ts; default lae,lebm
  --steps N        timed steps, after two warm-ups (default 3)
  --batch N        default 100
  --threads N      threads of the device cpu; default all cores
  --limit SECONDS  skip a step whose FLOPs suggest a longer time (default 60)
`;

const options = readOptions(HELP, {
  devices: { type: "string" },
  methods: { type: "string", default: "lae,lebm" },
  steps: { type: "string", default: "3" },
  batch: { type: "string", default: "100" },
  threads: { type: "string", default: String(cpus().length) },
  limit: { type: "string", default: "60" },
});

/** A compiled step on a device, its state, and its timings. */
interface Runner {
  readonly name: string;
  readonly program: Program;
  readonly inputs: HostArrays;
  state: DeviceState;
  readonly seconds: number[];
}

const counts = readCounts({
  steps: options.steps,
  batch: options.batch,
  threads: options.threads,
  limit: options.limit,
});
await runProgram(main);

async function main(): Promise<void> {
  const methods = await methodsNamed(options.methods);
  await using oracle = await openDevice(ORACLE, { threads: 1 });
  const devices = await openAll();
  if (devices.length === 0) return; // openAll has printed the reasons
  const rows = [
    "| method | device | difference | trace + compile | s/step | against cpu |",
    "|---|---|---|---|---|---|",
  ];
  for (const method of methods) rows.push(...await compareDevices(method, { devices, oracle }));
  for (const device of devices) await device[Symbol.asyncDispose]();
  console.log(rows.join("\n"));
  console.log(
    `\n${
      cpus()[0].model
    }; batch ${options.batch}, 32x32x3, latent ${LATENT_DIM}; medians of ${options.steps} steps. ` +
      `Difference: the largest relative difference over the metrics of two steps with small networks.`,
  );
  for (const device of devices) console.log(`${device.name}: ${device.description}`);
}

/** Opens every available device; prints to stderr why another cannot be opened. */
async function openAll(): Promise<Device[]> {
  const plugin = findCpuPlugin();
  const names = options.devices?.split(",") ??
    [
      "cpu",
      ...plugin ? [`pjrt:${plugin.path}`] : [],
      "cuda",
      "webgpu",
      "tfjs-node-gpu",
      "tfjs-node",
      ORACLE,
    ];
  const devices: Device[] = [];
  for (const name of names) {
    try {
      devices.push(await openDevice(name, { threads: counts.threads }));
    } catch (error) {
      console.error(`Skipping ${name}: ${error instanceof Error ? error.message : error}`);
      if (options.devices !== undefined) Deno.exitCode = 1;
    }
  }
  return devices;
}

async function compareDevices(
  method: Method,
  { devices, oracle }: { devices: readonly Device[]; oracle: Device },
): Promise<string[]> {
  const small = prepareStep(method, {
    image: { height: 8, width: 8, channels: 1 },
    batchSize: 8,
    overrides: SMALL,
  });
  const large = prepareStep(method, {
    image: { height: 32, width: 32, channels: 3 },
    batchSize: counts.batch,
    overrides: { latentDim: LATENT_DIM },
  });
  const expected = (await twoSteps(oracle, small)).metrics;
  const differences = new Map<string, number>();
  const runners: Runner[] = [];
  for (const device of devices) {
    console.error(`${method.name} on ${device.name} ...`);
    const { metrics, seconds } = await twoSteps(device, small);
    differences.set(device.name, largestDifference(metrics, expected));
    if (tooSlow(seconds, { small, large })) continue;
    runners.push(await start(device, large));
  }
  for (let turn = 0; turn < WARM_UPS + counts.steps; turn++) {
    for (const runner of runners) {
      const { seconds } = await advance(runner, turn);
      if (turn >= WARM_UPS) runner.seconds.push(seconds);
    }
  }
  const cpu = runners.find(({ name }) => name === "cpu");
  const rows = devices.map(({ name }) => {
    const runner = runners.find((r) => r.name === name);
    const { traceSeconds = 0, compileSeconds = 0 } = runner?.program.compiled ?? {};
    return `| ${
      [
        method.label,
        name.replace(/^pjrt:.*\//, "pjrt:"),
        (differences.get(name) ?? NaN).toExponential(1),
        runner ? `${(traceSeconds + compileSeconds).toFixed(1)} s` : "–",
        runner ? median(runner.seconds).toPrecision(3) : `over ${options.limit} s (estimated)`,
        runner && cpu
          ? `${median(runner.seconds.map((s, i) => cpu.seconds[i] / s)).toFixed(2)}x`
          : "–",
      ].join(" | ")
    } |`;
  });
  for (const { program } of runners) await program[Symbol.asyncDispose]();
  return rows;
}

async function start(device: Device, step: TrainingStep): Promise<Runner> {
  const state = await device.upload(await step.initial());
  return {
    name: device.name,
    program: await device.compile(step.fn, { state: state.specs, inputs: step.specs }),
    inputs: step.inputs(),
    state,
    seconds: [],
  };
}

/** Runs one step and reads its metrics, without chains, so that it is finished when this resolves. */
async function advance(runner: Runner, step: number) {
  runner.inputs.step.data[0] = step;
  const begun = performance.now();
  const { state, outputs } = await runner.program.run(runner.state, runner.inputs);
  const seconds = (performance.now() - begun) / 1000;
  runner.state = state;
  const scalars = Object.entries(outputs).filter(([, { shape }]) => shape.length === 0);
  return { seconds, metrics: Object.fromEntries(scalars) as HostArrays };
}

/** Runs two successive steps: the metrics of both, and the seconds of the second. */
async function twoSteps(device: Device, small: TrainingStep) {
  const runner = await start(device, small);
  const first = await advance(runner, 0);
  const second = await advance(runner, 1);
  await runner.program[Symbol.asyncDispose]();
  const both = [first.metrics, second.metrics].flatMap((m) => Object.values(m));
  return { metrics: both.map(({ data }) => data[0]), seconds: second.seconds };
}

function largestDifference(actual: readonly number[], expected: readonly number[]): number {
  return Math.max(
    ...expected.map((v, i) => Math.abs(v - actual[i]) / Math.max(1e-30, Math.abs(v))),
  );
}

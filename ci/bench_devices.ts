/**
 * `deno task bench:devices`: training steps on every usable device, how far the first two are from eager tfjs-cpu's, and
 * seconds a step at the paper's 32x32 nets. Devices take turns step by step in one process, so that a drift of the
 * machine's speed meets all of them; `against cpu` is the median over those turns.
 *
 * @module
 */
import { cpus } from "node:os";
import * as tf from "@tensorflow/tfjs";
import { openDevice } from "../harness/engine/device.ts";
import { findCpuPlugin } from "../harness/engine/pjrt_find.ts";
import { createNoise, fillNoise, keyOf } from "../harness/noise.ts";
import { stepFunction, stepInputs } from "../harness/train.ts";
import type {
  Device,
  DeviceState,
  HostArray,
  HostArrays,
  Hyperparams,
  Method,
  Problem,
  Program,
} from "../harness/types.ts";
import { stepFlops } from "../methods/flops.ts";
import { METHODS } from "../methods/mod.ts";
import { readWords } from "./words.ts";

const ORACLE = "tfjs-cpu";

/** Small nets: what is not a method's hyperparameter is left out. */
const SMALL: Hyperparams = {
  latentDim: 3,
  featureDim: 64,
  width: 0.125,
  inputDim: 16,
  posteriorSteps: 2,
  priorSteps: 2,
};
/** A small step is slower than its FLOPs say, by calls and first use: allow for so much. */
const SMALL_STEP_HANDICAP = 30;

const words = readWords({
  devices: { type: "string" },
  methods: { type: "string", default: "lae,lebm" },
  steps: { type: "string", default: "3" },
  batch: { type: "string", default: "100" },
  threads: { type: "string", default: String(cpus().length) },
  limit: { type: "string", default: "60" },
  help: { type: "boolean", default: false },
});

const HELP = `Usage: deno task bench:devices [options]

Training steps on every usable device: the difference of the first two from ${ORACLE}'s on small nets, and
seconds a step at the paper's 32x32 nets.

  --devices LIST   comma-separated; default all that this machine has
  --methods LIST   comma-separated; default lae,lebm
  --steps N        timed steps, after one warm-up (default 3)
  --batch N        default 100
  --threads N      of the device cpu; default all cores
  --limit SECONDS  leave out a step that would take longer by its FLOPs (default 60)
`;

/** A method with a problem, ready to be compiled anywhere. */
interface Case {
  readonly fn: ReturnType<typeof stepFunction>;
  readonly specs: ReturnType<typeof stepInputs>;
  readonly initial: HostArrays;
  readonly flops: number;
}

/** A compiled step on a device, and where it stands. */
interface Runner {
  readonly name: string;
  readonly program: Program;
  readonly inputs: HostArrays;
  state: DeviceState;
  readonly seconds: number[];
}

if (words.help) console.log(HELP);
else await main();

async function main(): Promise<void> {
  const unknown = words.methods.split(",").find((name) => !Object.hasOwn(METHODS, name));
  if (unknown !== undefined) {
    console.error(
      `Unknown method "${unknown}": known methods are ${Object.keys(METHODS).join(", ")}`,
    );
    Deno.exit(2);
  }
  await using oracle = await openDevice(ORACLE, { threads: 1 });
  const devices = await openAll();
  if (devices.length === 0) return; // each is told above
  const rows = [
    "| method | device | difference | trace + compile | s/step | against cpu |",
    "|---|---|---|---|---|---|",
  ];
  for (const name of words.methods.split(",")) {
    const method = METHODS[name as keyof typeof METHODS] as unknown as Method;
    rows.push(...await compareDevices(method, { devices, oracle }));
  }
  for (const device of devices) await device[Symbol.asyncDispose]();
  console.log(rows.join("\n"));
  console.log(
    `\n${
      cpus()[0].model
    }; batch ${words.batch}, 32x32x3, latent 64; medians of ${words.steps} steps. ` +
      `Difference: largest relative one over the metrics of two steps of small nets.`,
  );
  for (const device of devices) console.log(`${device.name}: ${device.description}`);
}

/** Every device that opens; why another does not is told on stderr. */
async function openAll(): Promise<Device[]> {
  const plugin = findCpuPlugin();
  const names = words.devices?.split(",") ??
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
      devices.push(await openDevice(name, { threads: Number(words.threads) }));
    } catch (error) {
      console.error(`${name} is left out: ${error instanceof Error ? error.message : error}`);
      if (words.devices !== undefined) Deno.exitCode = 1;
    }
  }
  return devices;
}

async function compareDevices(
  method: Method,
  { devices, oracle }: { devices: readonly Device[]; oracle: Device },
): Promise<string[]> {
  const small = await prepare(method, { size: 8, batch: 8, hyper: SMALL });
  const large = await prepare(method, {
    size: 32,
    batch: Number(words.batch),
    hyper: { latentDim: 64 },
  });
  const expected = (await twoSteps(oracle, small)).metrics;
  const differences = new Map<string, number>();
  const runners: Runner[] = [];
  for (const device of devices) {
    console.error(`${method.name} on ${device.name} ...`);
    const { metrics, seconds } = await twoSteps(device, small);
    differences.set(device.name, largestDifference(metrics, expected));
    if (seconds * large.flops / small.flops > Number(words.limit) * SMALL_STEP_HANDICAP) continue;
    runners.push(await start(device, large));
  }
  for (let turn = 0; turn <= Number(words.steps); turn++) {
    for (const runner of runners) {
      const { seconds } = await advance(runner, turn);
      if (turn > 0) runner.seconds.push(seconds);
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
        runner ? median(runner.seconds).toPrecision(3) : `over ${words.limit} s by its FLOPs`,
        runner && cpu
          ? `${median(runner.seconds.map((s, i) => cpu.seconds[i] / s)).toFixed(2)}x`
          : "–",
      ].join(" | ")
    } |`;
  });
  for (const { program } of runners) await program[Symbol.asyncDispose]();
  return rows;
}

async function prepare(
  method: Method,
  { size, batch, hyper: overrides }: { size: number; batch: number; hyper: Hyperparams },
): Promise<Case> {
  const known = Object.entries(overrides).filter(([k]) => k in method.defaults);
  const hyper = { ...method.defaults, ...Object.fromEntries(known) };
  const image = { height: size, width: size, channels: size === 8 ? 1 : 3 };
  const problem: Problem = { image, trainCount: 50_000, batchSize: batch };
  method.check?.(problem, hyper);
  await tf.setBackend("cpu");
  const state = method.init(problem, hyper, createNoise(keyOf(0), tf.scalar(0, "int32")));
  const initial = Object.fromEntries(
    Object.entries(state).map(([name, t]): [string, HostArray] => [
      name,
      {
        shape: t.shape,
        dtype: t.dtype as HostArray["dtype"],
        data: t.dataSync().slice() as Float32Array,
      },
    ]),
  );
  tf.dispose(state as tf.NamedTensorMap);
  return {
    fn: stepFunction(method, hyper, keyOf(1)),
    specs: stepInputs({ image, batchSize: batch, chains: method.chains?.(problem, hyper) ?? {} }),
    initial,
    flops: stepFlops(method.name, problem, hyper),
  };
}

async function start(device: Device, { fn, specs, initial }: Case): Promise<Runner> {
  const inputs = Object.fromEntries(
    Object.entries(specs).map(([key, { shape, dtype }]): [string, HostArray] => {
      const length = shape.reduce((a, b) => a * b, 1);
      const data = dtype === "int32" ? Int32Array.from({ length }, (_, i) => i) : uniform(length);
      return [key, { shape, dtype, data }];
    }),
  );
  return {
    name: device.name,
    program: await device.compile(fn, { state: initial, inputs: specs }),
    inputs,
    state: await device.upload(initial),
    seconds: [],
  };
}

/** One step; its metrics come back to the host, so it is over when this returns. Chains are left out of them. */
async function advance(runner: Runner, step: number) {
  runner.inputs.step.data[0] = step;
  const begun = performance.now();
  const { state, outputs } = await runner.program.run(runner.state, runner.inputs);
  const seconds = (performance.now() - begun) / 1000;
  runner.state = state;
  const scalars = Object.entries(outputs).filter(([, { shape }]) => shape.length === 0);
  return { seconds, metrics: Object.fromEntries(scalars) as HostArrays };
}

/** The metrics of two steps, the second on what the first made of the state, and the seconds of the second. */
async function twoSteps(device: Device, small: Case) {
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

function uniform(length: number): Float32Array {
  const out = new Float32Array(length);
  fillNoise(out, { key: keyOf(2), counters: Int32Array.of(0), width: length, kind: "uniform" });
  return out;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

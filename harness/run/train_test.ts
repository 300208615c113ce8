import assert from "node:assert/strict";
import { keyOf } from "../core/noise.ts";
import { NotFiniteError } from "../core/not_finite.ts";
import { startStopwatch } from "../core/stopwatch.ts";
import { inTurn, train, type TrainOptions, type TrainPosition } from "./train.ts";
import type { HostArrays, Program } from "../core/types.ts";

const float32 = (...values: number[]) => ({
  shape: [values.length],
  dtype: "float32" as const,
  data: Float32Array.from(values),
});

/** Events of a fake device: beginnings of steps and arrivals of their outputs. */
interface Log {
  readonly lines: string[];
}

/**
 * A program that adds 1 to the chain of every row, and reports the row's pixel as its loss: on a device that computes by
 * itself, `ahead`, or in the calling thread.
 */
function fakeProgram({ lines }: Log, { ahead, lossOf = (step) => step }: {
  readonly ahead: boolean;
  readonly lossOf?: (step: number) => number;
}): Program {
  const compute = (inputs: HostArrays) => {
    const step = inputs.step.data[0];
    lines.push(`begin ${step}`);
    const chain = inputs["chains/z"];
    const outputs = {
      loss: float32(lossOf(step)),
      "chains/z": { ...chain, data: Float32Array.from(chain.data, (v) => v + 1) },
    };
    return { step, outputs };
  };
  const specs = { state: { specs: {} } };
  return {
    compiled: { nodes: 0, traceSeconds: 0, compileSeconds: 0, noiseCount: 0 },
    run: (_state, inputs) => {
      const { step, outputs } = compute(inputs);
      lines.push(`end ${step}`);
      return Promise.resolve({ ...specs, outputs });
    },
    ...ahead && {
      begin: (_state, inputs) => {
        const { step, outputs } = compute(inputs);
        inputs.images.data.fill(NaN); // the feed's own memory: read by now
        const wait = new Promise((resolve) => setTimeout(resolve, 2));
        return {
          ...specs,
          outputs: wait.then(() => {
            lines.push(`end ${step}`);
            return outputs;
          }),
        };
      },
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

const TRAIN_COUNT = 6;
const options = (program: Program): TrainOptions => ({
  program,
  images: {
    image: { height: 1, width: 1, channels: 1 },
    count: TRAIN_COUNT,
    pixels: new Uint8Array(TRAIN_COUNT),
    sha256: "",
  },
  trainCount: TRAIN_COUNT,
  batchSize: 2,
  epochs: 2,
  orderKey: keyOf(0),
  stopwatch: startStopwatch(),
});

const start = () => ({
  epoch: 0,
  state: { specs: {} },
  chains: { z: { ...float32(...Array(TRAIN_COUNT).fill(0)), shape: [TRAIN_COUNT, 1] } },
});

for (const ahead of [false, true]) {
  Deno.test(`train() ${ahead ? "begins a step before the previous one has finished" : "runs one step at a time"}`, async () => {
    const lines: string[] = [];
    const seen: number[] = [];
    const position = start();
    const records = await Array.fromAsync(train(position, {
      ...options(fakeProgram({ lines }, { ahead })),
      onStep: (step, { loss }) => seen.push(step, loss),
    }));
    // The loss is the step's number over both epochs.
    assert.deepEqual(seen, [1, 0, 2, 1, 3, 2, 1, 3, 2, 4, 3, 5]);
    assert.deepEqual(records.map(({ ended }) => ended?.record.metrics.loss), [1, 4]);
    assert.deepEqual([...position.chains.z.data], Array(TRAIN_COUNT).fill(2));
    const order = ahead
      ? ["begin 0", "begin 1", "end 0", "begin 2", "end 1", "end 2"]
      : ["begin 0", "end 0", "begin 1", "end 1", "begin 2", "end 2"];
    const second = order.map((line) => line.replace(/\d/, (step) => `${Number(step) + 3}`));
    assert.deepEqual(lines, [...order, ...second]); // an epoch is over before the next one
  });

  Deno.test(`train() pauses where asked${ahead ? ", once the steps that have begun are over" : ""}, and goes on from there`, async () => {
    const whole = start();
    const records = await Array.fromAsync(
      train(whole, options(fakeProgram({ lines: [] }, { ahead, lossOf: (step) => 0.1 * step }))),
    );
    const lines: string[] = [];
    const program = fakeProgram({ lines }, { ahead, lossOf: (step) => 0.1 * step });
    let position: TrainPosition = start();
    const { chains } = position;
    const losses: number[] = [];
    const places: (number | undefined)[][] = [];
    while (position.epoch < 2) { // a new process for each part
      const pause = () => Promise.resolve(true);
      for await (const reached of train(position, { ...options(program), pause })) {
        position = reached.position;
        places.push([position.epoch, position.partial?.steps]);
        assert.equal(lines.filter((line) => line.startsWith("begin")).length * 2, lines.length);
        if (reached.ended) losses.push(reached.ended.record.metrics.loss);
        break;
      }
    }
    assert.deepEqual(places, [[0, 1], [0, 2], [1, undefined], [1, 1], [1, 2], [2, undefined]]);
    assert.deepEqual(losses, records.flatMap(({ ended }) => ended?.record.metrics.loss ?? []));
    assert.deepEqual(chains.z.data, whole.chains.z.data);
  });

  Deno.test(`train() stops at the first metric that is not finite${ahead ? ", a step later" : ""}`, async () => {
    const lines: string[] = [];
    const program = fakeProgram({ lines }, { ahead, lossOf: (step) => step === 1 ? NaN : 0 });
    await assert.rejects(Array.fromAsync(train(start(), options(program))), NotFiniteError);
    assert.deepEqual(lines.filter((line) => line.startsWith("begin")), [
      ...["begin 0", "begin 1"],
      ...ahead ? ["begin 2"] : [],
    ]);
    assert.equal(lines.filter((line) => line.startsWith("end")).length, ahead ? 3 : 2); // none is left running
  });
}

Deno.test("train() stops at the first metric beyond its limit, and names metric, value and limit", async () => {
  const lines: string[] = [];
  const program = fakeProgram({ lines }, { ahead: false, lossOf: (step) => -step });
  const run = (limit: number) =>
    Array.fromAsync(train(start(), { ...options(program), model: { limits: { loss: limit } } }));
  await run(5);
  await assert.rejects(run(3), {
    what: "loss",
    message: "loss became -4, beyond its limit of 3",
    at: { epoch: 1, step: 2, metrics: { loss: -4 }, before: { loss: -3 } },
  });
});

Deno.test("train() knows the metrics before a divergence also in a later process", async () => {
  const program = fakeProgram({ lines: [] }, {
    ahead: false,
    lossOf: (step) => step === 4 ? NaN : step,
  });
  const pause = () => Promise.resolve(true);
  let position: TrainPosition = start();
  const fault = { epoch: 1, step: 2, metrics: { loss: NaN }, before: { loss: 3 } };
  await assert.rejects(async () => {
    while (position.epoch < 2) { // a new process for each part
      const { value } = await train(position, { ...options(program), pause }).next();
      position = value.position;
    }
  }, { what: "loss", limit: undefined, at: fault });
});

Deno.test("inTurn() reports a failure in order, and waits for every job that has begun", async () => {
  const over: number[] = [];
  const results: number[] = [];
  const job = (n: number) => ({
    result: new Promise<number>((resolve, reject) =>
      setTimeout(() => {
        over.push(n);
        if (n === 2) reject(new Error("job 2"));
        else resolve(n);
      }, n === 2 ? 1 : 5)
    ),
  });
  const jobs = inTurn([0, 9], { ahead: 3, begin: (n) => Promise.resolve(job(n)) });
  await assert.rejects(async () => {
    for await (const n of jobs) results.push(n);
  }, /job 2/);
  assert.deepEqual(results, [0, 1]);
  assert.deepEqual(over.toSorted(), [0, 1, 2, 3, 4, 5]); // 5 began when 2 was waited for
});

/** Compares the StableHLO text of steps, run by the reference interpreter, with eager tfjs. */
import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { createNoise, draws, type Key, keyOf, NOISE_KERNEL } from "../../core/noise.ts";
import type { HostArrays, PureFunction } from "../../core/types.ts";
import { openEager } from "../eager/eager.ts";
import {
  caseFunction,
  caseInputs,
  CASES,
  KERNEL_TOLERANCE,
  worstError,
} from "../testing/kernel_cases.ts";
import { type Body, repeat } from "../../core/repeat.ts";
import { emitStableHlo } from "./stablehlo.ts";
import { interpret } from "../testing/stablehlo_interpret.ts";
import { literal } from "./stablehlo_writer.ts";
import { inputs, langevinStep, STATE, STATE_TOLERANCE } from "../testing/step_case.ts";
import { GRID_INPUTS, gridFaults, gridProgram } from "../testing/unary_grid.ts";
import { rewriteLoops } from "../graph/rewrite_loops.ts";
import { trace } from "../graph/trace.ts";

/** Runs `fn` once by interpreting its StableHLO text. */
function interpretStep(fn: PureFunction, given: { state: HostArrays; inputs: HostArrays }) {
  const program = emitStableHlo(trace(fn, given), { precision: "DEFAULT" });
  const results = interpret(
    program.text,
    program.inputs.map(({ group, name }) => {
      const { shape, dtype, data } = given[group === "state" ? "state" : "inputs"][name];
      return { shape, element: dtype === "float32" ? "f32" : "i32", data: data.slice() };
    }),
  );
  const named = [...program.state, ...program.outputs].map(({ name, shape, dtype }, i) =>
    [name, { shape, dtype, data: results[i].data as Float32Array | Int32Array }] as const
  );
  const state = { ...given.state, ...Object.fromEntries(named.slice(0, program.state.length)) };
  const outputs: HostArrays = Object.fromEntries(named.slice(program.state.length));
  return { program, state, outputs };
}

async function runEager(fn: PureFunction, given: { state: HostArrays; inputs: HostArrays }) {
  await using eager = await openEager("tfjs-cpu", "cpu");
  await using program = await eager.compile(fn, given);
  const { state, outputs } = await program.run(await eager.upload(given.state), given.inputs);
  return { state: await eager.download(state), outputs };
}

Deno.test("emitStableHlo() agrees with eager tfjs for every kernel", async (t) => {
  for (const [name, example] of Object.entries(CASES)) {
    await t.step(name, async () => {
      const given = { state: {}, inputs: caseInputs(example) };
      const { outputs: expected } = await runEager(caseFunction(example), given);
      const { outputs } = interpretStep(caseFunction(example), given);
      const error = worstError(outputs, expected);
      assert(error <= KERNEL_TOLERANCE, `relative error ${error} > ${KERNEL_TOLERANCE}`);
    });
  }
});

Deno.test("emitStableHlo() keeps every elementwise function and its slope exact in the tails, at the infinities and at NaN", () => {
  const { outputs } = interpretStep(gridProgram, { state: {}, inputs: GRID_INPUTS });
  assert.deepEqual(gridFaults(outputs, "StableHLO"), []);
});

Deno.test("emitStableHlo() agrees with eager tfjs on a whole step", async () => {
  const given = { state: STATE, inputs: inputs(3) };
  const expected = await runEager(langevinStep, given);
  const { state, outputs, program } = interpretStep(langevinStep, given);
  const error = worstError({ ...state, ...outputs }, { ...expected.state, ...expected.outputs });
  assert(error <= STATE_TOLERANCE, `relative error ${error}`);
  // The loop's body is written once, not five times.
  assert.equal(program.text.match(/stablehlo\.while/g)?.length, 1);
  // The filter of an input gradient is the result of a reverse, which cuDNN needs (stablehlo_lower.ts).
  const reversed = [...program.text.matchAll(/(%\d+) = stablehlo\.reverse/g)].map((m) => m[1]);
  assert(reversed.length > 0);
  for (const id of reversed) {
    assert.match(program.text, new RegExp(`convolution\\(%\\w+, ${id}\\)`));
  }
});

Deno.test("emitStableHlo() starts a loop at its first row", () => {
  const x = { shape: [4], dtype: "float32", data: Float32Array.of(1, 10, 100, 1000) } as const;
  const horner: Body<{ y: tf.Tensor }, { x: tf.Tensor }> = ({ y }, { x }) => ({
    y: tf.add(tf.mul(y, 2), x),
  });
  const fn: PureFunction = ({ inputs: { x } }) => ({
    outputs: repeat(4, { y: tf.scalar(0) as tf.Tensor }, horner, { x }),
  });
  const { builder, outputs } = trace(fn, { state: {}, inputs: { x } });
  const [y] = rewriteLoops(builder, [outputs.y]); // takes row 0 out
  const { text } = emitStableHlo({ state: {}, outputs: { y } }, { precision: "DEFAULT" });
  const [result] = interpret(text, [{ shape: [4], element: "f32", data: x.data }]);
  assert.deepEqual([...result.data], [8 * 1 + 4 * 10 + 2 * 100 + 1000]);
});

Deno.test("emitStableHlo() donates exactly the state that is replaced", () => {
  const { program } = interpretStep(langevinStep, { state: STATE, inputs: inputs(0) });
  const donated = program.donated.map((i) => program.inputs[i].name).sort();
  assert.deepEqual(donated, ["b0", "w0", "w1", "w2"]);
  for (const [i, { name }] of program.state.entries()) {
    const at = program.inputs.findIndex((input) => input.name === name);
    assert.match(
      program.text,
      new RegExp(`%arg${at}: tensor<[^>]*> \\{tf\\.aliasing_output = ${i} : i32\\}`),
    );
  }
});

Deno.test("emitStableHlo() nests loops and passes the values that they read as operands", async () => {
  const fn: PureFunction = ({ state: { a, b }, inputs: { x } }) => {
    const outside = tf.mul(a, 2);
    const { z } = repeat(3, { z: a }, ({ z }, { row }) => {
      const inner = repeat(2, { y: z, kept: b }, ({ y, kept }) => ({
        y: tf.add(tf.mul(y, 0.5), tf.add(outside, row)),
        kept: tf.add(kept, a), // depends only on the inner loop and on the outermost block
      }));
      return { z: tf.add(inner.y, tf.mul(inner.kept, tf.tensor1d([1, 2, 3]))) };
    }, { row: x });
    return { state: { a: b, b: z }, outputs: { z } }; // a becomes an argument unchanged
  };
  const array = (shape: number[], at: number) => ({
    shape,
    dtype: "float32" as const,
    data: Float32Array.from({ length: shape.reduce((p, d) => p * d, 1) }, (_, i) => at + i),
  });
  const given = {
    state: { a: array([3], 1), b: array([3], -2) },
    inputs: { x: array([3, 3], 0.5) },
  };
  const expected = await runEager(fn, given);
  const { state, outputs } = interpretStep(fn, given);
  const error = worstError({ ...state, ...outputs }, { ...expected.state, ...expected.outputs });
  assert(error <= KERNEL_TOLERANCE, `relative error ${error}`);
});

Deno.test("writeNoise() draws the uniforms of noise.ts exactly and its normals within 2e-6", () => {
  const key: Key = [0x13198a2e, 0x03707344];
  const counters = Int32Array.of(0, 1, 7, 2 ** 31 - 1, -5);
  const width = 2047; // odd: half of the last block is dropped
  const fn = (kind: string): PureFunction => ({ inputs: { c } }) => ({
    outputs: {
      x: tf.engine().runKernel(NOISE_KERNEL, { c, counters: c } as never, {
        key,
        width,
        kind,
      } as never) as tf.Tensor,
    },
  });
  const given = {
    state: {},
    inputs: { c: { shape: [5], dtype: "int32" as const, data: counters } },
  };
  for (const kind of ["uniform", "normal"] as const) {
    const { x } = interpretStep(fn(kind), given).outputs;
    counters.forEach((counter, row) => {
      const expected = draws(key, { counter, count: width, kind });
      const actual = x.data.subarray(row * width, (row + 1) * width);
      if (kind === "uniform") assert.deepEqual(actual, expected);
      // noise.ts: each is within 1e-6 of exact arithmetic.
      else expected.forEach((v, i) => assert(Math.abs(v - actual[i]) <= 2e-6));
    });
  }
});

Deno.test("createNoise() in a step draws the same as on the host", async () => {
  const fn: PureFunction = ({ inputs: { step, rows } }) => {
    const noise = createNoise(keyOf(9), step as tf.Scalar);
    return {
      outputs: {
        u: noise.split("u").uniform([4, 3]),
        own: noise.split("own").normalOfRows(rows as tf.Tensor1D, 6),
      },
    };
  };
  const ints = (shape: number[], ...values: number[]) => ({
    shape,
    dtype: "int32" as const,
    data: Int32Array.from(values),
  });
  const given = { state: {}, inputs: { step: ints([], 41), rows: ints([3], 8, 0, 5) } };
  const expected = await runEager(fn, given);
  const { outputs } = interpretStep(fn, given);
  assert.deepEqual(outputs.u.data, expected.outputs.u.data);
  outputs.own.data.forEach((v, i) => assert(Math.abs(v - expected.outputs.own.data[i]) <= 2e-6));
});

Deno.test("literal() writes floats exactly, with a point, and non-finite ones as bits", () => {
  assert.equal(literal(0.1, "float32"), "1.0000000149011612e-1");
  assert.equal(literal(2, "float32"), "2.0e+0");
  assert.equal(literal(-0, "float32"), "-0.0");
  assert.equal(literal(-Infinity, "float32"), "0xFF800000");
  assert.equal(literal(-1, "uint32"), "4294967295");
  assert.equal(literal(1, "bool"), "true");
});

Deno.test("emitStableHlo() refuses to return a bool and names its operation", () => {
  const fn: PureFunction = ({ state: { a } }) => ({ outputs: { p: tf.greater(a, 0) } });
  const a = { shape: [2], dtype: "float32" as const };
  assert.throws(
    () => emitStableHlo(trace(fn, { state: { a }, inputs: {} }), { precision: "DEFAULT" }),
    /got bool \(compare\): cast it to int32/,
  );
});

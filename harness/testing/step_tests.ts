/**
 * Conformance tests of a method's facts and of its training step.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { HostArrays } from "../core/types.ts";
import { initial, type Subject, train } from "./subject.ts";

/** Tests by what they require. */
export const STEP_TESTS: Readonly<Record<string, (subject: Subject) => void | Promise<void>>> = {
  "facts are complete": ({ method }) => {
    assert.match(method.name, /^[a-z][a-z0-9_]*$/, "name");
    for (const fact of ["label", "description", "source"] as const) {
      assert.ok(method[fact].trim() !== "", fact);
    }
    for (const [key, value] of Object.entries(method.defaults)) {
      assert.ok(typeof value !== "number" || Number.isFinite(value), `default of ${key}`);
    }
  },

  "build() refuses NaN for every number": ({ method, hyper, problem }) => {
    for (const key of Object.keys(hyper).filter((key) => typeof hyper[key] === "number")) {
      assert.throws(
        () => method.build(problem, { ...hyper, [key]: NaN }),
        (error) => error instanceof RangeError && error.message.includes(key),
        `${key}: NaN was accepted, or the error does not name it`,
      );
    }
  },

  "flops are positive and grow with the batch": ({ method, hyper, problem }) => {
    const flops = (batchSize: number) => method.build({ ...problem, batchSize }, hyper).flops;
    const one = flops(1);
    if (one === undefined) return;
    assert.ok(one > 0 && Number.isFinite(one), String(one));
    assert.equal(flops(7), 7 * one);
  },

  "step() with the same seed gives the same bits, and other bits with another seed": async (
    subject,
  ) => {
    const first = await train(subject);
    assert.deepEqual(await train(subject), first, "the same seed gives other bits");
    const other = await train(subject, { seed: 1 });
    assert.notDeepEqual(other.state, first.state, "another seed gives the same state");
  },

  "step() resumed from a saved state gives the same bits": async (subject) => {
    const whole = await train(subject, { steps: [0, 3] });
    const half = await train(subject, { steps: [0, 2] });
    const rest = await train(subject, { steps: [2, 3], from: half });
    assert.deepEqual(rest, whole, "step 3 from a saved state differs from step 3 in one go");
  },

  "step() keeps names, shapes and types of state and chains, and changes the state": async (
    subject,
  ) => {
    const before = initial(subject, 0);
    const after = await train(subject, { steps: [0, 1] });
    const specsOf = (arrays: HostArrays) =>
      Object.fromEntries(
        Object.entries(arrays).map(([name, { shape, dtype }]) => [name, { shape, dtype }]),
      );
    assert.deepEqual(specsOf(after.state), specsOf(before.state));
    assert.deepEqual(specsOf(after.chains), specsOf(before.chains));
    const moved = Object.keys(before.state).filter((name) =>
      before.state[name].data.some((value, i) => value !== after.state[name].data[i])
    );
    assert.ok(moved.length > 0, "one step changed nothing");
  },

  "metrics stay finite for 20 steps": async (subject) => {
    const { metrics } = await train(subject, { steps: [0, 20] });
    assert.ok(Object.keys(metrics).length > 0, "step() returns no training metric");
    for (const [name, value] of Object.entries(metrics)) {
      assert.ok(Number.isFinite(value), `${name} is ${value}`);
    }
  },

  "step() accepts a batch of one": async (subject) => {
    const { metrics } = await train(
      { ...subject, problem: { ...subject.problem, batchSize: 1 } },
      { steps: [0, 1] },
    );
    assert.ok(Object.values(metrics).every(Number.isFinite));
  },

  "step() compiled equals eager after 3 steps": async (subject) => {
    const eager = await train(subject, { device: "tfjs-cpu" });
    const compiled = await train(subject);
    for (const [name, { data }] of Object.entries(eager.state)) {
      // Float32 sums in another order: 1e-7 an operation, times some 1e3 terms; 1e-4 of the entry's largest value bounds it.
      const values = Array.from(data);
      const largest = (numbers: readonly number[], least: number) =>
        numbers.reduce((most, value) => Math.max(most, Math.abs(value)), least);
      const scale = largest(values, 1e-6);
      const other = compiled.state[name].data;
      const worst = largest(values.map((value, i) => value - other[i]), 0);
      assert.ok(worst <= 1e-4 * scale, `${name} differs by ${worst / scale} of its largest value`);
    }
  },
};

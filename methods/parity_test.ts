import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs";
import { createNoise, keyOf } from "../harness/core/noise.ts";
import { flatten, unflatten } from "../harness/core/tree.ts";
import { toTensor, toTensors } from "../harness/core/host_arrays.ts";
import { decodeArrays, type ParityCase, replayNoise } from "./testing/replay.ts";
import { METHODS } from "./mod.ts";

const FIXTURE = new URL("../fixtures/parity/methods.json", import.meta.url);
const { cases } = JSON.parse(readFileSync(FIXTURE, "utf8")) as { cases: readonly ParityCase[] };

// PyTorch's step in float64 from the same state, batch and draws: ci/parity/methods.py. Adam's first slot holds the gradient
// itself and pSGLD's the square, so the entries cover every gradient, and then every new parameter.
for (const { name, method, problem, hyper, ...stored } of cases) {
  Deno.test(`${name} step() equals PyTorch's`, async () => {
    await tf.setBackend("cpu");
    const { images, rows, step, labels } = decodeArrays(stored.inputs);
    const batch = {
      images: toTensor<tf.Tensor4D>(images),
      rows: toTensor<tf.Tensor1D>(rows),
      step: toTensor<tf.Scalar>(step),
      chains: {},
      labels: toTensor<tf.Tensor1D>(labels),
    };
    const state = toTensors(decodeArrays(stored.state));
    const noise = replayNoise(createNoise(keyOf(0), batch.step), decodeArrays(stored.noise));
    const result = METHODS[method].build(problem, hyper).step(unflatten(state), batch, noise);

    const next = flatten(result.state);
    const moved = Object.keys(state).filter((k) => next[k] !== state[k]);
    assert.deepEqual(new Set(moved), new Set(Object.keys(stored.next)));
    for (const [entry, { data }] of Object.entries(decodeArrays(stored.next))) {
      const ours = [...next[entry].dataSync()];
      const scale = Math.max(...Array.from(data, Math.abs));
      const worst = Math.max(...ours.map((v, i) => Math.abs(v - data[i])));
      // Second moments are squares of gradients: twice the relative error.
      const tolerance = /^(adam|psgld)\/(\w+\/)?v\//.test(entry) ? 2e-5 : 1e-5;
      assert.ok(
        worst <= tolerance * scale,
        `${entry} differs by ${worst / scale} of its largest value`,
      );
    }
    for (const [metric, value] of Object.entries(stored.metrics)) {
      const ours = result.metrics[metric].dataSync()[0];
      assert.ok(
        Math.abs(ours - value) <= 1e-5 * Math.abs(value),
        `${metric} ${ours}, PyTorch ${value}`,
      );
    }
  });
}

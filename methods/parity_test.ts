import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs";
import { createNoise, keyOf } from "../harness/core/noise.ts";
import type { HostArray, Method } from "../harness/core/types.ts";
import { decodeArrays, type ParityCase, replayNoise } from "./testing/replay.ts";
import { METHODS } from "./mod.ts";

const FIXTURE = new URL("../fixtures/parity/methods.json", import.meta.url);
const { cases } = JSON.parse(readFileSync(FIXTURE, "utf8")) as { cases: readonly ParityCase[] };

// PyTorch's step in float64 from the same state, batch and draws: ci/parity/methods.py. Adam's first slot holds the gradient
// itself and pSGLD's the square, so the entries cover every gradient, and then every new parameter.
for (const { name, method: key, hyper, ...stored } of cases) {
  Deno.test(`${name} step() equals PyTorch's`, async () => {
    await tf.setBackend("cpu");
    const method = METHODS[key];
    const tensor = ({ data, shape, dtype }: HostArray) => tf.tensor(data, shape as number[], dtype);
    const { images, rows, step } = decodeArrays(stored.inputs);
    const draws = decodeArrays(stored.noise);
    const state = Object.fromEntries(
      Object.entries(decodeArrays(stored.state)).map(([k, array]) => [k, tensor(array)]),
    );
    const stepTensor = tensor(step) as tf.Scalar;
    const batch = {
      images: tensor(images) as tf.Tensor4D,
      rows: tensor(rows) as tf.Tensor1D,
      step: stepTensor,
      chains: {},
    };
    const noise = replayNoise(createNoise(keyOf(0), stepTensor), draws);
    const result = method.step(state, batch, hyper, noise);

    const moved = Object.keys(state).filter((k) => result.state[k] !== state[k]);
    assert.deepEqual(new Set(moved), new Set(Object.keys(stored.next)));
    for (const [entry, { data }] of Object.entries(decodeArrays(stored.next))) {
      const ours = [...result.state[entry].dataSync()];
      const scale = Math.max(...Array.from(data, Math.abs));
      const worst = Math.max(...ours.map((v, i) => Math.abs(v - data[i])));
      // Second moments are squares of gradients: twice the relative error.
      const tolerance = /^(adam|psgld)\/v\//.test(entry) ? 2e-5 : 1e-5;
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

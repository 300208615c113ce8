import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { bivariateGaussian } from "../../datasets/toy/bivariate_gaussian.ts";
import { METHOD_CHAINS } from "../../methods/toy/method_chains.ts";
import { openDevice } from "../engine/device.ts";
import type { MethodChain } from "../core/toy_types.ts";
import { runMethodChain } from "./method_chain.ts";

function named(name: string): MethodChain {
  const chain = METHOD_CHAINS.find((chain) => chain.name === name);
  assert.ok(chain);
  return chain;
}

/** Metrics of `chain` that fail. */
async function failuresOf(chain: MethodChain): Promise<string[]> {
  await using device = await openDevice("cpu", { threads: 1 });
  const rows = await runMethodChain(chain, { target: bivariateGaussian, device, seed: 0 });
  return rows.filter(({ verdict }) => verdict === "fail").map(({ metric }) => metric);
}

Deno.test("runMethodChain() passes the chains as they are", async () => {
  assert.deepEqual(await failuresOf(named("lebm_posterior")), []);
  assert.deepEqual(await failuresOf(named("lae_neurips_phi")), []);
});

Deno.test("runMethodChain() fails a chain that goes 3 % too far, or too wide", async () => {
  const right = named("lebm_posterior");
  const stretched = (factor: number, extra: number): MethodChain => ({
    ...right,
    run: (start, context) => {
      const { z } = right.run(start, context);
      const noise = tf.mul(context.noise.split("extra").normal(start.shape), extra);
      return { z: tf.add(tf.add(start, tf.mul(tf.sub(z, start), factor)), noise) };
    },
  });
  assert.deepEqual(await failuresOf(stretched(1.03, 0)), ["drift", "noise"]);
  // A variance of 0.1 to 0.17 and 0.01 more.
  assert.deepEqual(await failuresOf(stretched(1, 0.1)), ["noise"]);
});

Deno.test("runMethodChain() fails a Metropolis chain that rejects one proposal in a thousand too many", async () => {
  const right = named("lae_neurips_phi");
  const failed = await failuresOf({
    ...right,
    run: (start, context) => {
      const { z, acceptance } = right.run(start, context);
      assert.ok(acceptance);
      return { z, acceptance: tf.sub(acceptance, 1e-3) };
    },
  });
  assert.deepEqual(failed, ["acceptance"]);
});

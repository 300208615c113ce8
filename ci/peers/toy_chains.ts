/**
 * Chain-steps per CPU second of toy samplers on the bivariate target with one thread, as JSON: one side of jax_chains.py. CPU
 * seconds and not those of a clock, so that other work on the machine counts little; the difference between a long and a
 * short run leaves out compilation.
 *
 * @module
 */
import process from "node:process";
import { TARGETS } from "../../datasets/toy/mod.ts";
import { openDevice } from "../../harness/engine/device.ts";
import { runChains } from "../../harness/toy/run_chains.ts";
import { SAMPLERS } from "../../methods/toy/mod.ts";

const [names, chains, steps] = Deno.args;
await using device = await openDevice("cpu", { threads: 1 });

async function cpuSeconds(name: string, length: number): Promise<number> {
  const before = process.cpuUsage();
  await runChains(SAMPLERS[name], {
    target: TARGETS.bivariate,
    device,
    seed: 0,
    overrides: { chains: Number(chains), steps: length, burnIn: length - 100, thin: 100 },
  });
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

const rates: Record<string, number> = {};
for (const name of names.split(",")) {
  const short = await cpuSeconds(name, 100);
  const long = await cpuSeconds(name, 100 + Number(steps));
  rates[name] = Number(chains) * Number(steps) / (long - short);
}
console.log(JSON.stringify(rates));

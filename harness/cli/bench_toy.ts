/**
 * `deno task bench:toy`: chain-steps a second of every toy sampler on the bivariate target, with many chains in one compiled
 * graph. A chain is all three points, so that a chain-step moves six coordinates.
 *
 * @module
 */
import { cpus } from "node:os";
import { bivariateGaussian } from "../../datasets/toy/bivariate_gaussian.ts";
import { openDevice } from "../engine/device.ts";
import { median } from "../statistics/summary.ts";
import { runChains } from "../toy/run_chains.ts";
import { SAMPLERS } from "../../methods/toy/mod.ts";
import { fail } from "./programs.ts";
import { readCounts, readNames, readOptions } from "./arguments.ts";

/** Steps between draws that leave the graph. */
const THIN = 100;

const HELP =
  `deno task bench:toy: chain-steps a second of the toy samplers on the bivariate target, compiled

  --samplers NAMES  a comma between them; all by default: ${Object.keys(SAMPLERS).join()}
  --chains COUNT    chains side by side (2000)
  --steps COUNT     steps of a chain, a multiple of ${THIN} (1000)
  --threads COUNT   threads of the runtime (${cpus().length})
  --repeats COUNT   runs of each sampler, of which the median is shown (3)`;

const words = readOptions({
  samplers: { type: "string", default: Object.keys(SAMPLERS).join() },
  chains: { type: "string", default: "2000" },
  steps: { type: "string", default: "1000" },
  threads: { type: "string", default: String(cpus().length) },
  repeats: { type: "string", default: "3" },
  help: { type: "boolean", default: false },
});

if (words.help) console.log(HELP);
else await main();

async function main(): Promise<void> {
  const names = readNames(words.samplers, { kind: "sampler", known: Object.keys(SAMPLERS) });
  const { chains, steps, threads, repeats } = readCounts({
    chains: words.chains,
    steps: words.steps,
    threads: words.threads,
    repeats: words.repeats,
  });
  if (steps % THIN !== 0) fail(`--steps ${steps} is not a multiple of ${THIN}`, 2);
  await using device = await openDevice("cpu", { threads });
  console.log(`${cpus()[0].model}, ${device.description}`);
  console.log(`Bivariate target, ${chains} chains, ${steps} steps, median of ${repeats}\n`);
  console.log("| sampler | million chain-steps/s | gradients a step |");
  console.log("| --- | --- | --- |");
  for (const name of names) {
    const sampler = SAMPLERS[name];
    const rates: number[] = [];
    let gradients = 0;
    for (let i = 0; i < repeats; i++) {
      const overrides = { chains, steps, burnIn: steps - THIN, thin: THIN };
      const run = await runChains(sampler, {
        target: bivariateGaussian,
        device,
        seed: i,
        overrides,
      });
      rates.push(run.chainStepsPerSecond / 1e6);
      gradients = run.gradients / steps;
    }
    const rate = median(rates);
    console.log(
      `| ${sampler.label} | ${rate.toPrecision(3)} | ${Number(gradients.toPrecision(3))} |`,
    );
  }
}

/**
 * `deno task bench:toy`: chain-steps per second of every toy sampler on the bivariate target, with many chains in one compiled
 * graph. A chain holds all three points, so a chain-step moves six coordinates. Its normals are drawn by one thread of the
 * host before the graph runs; their share of the time says how much is left to the graph.
 *
 * @module
 */
import { cpus } from "node:os";
import { bivariateGaussian } from "../../datasets/toy/bivariate_gaussian.ts";
import { fillNoise, keyOf } from "../core/noise.ts";
import { openDevice } from "../engine/device.ts";
import { median } from "../statistics/summary.ts";
import { resolveSettings, runChains } from "../toy/run_chains.ts";
import type { Sampler, SamplerSettings } from "../core/toy_types.ts";
import { SAMPLERS } from "../../methods/toy/mod.ts";
import { fail, runProgram } from "./programs.ts";
import { readCounts, readNames, readOptions } from "./arguments.ts";

/** Steps between recorded draws. */
const THIN = 100;

const HELP = `Usage: deno task bench:toy [options]

Chain-steps per second of the compiled toy samplers on the bivariate target.

  --samplers NAMES  comma-separated; default all: ${Object.keys(SAMPLERS).join()}
  --chains COUNT    parallel chains (default 2000)
  --steps COUNT     steps per chain, a multiple of ${THIN} (default 1000)
  --threads COUNT   threads of the runtime (default ${cpus().length})
  --repeats COUNT   runs per sampler, whose median is shown (default 3)`;

const options = readOptions(HELP, {
  samplers: { type: "string", default: Object.keys(SAMPLERS).join() },
  chains: { type: "string", default: "2000" },
  steps: { type: "string", default: "1000" },
  threads: { type: "string", default: String(cpus().length) },
  repeats: { type: "string", default: "3" },
});

await runProgram(main);

async function main(): Promise<void> {
  const names = readNames(options.samplers, { kind: "sampler", known: Object.keys(SAMPLERS) });
  const { chains, steps, threads, repeats } = readCounts({
    chains: options.chains,
    steps: options.steps,
    threads: options.threads,
    repeats: options.repeats,
  });
  if (steps % THIN !== 0) fail(`--steps must be a multiple of ${THIN}, got ${steps}`, 2);
  await using device = await openDevice("cpu", { threads });
  console.log(`${cpus()[0].model}, ${device.description}`);
  console.log(`Bivariate target, ${chains} chains, ${steps} steps, median of ${repeats}\n`);
  console.log(
    "| sampler | million chain-steps/s | gradients per step | normals per step | share of drawing them |",
  );
  console.log("| --- | --- | --- | --- | --- |");
  const perNormal = secondsPerNormal();
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
    const normals = normalsPerStep(sampler, { chains, steps, burnIn: steps - THIN, thin: THIN });
    const cells = [
      sampler.label,
      rate.toPrecision(3),
      String(Number(gradients.toPrecision(3))),
      String(normals),
      `${(100 * normals * perNormal * rate * 1e6).toFixed(0)} %`,
    ];
    console.log(`| ${cells.join(" | ")} |`);
  }
}

/** Normals that one step of one chain takes. */
function normalsPerStep(sampler: Sampler, overrides: Partial<SamplerSettings>): number {
  const settings = resolveSettings(sampler, { target: bivariateGaussian, overrides });
  return Object.values(sampler.draws(bivariateGaussian, settings))
    .filter(({ kind }) => kind === "normal")
    .reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1) / settings.chains, 0);
}

/** Seconds to draw a normal on the host, by the median of three tries. */
function secondsPerNormal(): number {
  const width = 10_000;
  const counters = Int32Array.from({ length: 100 }, (_, i) => i);
  const out = new Float32Array(counters.length * width);
  return median(Array.from({ length: 3 }, () => {
    const begun = performance.now();
    fillNoise(out, { key: keyOf(5), counters, width, kind: "normal" });
    return (performance.now() - begun) / 1000 / out.length;
  }));
}

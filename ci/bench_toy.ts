/**
 * `deno task bench:toy`: chain-steps a second of every toy sampler on the bivariate target, with many chains in one compiled
 * graph. A chain is all three points, so that a chain-step moves six coordinates.
 *
 * @module
 */
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { bivariateGaussian } from "../datasets/toy/bivariate_gaussian.ts";
import { openDevice } from "../harness/engine/device.ts";
import { runChains } from "../harness/toy/run_chains.ts";
import { parseCount } from "../harness/words.ts";
import { SAMPLERS } from "../methods/samplers/mod.ts";

/** Steps between draws that leave the graph. */
const THIN = 100;

const HELP =
  `deno task bench:toy: chain-steps a second of the toy samplers on the bivariate target, compiled

  --samplers NAMES  a comma between them; all by default: ${Object.keys(SAMPLERS).join()}
  --chains COUNT    chains side by side (2000)
  --steps COUNT     steps of a chain, a multiple of ${THIN} (1000)
  --threads COUNT   threads of the runtime (${cpus().length})
  --repeats COUNT   runs of each sampler, of which the median is shown (3)`;

async function main(words: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...words],
    options: {
      help: { type: "boolean", default: false },
      samplers: { type: "string", default: Object.keys(SAMPLERS).join() },
      chains: { type: "string", default: "2000" },
      steps: { type: "string", default: "1000" },
      threads: { type: "string", default: String(cpus().length) },
      repeats: { type: "string", default: "3" },
    },
  });
  if (values.help) return console.log(HELP);
  const [chains, steps, threads, repeats] = ([
    ["--chains", values.chains],
    ["--steps", values.steps],
    ["--threads", values.threads],
    ["--repeats", values.repeats],
  ] as const).map(([option, word]) => parseCount(word, option));
  const names = values.samplers.split(",");
  const unknown = names.find((name) => !Object.hasOwn(SAMPLERS, name));
  if (unknown !== undefined) {
    throw new RangeError(
      `Unknown sampler "${unknown}": known samplers are ${Object.keys(SAMPLERS).join(", ")}`,
    );
  }
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
    const median = rates.toSorted((a, b) => a - b)[rates.length >> 1];
    console.log(
      `| ${sampler.label} | ${median.toPrecision(3)} | ${Number(gradients.toPrecision(3))} |`,
    );
  }
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    Deno.exitCode = 2;
  }
}

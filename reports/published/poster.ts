/**
 * The numbers of the Langevin-autoencoder poster (NeurIPS 2022), as data: negative ELBO per dimension on test images,
 * mean and standard deviation over 3 seeds. The poster does not state the unit; it must be nats, since a uniform
 * distribution over 256 levels has 5.545 nats. Its MNIST may not be padded to 32x32 as ours is, but black borders cost
 * almost no nats.
 *
 * @module
 */
import {
  assumedFrom,
  factsFrom,
  type Protocol,
  type PublishedScore,
  readPrinted,
  type Setting,
  unstated,
} from "./protocol.ts";

const SOURCE = "the poster";

/** Columns of the poster's table. Its CelebA is not one of our data sets: celeba_hq is another. */
export const POSTER_DATASETS = [
  { name: "mnist", label: "MNIST" },
  { name: "svhn", label: "SVHN" },
  { name: "cifar10", label: "CIFAR-10" },
  { name: "celeba", label: "CelebA" },
] as const;

/** Rows of the poster's table, in the order of POSTER_DATASETS, as printed. Its "Hoffman 2017" is our dlgm, its LAE our lae_neurips. */
const TABLE: Readonly<Record<string, readonly string[]>> = {
  vae: ["1.189 ± 0.002", "4.442 ± 0.003", "4.820 ± 0.005", "4.671 ± 0.001"],
  vae_flow: ["1.183 ± 0.001", "4.454 ± 0.016", "4.828 ± 0.005", "4.667 ± 0.005"],
  dlgm: ["1.189 ± 0.002", "4.440 ± 0.007", "4.831 ± 0.005", "4.662 ± 0.011"],
  lae_neurips: ["1.177 ± 0.001", "4.412 ± 0.002", "4.773 ± 0.003", "4.636 ± 0.003"],
};

/** Settings of single methods in the released code. */
const TRAINING: Readonly<Record<string, Readonly<Record<string, Setting>>>> = {
  vae: { optimizer: "sgd" },
  vae_flow: { optimizer: "sgd" },
  dlgm: { optimizer: "sgd", posteriorSteps: 2 },
};

function protocolOf(method: string): Protocol {
  return {
    ...factsFrom(SOURCE, { nets: "mlp", width: 1, trainCount: "all" }), // it mentions no subset
    ...assumedFrom("the released code", {
      likelihood: "discretized_logistic",
      batchSize: 100,
      latentDim: 8,
      ...TRAINING[method],
    }),
    ...unstated("epochs", "preprocessing"),
  };
}

/** Every number of the poster's table. */
export const POSTER_SCORES: readonly PublishedScore[] = Object.entries(TABLE).flatMap(
  ([method, row]) =>
    row.map((printed, i) => ({
      method,
      dataset: POSTER_DATASETS[i].name,
      metric: "nelbo",
      source: SOURCE,
      ...readPrinted(printed),
      protocol: protocolOf(method),
    })),
);

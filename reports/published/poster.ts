/**
 * The numbers of the Langevin-autoencoder poster (NeurIPS 2022), as data: negative ELBO per dimension on test images, mean and
 * standard deviation over 3 seeds. The unit is not stated: nats, since a uniform law over 256 levels would have 5.545 of
 * them. Not known: the epochs and the latent dimension of each data set, whether MNIST is padded to 32x32 as ours is (black
 * borders cost next to no nats), and which CelebA.
 *
 * @module
 */
import type { PublishedScore } from "./paper.ts";

/** Columns of the poster's table. CelebA is none of our data sets: celeba_hq is another. */
export const POSTER_DATASETS = [
  { name: "mnist", label: "MNIST" },
  { name: "svhn", label: "SVHN" },
  { name: "cifar10", label: "CIFAR-10" },
  { name: "celeba", label: "CelebA" },
] as const;

/** Rows of the poster's table, in the order of POSTER_DATASETS. Its "Hoffman 2017" is our dlgm. */
const TABLE: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  vae: [[1.189, 0.002], [4.442, 0.003], [4.820, 0.005], [4.671, 0.001]],
  vae_flow: [[1.183, 0.001], [4.454, 0.016], [4.828, 0.005], [4.667, 0.005]],
  dlgm: [[1.189, 0.002], [4.440, 0.007], [4.831, 0.005], [4.662, 0.011]],
  lae: [[1.177, 0.001], [4.412, 0.002], [4.773, 0.003], [4.636, 0.003]],
};

/** Every number of the poster's table. */
export const POSTER_SCORES: readonly PublishedScore[] = Object.entries(TABLE).flatMap(
  ([method, row]) =>
    row.map(([mean, std], i) => ({
      method,
      dataset: POSTER_DATASETS[i].name,
      metric: "nelbo",
      mean,
      std,
    })),
);

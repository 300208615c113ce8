/**
 * Floating-point operations of one training step on a batch, 2 per multiply-accumulate, from the multiply-accumulates of its
 * formulas for one image: the mathematical work, independent of the engine. A backward pass to the inputs costs
 * about a forward pass, and one to the weights another; so a network that learns costs 3 passes, a Langevin step 2, a frozen
 * network 1.
 */
export function stepFlops(batchSize: number, macsOfImage: number): number {
  return 2 * batchSize * macsOfImage;
}

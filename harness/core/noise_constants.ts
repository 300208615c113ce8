/**
 * Constants of the random numbers. noise.ts defines the numbers, engine/xla/stablehlo_noise.ts writes them as operations
 * of a graph, and noise_kernel.as.ts, which is compiled to WebAssembly separately, repeats these constants.
 *
 * @module
 */

/** Rotations of threefry2x32 in even and odd groups of four rounds. */
export const ROTATIONS = [[13, 15, 26, 6], [17, 29, 16, 24]] as const;
/** The constant of the threefish key schedule for 32-bit words. */
export const PARITY = 0x1BD11BDA;

// Minimax polynomials of the Cephes library (Moshier), single precision: sinf.c, cosf.c, logf.c; highest power first.
export const SINE: readonly number[] = [-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1];
export const COSINE: readonly number[] = [
  2.443315711809948e-5,
  -1.388731625493765e-3,
  4.166664568298827e-2,
];
export const LOGARITHM: readonly number[] = [
  7.0376836292e-2,
  -1.1514610310e-1,
  1.1676998740e-1,
  -1.2420140846e-1,
  1.4249322787e-1,
  -1.6668057665e-1,
  2.0000714765e-1,
  -2.4999993993e-1,
  3.3333331174e-1,
];
/** Significands above this limit, about sqrt(2), are halved before the logarithm's polynomial. */
export const LARGE_SIGNIFICAND = 1.4142135;
/** ln 2 as a sum of two parts; the first is exact in few bits. */
export const LN2_HIGH = 0.693359375;
export const LN2_LOW = -2.12194440e-4;

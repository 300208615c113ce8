/**
 * The Inception network of the FID: GoogLeNet v3 as frozen by Google on 2015-12-05 (Szegedy et al. 2016,
 * arXiv:1512.00567), layer by layer. Checked against mseitzer/pytorch-fid (src/pytorch_fid/inception.py)
 * and toshas/torch-fidelity (torch_fidelity/feature_extractor_inceptionv3.py). It differs from
 * torchvision's network: average pools exclude padding from the mean, and the last block uses max pooling.
 *
 * @module
 */

/** Convolution without bias, then batch normalization (inference, epsilon 0.001), then ReLU. */
export interface Unit {
  /** Name in PyTorch's state_dict, such as `Mixed_5b.branch1x1`. */
  readonly unit: string;
  readonly out: number;
  /** Height and width. */
  readonly kernel: readonly [number, number];
  readonly stride: 1 | 2;
  /** Padding: rows above and below, columns left and right. */
  readonly pad: readonly [number, number];
}

/** 3x3 pooling. Average pooling excludes padding from its divisor. */
export interface Pool {
  readonly pool: "max" | "average";
  readonly stride: 1 | 2;
  readonly pad: 0 | 1;
}

/** Branches on the same input, concatenated along channels in this order. */
export interface Branches {
  readonly branches: readonly (readonly Step[])[];
}

/** A part of the network. */
export type Step = Unit | Pool | Branches;

/** Constant added to the variance in batch normalization. */
export const BATCH_NORM_EPSILON = 0.001;
/** Channels of the last feature maps, hence the number of features (`pool3`) of an image. */
export const FEATURE_COUNT = 2048;
/** Classes of the last layer: 1,000 of ImageNet and 8 unused ones of the 2015 graph. */
export const CLASS_COUNT = 1008;

function same(unit: string, out: number, height: number, width: number): Unit {
  const pad = [(height - 1) / 2, (width - 1) / 2] as const;
  return { unit, out, kernel: [height, width], stride: 1, pad };
}

function valid(unit: string, out: number, size: number, stride: 1 | 2): Unit {
  return { unit, out, kernel: [size, size], stride, pad: [0, 0] };
}

const maxPoolHalving: Pool = { pool: "max", stride: 2, pad: 0 };
const averagePool: Pool = { pool: "average", stride: 1, pad: 1 };
const maxPool: Pool = { pool: "max", stride: 1, pad: 1 };

function blockA(name: string, poolOut: number): Branches {
  return {
    branches: [
      [same(`${name}.branch1x1`, 64, 1, 1)],
      [same(`${name}.branch5x5_1`, 48, 1, 1), same(`${name}.branch5x5_2`, 64, 5, 5)],
      [
        same(`${name}.branch3x3dbl_1`, 64, 1, 1),
        same(`${name}.branch3x3dbl_2`, 96, 3, 3),
        same(`${name}.branch3x3dbl_3`, 96, 3, 3),
      ],
      [averagePool, same(`${name}.branch_pool`, poolOut, 1, 1)],
    ],
  };
}

function blockB(name: string): Branches {
  return {
    branches: [
      [valid(`${name}.branch3x3`, 384, 3, 2)],
      [
        same(`${name}.branch3x3dbl_1`, 64, 1, 1),
        same(`${name}.branch3x3dbl_2`, 96, 3, 3),
        valid(`${name}.branch3x3dbl_3`, 96, 3, 2),
      ],
      [maxPoolHalving],
    ],
  };
}

function blockC(name: string, inner: number): Branches {
  return {
    branches: [
      [same(`${name}.branch1x1`, 192, 1, 1)],
      [
        same(`${name}.branch7x7_1`, inner, 1, 1),
        same(`${name}.branch7x7_2`, inner, 1, 7),
        same(`${name}.branch7x7_3`, 192, 7, 1),
      ],
      [
        same(`${name}.branch7x7dbl_1`, inner, 1, 1),
        same(`${name}.branch7x7dbl_2`, inner, 7, 1),
        same(`${name}.branch7x7dbl_3`, inner, 1, 7),
        same(`${name}.branch7x7dbl_4`, inner, 7, 1),
        same(`${name}.branch7x7dbl_5`, 192, 1, 7),
      ],
      [averagePool, same(`${name}.branch_pool`, 192, 1, 1)],
    ],
  };
}

function blockD(name: string): Branches {
  return {
    branches: [
      [same(`${name}.branch3x3_1`, 192, 1, 1), valid(`${name}.branch3x3_2`, 320, 3, 2)],
      [
        same(`${name}.branch7x7x3_1`, 192, 1, 1),
        same(`${name}.branch7x7x3_2`, 192, 1, 7),
        same(`${name}.branch7x7x3_3`, 192, 7, 1),
        valid(`${name}.branch7x7x3_4`, 192, 3, 2),
      ],
      [maxPoolHalving],
    ],
  };
}

function blockE(name: string, pool: Pool): Branches {
  const fork = (stem: string): Branches => ({
    branches: [[same(`${stem}a`, 384, 1, 3)], [same(`${stem}b`, 384, 3, 1)]],
  });
  return {
    branches: [
      [same(`${name}.branch1x1`, 320, 1, 1)],
      [same(`${name}.branch3x3_1`, 384, 1, 1), fork(`${name}.branch3x3_2`)],
      [
        same(`${name}.branch3x3dbl_1`, 448, 1, 1),
        same(`${name}.branch3x3dbl_2`, 384, 3, 3),
        fork(`${name}.branch3x3dbl_3`),
      ],
      [pool, same(`${name}.branch_pool`, 192, 1, 1)],
    ],
  };
}

/** The network from the image [n, 3, 299, 299] to its last feature maps [n, 2048, 8, 8], whose means are the features. */
export const INCEPTION: readonly Step[] = [
  valid("Conv2d_1a_3x3", 32, 3, 2), // [n, 32, 149, 149]
  valid("Conv2d_2a_3x3", 32, 3, 1),
  same("Conv2d_2b_3x3", 64, 3, 3),
  maxPoolHalving, // [n, 64, 73, 73]
  same("Conv2d_3b_1x1", 80, 1, 1),
  valid("Conv2d_4a_3x3", 192, 3, 1),
  maxPoolHalving, // [n, 192, 35, 35]
  blockA("Mixed_5b", 32),
  blockA("Mixed_5c", 64),
  blockA("Mixed_5d", 64),
  blockB("Mixed_6a"), // [n, 768, 17, 17]
  blockC("Mixed_6b", 128),
  blockC("Mixed_6c", 160),
  blockC("Mixed_6d", 160),
  blockC("Mixed_6e", 192),
  blockD("Mixed_7a"), // [n, 1280, 8, 8]
  blockE("Mixed_7b", averagePool),
  blockE("Mixed_7c", maxPool),
];

/** A unit and its number of input channels. */
export interface PlacedUnit extends Unit {
  readonly in: number;
}

/** Lists all 94 units in data order with their numbers of input channels. */
export function inceptionUnits(): PlacedUnit[] {
  const units: PlacedUnit[] = [];
  const walk = (steps: readonly Step[], channels: number): number =>
    steps.reduce((into, step) => {
      if ("pool" in step) return into;
      if ("branches" in step) {
        return step.branches.reduce((sum, branch) => sum + walk(branch, into), 0);
      }
      units.push({ ...step, in: into });
      return step.out;
    }, channels);
  walk(INCEPTION, 3);
  return units;
}

/** Names and shapes of the 472 parameters of a state_dict. */
export function inceptionParameters(): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  for (const { unit, in: into, out, kernel } of inceptionUnits()) {
    shapes.set(`${unit}.conv.weight`, [out, into, ...kernel]);
    for (const name of ["weight", "bias", "running_mean", "running_var"]) {
      shapes.set(`${unit}.bn.${name}`, [out]);
    }
  }
  shapes.set("fc.weight", [CLASS_COUNT, FEATURE_COUNT]);
  shapes.set("fc.bias", [CLASS_COUNT]);
  return shapes;
}

import type { Inpainting } from "../core/records.ts";
import { firstImages } from "../core/image_set.ts";
import type { Key } from "../core/noise.ts";
import type { Device, DeviceState, ImageBatch, ImageSet, Model } from "../core/types.ts";
import { fillHidden } from "./fill_hidden.ts";
import { toBytes } from "./generator.ts";
import { fitImages, type Restored, restoreImages, type RestoreSetting } from "./restore.ts";

/** Images whose hidden pixels are scored, at most: the first. */
const MOST = 1000;

/** Images across the picture, and rows of three: with pixels hidden, filled in, and whole. */
const COLUMNS = 10;
const GROUPS = 3;

/** The grey of hidden pixels in the picture. */
const GREY = 128;

/** The state, and the result if the model fills in hidden pixels. */
export interface Inpainted {
  readonly state: DeviceState;
  readonly inpainting?: Inpainting;
  /** Rows of ten images with hidden pixels in grey, each above rows of them filled in, and whole. */
  readonly shown?: ImageBatch;
}

type Filling = Pick<Model, "latents" | "partial" | "restoration">;

/**
 * Fills in the hidden pixels of the first 1000 of `images`, or of all: by the mean image of one draw z of the posterior given
 * the seen pixels, or by what a model without latents fits to them. Nothing if the model can do neither: its inference presumes
 * training on images with hidden pixels, and `train` has none. Consumes `state`.
 */
export async function inpaint(
  state: DeviceState,
  { model, device, key, images, train }: {
    readonly model: Filling;
    readonly device: Device;
    readonly key: Key;
    /** With hidden pixels. */
    readonly images: ImageSet;
    /** The images of the training. */
    readonly train: ImageSet;
  },
): Promise<Inpainted> {
  const fill = fillerOf(model, train);
  if (fill === undefined) return { state };
  const count = Math.min(MOST, images.count);
  const truth = firstImages(images, count);
  const blurred = fillHidden(truth);
  const setting = { device, key, images: blurred, what: "inpaintings" };
  const { state: reached, values: decoded } = await fill(state, setting);
  const size = decoded.length / count;
  const errorOf = (valueOf: (i: number) => number) => hiddenError(truth, valueOf);
  const average = meanImage(train);
  return {
    state: reached,
    inpainting: {
      images: count,
      hiddenShare: hiddenShare(truth),
      squaredError: errorOf((i) => decoded[i]),
      floors: {
        meanImage: errorOf((i) => average[i % size]),
        blur: errorOf((i) => blurred.pixels[i] / 255),
      },
    },
    shown: layOut(truth, toBytes(decoded)),
  };
}

/** How `model` fills in hidden pixels; undefined if it does not. */
function fillerOf(
  { latents, partial, restoration }: Filling,
  train: ImageSet,
): ((state: DeviceState, setting: RestoreSetting) => Promise<Restored>) | undefined {
  if (restoration) return (state, setting) => fitImages(state, { ...setting, restoration });
  if (latents === undefined || partial === undefined) return undefined;
  if (partial.needsPartialTraining && train.seen === undefined) return undefined;
  return (state, setting) =>
    restoreImages(state, {
      ...setting,
      restore: (tree, given, noise) => latents.decode(tree, partial.infer(tree, given, noise)),
    });
}

function hiddenShare({ seen }: ImageSet): number {
  const mask = seen ?? new Uint8Array();
  return 1 - mask.reduce((sum, one) => sum + one, 0) / mask.length;
}

/** Whether each value of `pixels` is hidden. */
function isHidden({ image: { channels }, seen }: ImageSet): (value: number) => boolean {
  return (value) => seen?.[Math.floor(value / channels)] === 0;
}

/** Mean over hidden values of (valueOf(i) - value i)^2 in the units of [0, 1]. */
function hiddenError(set: ImageSet, valueOf: (i: number) => number): number {
  const hidden = isHidden(set);
  let [sum, count] = [0, 0];
  for (let i = 0; i < set.pixels.length; i++) {
    if (!hidden(i)) continue;
    sum += (valueOf(i) - set.pixels[i] / 255) ** 2;
    count++;
  }
  return sum / count;
}

/** The mean of each value in [0, 1] over the images that show it; 1/2 where none does. */
function meanImage(set: ImageSet): Float64Array {
  const size = set.pixels.length / set.count;
  const hidden = isHidden(set);
  const [sums, counts] = [new Float64Array(size), new Float64Array(size)];
  set.pixels.forEach((value, i) => {
    if (hidden(i)) return;
    sums[i % size] += value / 255;
    counts[i % size]++;
  });
  return sums.map((sum, i) => counts[i] === 0 ? 0.5 : sum / counts[i]);
}

/** Groups of three rows: images with hidden pixels in grey, filled in from `decoded`, and whole. */
function layOut(set: ImageSet, decoded: Uint8Array): ImageBatch {
  const columns = Math.min(COLUMNS, set.count);
  const groups = Math.min(GROUPS, Math.floor(set.count / columns));
  const line = columns * set.pixels.length / set.count;
  const hidden = isHidden(set);
  const pixels = new Uint8Array(3 * groups * line);
  for (let group = 0; group < groups; group++) {
    for (let j = 0; j < line; j++) {
      const [from, at] = [group * line + j, 3 * group * line + j];
      pixels[at] = hidden(from) ? GREY : set.pixels[from];
      pixels[at + line] = hidden(from) ? decoded[from] : set.pixels[from];
      pixels[at + 2 * line] = set.pixels[from];
    }
  }
  return { image: set.image, count: 3 * groups * columns, pixels };
}

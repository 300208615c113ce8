/**
 * Converts pixels to Inception's input by the protocol of one of three well-known implementations.
 *
 * @module
 */
import { type Raster, resizeHalfPixel, resizePillowBicubic, resizeTensorflow1 } from "./resize.ts";

/**
 * Protocols. `tf`, the canonical one: TTUR, the LEBM papers and torch-fidelity. `pytorch-fid`: mseitzer/pytorch-fid.
 * `clean`: GaParmar/clean-fid. FIDs of different modes are not comparable.
 */
export const MODES = ["tf", "pytorch-fid", "clean"] as const;
/** Name of a protocol. */
export type Mode = typeof MODES[number];

/** Side of Inception's input in pixels. */
export const INPUT_SIDE = 299;

/** Converts pixels of `image` in [0, 255] to Inception's input [3, 299, 299] in [-1, 1]. */
export function preprocess(image: Raster, mode: Mode): Float32Array {
  const resized = resizeAs(image, mode);
  const area = INPUT_SIDE * INPUT_SIDE;
  const out = new Float32Array(3 * area);
  const f = Math.fround;
  for (let i = 0; i < area; i++) {
    for (let c = 0; c < 3; c++) {
      const value = resized[3 * i + c];
      // pytorch-fid scales bytes to [0, 1] and then to [-1, 1]; the 2015 graph maps 128 to 0.
      out[c * area + i] = mode === "pytorch-fid" ? f(2 * value) - 1 : f(value - 128) / 128;
    }
  }
  return out;
}

function resizeAs(image: Raster, mode: Mode): Float32Array | Uint8Array {
  const size = { height: INPUT_SIDE, width: INPUT_SIDE };
  const same = image.height === INPUT_SIDE && image.width === INPUT_SIDE;
  switch (mode) {
    case "tf":
      return same ? image.data : resizeTensorflow1(image, size);
    case "clean":
      return same ? image.data : resizePillowBicubic(image, size);
    case "pytorch-fid": {
      const unit = Float32Array.from(image.data, (v) => v / 255); // torchvision's ToTensor
      return same ? unit : resizeHalfPixel({ ...image, data: unit }, size);
    }
  }
}

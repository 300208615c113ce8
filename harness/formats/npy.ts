/**
 * numpy's .npy format, versions 1 to 3, for real arrays in float32 and float64
 * (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
 *
 * @module
 */

/** An array read from a .npy file, row-major, widened to float64. */
export interface NpyArray {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** Most axes of an array of NumPy 2. */
const AXES = 64;

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY

/** Reads one array. Throws SyntaxError if `bytes` is not .npy of type <f4 or <f8. */
export function readNpy(bytes: Uint8Array<ArrayBuffer>): NpyArray {
  if (bytes.length < 12 || MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw new SyntaxError("Not a .npy array: its signature is missing");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wide = bytes[6] >= 2;
  const headerLength = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  const start = (wide ? 12 : 10) + headerLength;
  if (start > bytes.length) throw new SyntaxError(".npy array ends within its header: truncated");
  const header = new TextDecoder().decode(bytes.subarray(wide ? 12 : 10, start));
  const descr = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  const shapeText = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  if (shapeText === undefined || order === undefined) {
    throw new SyntaxError(`.npy header is not readable: ${header.trim().slice(0, 80)}`);
  }
  if (descr !== "<f8" && descr !== "<f4") {
    throw new SyntaxError(`.npy array must be float32 or float64, got type ${descr ?? "unknown"}`);
  }
  const shape = shapeText.split(",").map((s) => s.trim()).filter((s) => s !== "").map(Number);
  if (shape.length > AXES) throw new SyntaxError(`.npy array has more than ${AXES} axes`);
  const count = shape.reduce((a, b) => a * b, 1);
  const size = descr === "<f8" ? 8 : 4;
  if (bytes.length - start !== count * size) {
    throw new SyntaxError(
      `.npy array of shape [${shape}] needs ${count * size} bytes, got ${bytes.length - start}`,
    );
  }
  const buffer = bytes.slice(start).buffer;
  const values = size === 8
    ? new Float64Array(buffer)
    : Float64Array.from(new Float32Array(buffer));
  return { shape, data: order === "True" ? rowMajor(values, shape) : values };
}

/** Encodes a float64 array as .npy, version 1. */
export function writeNpy({ shape, data }: NpyArray): Uint8Array<ArrayBuffer> {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const dict = `{'descr': '<f8', 'fortran_order': False, 'shape': ${tuple}, }`;
  const headerLength = Math.ceil((10 + dict.length + 1) / 64) * 64 - 10; // the data start at a multiple of 64
  const header = new TextEncoder().encode(`${dict.padEnd(headerLength - 1)}\n`);
  const out = new Uint8Array(10 + headerLength + 8 * data.length);
  out.set([...MAGIC, 1, 0, headerLength & 255, headerLength >> 8]);
  out.set(header, 10);
  out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + headerLength);
  return out;
}

/** Reorders column-major values of `shape` to row-major. */
function rowMajor(data: Float64Array, shape: readonly number[]): Float64Array {
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((a, b) => a * b, 1));
  const index = shape.map(() => 0);
  return data.map(() => {
    const value = data[index.reduce((at, i, axis) => at + i * strides[axis], 0)];
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--) {
      index[axis] = 0;
    }
    return value;
  });
}

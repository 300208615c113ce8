/** An operand of a convolution. */
interface Operand {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/**
 * Evaluates a two-dimensional `stablehlo.convolution` by its definition, summed in float64, for any layout: the output at
 * o is the sum over taps k and input features of lhs[(o stride + k rhs_dilate - low) / lhs_dilate] rhs[k], over the taps
 * whose index is an integer within lhs. Throws SyntaxError if `text` lacks dim_numbers.
 */
export function convolve(
  text: string,
  [lhs, rhs]: readonly Operand[],
  shape: readonly number[],
): Float64Array {
  const layout = /dim_numbers = \[(.*?)\]x\[(.*?)\]->\[(.*?)\]/.exec(text);
  if (!layout) throw new SyntaxError(`dim_numbers not found in ${text}`);
  const [image, filter, output] = layout.slice(1).map((l) => l.split(", "));
  const pair = (name: string) =>
    (new RegExp(`${name} = \\[(\\d+), (\\d+)\\]`).exec(text) ?? []).slice(1).map(Number);
  const [stride, lhsDilation, rhsDilation] = ["stride", "lhs_dilate", "rhs_dilate"].map(pair);
  const padding = /pad = \[\[(-?\d+), -?\d+\], \[(-?\d+),/.exec(text) ?? [];
  const low = padding.slice(1).map(Number);
  const sizes = (axes: string[], of: readonly number[], names: string[]) =>
    names.map((name) => of[axes.indexOf(name)]);
  const [n, height, width, channels] = sizes(image, lhs.shape, ["b", "0", "1", "f"]);
  const [kernelHeight, kernelWidth] = sizes(filter, rhs.shape, ["0", "1"]);
  const [, rows, columns, features] = sizes(output, shape, ["b", "0", "1", "f"]);
  const reader = (axes: string[], of: readonly number[]) => {
    const strides = of.map((_, i) => of.slice(i + 1).reduce((a, b) => a * b, 1));
    return (place: Readonly<Record<string, number>>) =>
      axes.reduce((sum, name, i) => sum + place[name] * strides[i], 0);
  };
  const imageAt = reader(image, lhs.shape);
  const filterAt = reader(filter, rhs.shape);
  const outputAt = reader(output, shape);
  /** The source row or column of output `o` and tap `k`, or -1. */
  const source = (o: number, k: number, axis: 0 | 1) => {
    const dilated = o * stride[axis] + k * rhsDilation[axis] - low[axis];
    return dilated % lhsDilation[axis] === 0 ? dilated / lhsDilation[axis] : -1;
  };
  const out = new Float64Array(shape.reduce((a, b) => a * b, 1));
  for (let b = 0; b < n; b++) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        for (let kRow = 0; kRow < kernelHeight; kRow++) {
          const y = source(row, kRow, 0);
          if (y < 0 || y >= height) continue;
          for (let kColumn = 0; kColumn < kernelWidth; kColumn++) {
            const x = source(column, kColumn, 1);
            if (x < 0 || x >= width) continue;
            for (let i = 0; i < channels; i++) {
              const value = lhs.data[imageAt({ b, f: i, 0: y, 1: x })];
              for (let o = 0; o < features; o++) {
                out[outputAt({ b, f: o, 0: row, 1: column })] += value *
                  rhs.data[filterAt({ i, o, 0: kRow, 1: kColumn })];
              }
            }
          }
        }
      }
    }
  }
  return out;
}

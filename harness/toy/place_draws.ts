import type { DrawsArray } from "../formats/draws_file.ts";
import type { Draws, Target } from "../core/toy_types.ts";

/**
 * Arranges an array of draws of `target`, whose axes are [chains, draws, points, dim] or fewer: an axis of points may be missing
 * if there is one posterior, one of coordinates if there is one coordinate, and one of chains if there is one chain. Throws
 * RangeError for a shape that does not fit. The result has as many points as the array.
 */
export function placeDraws(
  { shape, data, sampleAxes }: DrawsArray,
  { name, points, dim, answer }: Pick<Target, "name" | "points" | "dim" | "answer">,
): Draws {
  const isOne = points === 1 || (answer.kind === "grid" && answer.shared);
  /** Axes of one draw that would do: of all points, or of one where all have the same posterior. */
  const forms = [
    [points, dim],
    ...(isOne ? [[1, dim], [dim]] : []),
    ...(dim === 1 ? [[points]] : []),
    ...(isOne && dim === 1 ? [[]] : []),
    [points * dim],
  ];
  const form = forms.find((form) => {
    const lead = shape.length - form.length;
    const isLead = sampleAxes === undefined ? lead === 1 || lead === 2 : lead === sampleAxes;
    return isLead && form.every((size, i) => shape[lead + i] === size);
  });
  if (!form) {
    const each = isOne
      ? (dim === 1 ? "" : `, ${dim}`)
      : dim === 1
      ? `, ${points}`
      : `, ${points}, ${dim}`;
    throw new RangeError(
      `Draws of target ${name} must have the shape [chains, draws${each}] or [draws${each}], got [${
        shape.join(", ")
      }]`,
    );
  }
  const [chains, count] = shape.length - form.length === 2 ? shape : [1, shape[0]];
  const width = form.reduce((a, b) => a * b, 1);
  const out = new Float32Array(data.length); // [draws, chains, points, dim]
  for (let c = 0; c < chains; c++) {
    for (let t = 0; t < count; t++) {
      const from = (c * count + t) * width;
      out.set(data.subarray(from, from + width), (t * chains + c) * width);
    }
  }
  return { count, chains, points: width / dim, dim, data: out };
}

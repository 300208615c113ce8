/** Average pooling along one axis. @module */

/** Pooling along an axis; one of images or channels has windows of one. */
export interface PooledAxis {
  /** Elements of the input. */
  readonly size: number;
  readonly filter: number;
  readonly stride: number;
  /** Zeros before the first element and behind the last one. */
  readonly padding: readonly [before: number, after: number];
  readonly outSize: number;
}

/** Facts of tfjs about pooling an image or a slice of a volume. */
interface PlaneInfo {
  readonly inHeight: number;
  readonly inWidth: number;
  readonly filterHeight: number;
  readonly filterWidth: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly padInfo: Readonly<Record<"top" | "bottom" | "left" | "right", number>>;
}

/** The axes of height and width. */
export function planeAxes(
  { padInfo: { top, bottom, left, right }, ...info }: PlaneInfo,
): [rows: PooledAxis, columns: PooledAxis] {
  return [
    {
      size: info.inHeight,
      filter: info.filterHeight,
      stride: info.strideHeight,
      padding: [top, bottom],
      outSize: info.outHeight,
    },
    {
      size: info.inWidth,
      filter: info.filterWidth,
      stride: info.strideWidth,
      padding: [left, right],
      outSize: info.outWidth,
    },
  ];
}

/** The size of the whole window over that of its part inside of the input, for each of `outSize` outputs. */
export function windowExcess({ size, filter, stride, padding, outSize }: PooledAxis): number[] {
  return Array.from({ length: outSize }, (_, i) => {
    const start = i * stride - padding[0];
    return filter / (Math.min(start + filter, size) - Math.max(start, 0));
  });
}

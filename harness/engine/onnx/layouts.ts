/**
 * The two layouts of a value of rank 4: plain [n, h, w, c], as in tfjs; and blocked [n, c/b, h, w, b] under the nominal
 * shape [n, c, h, w], the fastest layout for ONNX Runtime's convolutions. Its c is rounded up to whole blocks. Where c is
 * half a block, two neighbouring images share a block, [n/2, 1, h, w, b], as if they were one of twice the channels.
 *
 * @module
 */
import type { Value } from "../graph/graph.ts";
import { Emitter } from "./emit.ts";

const NCHWC = "com.microsoft.nchwc";

/** Names of written values by layout; converts between layouts on demand. */
export class Layouts {
  readonly emitter = new Emitter();
  /** Channels per block; 0 for plain layout everywhere. */
  readonly block: number;
  readonly #plain = new Map<Value, string>();
  readonly #blocked = new Map<Value, string>();

  constructor(block: number) {
    this.block = block;
  }

  /** Records that `value` was written in plain layout as `name`. */
  setPlain(value: Value, name: string): void {
    this.#plain.set(value, name);
  }

  /** Records that `value` was written in blocked layout as `name`. */
  setBlocked(value: Value, name: string): void {
    this.#blocked.set(value, name);
  }

  /** Name of `value` in plain layout. */
  plain(value: Value): string {
    let name = this.#plain.get(value);
    if (name === undefined) {
      const blocked = this.#blocked.get(value);
      if (blocked === undefined) {
        throw new Error(`Value ${value.id} (${value.op}) was read before it was lowered`);
      }
      name = this.imagesPerBlock(value.shape) === 2
        ? this.#swapLanes(blocked, value.shape, "apart")
        : this.#isOneBlock(value)
        ? this.emitter.reshape(blocked, value.shape)
        : this.#asFloat(value, blocked, (x) => this.reorderOutput(x, value.shape[3]));
      this.#plain.set(value, name);
    }
    return name;
  }

  /** Name of `value` [n, h, w, c] in blocked layout, in which it was computed unless c fills half a block or whole ones. */
  blocked(value: Value): string {
    let name = this.#blocked.get(value);
    if (name === undefined) {
      name = this.imagesPerBlock(value.shape) === 2
        ? this.#swapLanes(this.plain(value), value.shape, "together")
        : this.#isOneBlock(value)
        ? this.emitter.reshape(this.plain(value), this.nominal(value.shape))
        : this.#asFloat(value, this.plain(value), (x) => this.reorderInput(x));
      this.#blocked.set(value, name);
    }
    return name;
  }

  /** Every second image of `value` from number `first` on, plain [n / 2, h, w, c]: faster than to take blocks apart. */
  everySecond(value: Value, first: number): string {
    const [n, h, w, c] = value.shape;
    const e = this.emitter;
    const blocked = this.imagesPerBlock(value.shape) === 2 ? this.#blocked.get(value) : undefined;
    const [name, rows, size] = blocked === undefined
      ? [this.plain(value), n / 2, h * w * c]
      : [blocked, n / 2 * h * w, c];
    const half = e.slice(e.reshape(name, [rows, 2 * size]), {
      shape: [rows, 2 * size],
      axes: [1],
      begin: [first * size],
      end: [(first + 1) * size],
    });
    return e.reshape(half, [n / 2, h, w, c]);
  }

  /** Converts plain to blocked. */
  reorderInput(x: string): string {
    return this.emitter.node("ReorderInput", [x], { channels_last: 1 }, NCHWC);
  }

  /** Converts blocked to plain and keeps the first `channels`. */
  reorderOutput(x: string, channels: number): string {
    return this.emitter.node("ReorderOutput", [x], { channels, channels_last: 1 }, NCHWC);
  }

  /** Converts blocked to [n, c, h, w] and keeps the first `channels`. */
  reorderToPlanes(x: string, channels: number): string {
    return this.emitter.node("ReorderOutput", [x], { channels, channels_last: 0 }, NCHWC);
  }

  /** Whether `value` was computed in blocked layout. */
  isBlocked(value: Value): boolean {
    return this.#blocked.has(value);
  }

  /** Whether `channels` fill whole blocks. */
  fitsBlocks(channels: number): boolean {
    return this.block > 0 && channels % this.block === 0;
  }

  /**
   * Whether results of `channels` stay blocked: those that fill whole blocks, or at least half of one. The channels beyond hold
   * finite numbers of no meaning, unless a second image fills them; filters have zeros for them.
   */
  staysBlocked(channels: number): boolean {
    return this.fitsBlocks(channels) || channels < this.block && 2 * channels >= this.block;
  }

  /** Number of images of `shape` [n, h, w, c] that share a block: 2 where c is half a block and n is even. */
  imagesPerBlock([n, , , c]: readonly number[]): 1 | 2 {
    return this.block > 0 && 2 * c === this.block && n % 2 === 0 ? 2 : 1;
  }

  /** The nominal shape of a value of `shape` [n, h, w, c] in blocked layout. */
  nominal(shape: readonly number[]): [number, number, number, number] {
    const images = this.imagesPerBlock(shape);
    const [n, h, w, c] = shape;
    return [n / images, this.padded(images * c), h, w];
  }

  /** Rounds a number of channels up to whole blocks. */
  padded(channels: number): number {
    return Math.ceil(channels / this.block) * this.block;
  }

  /** Views a blocked array of a value of `shape` as [n, c/b, h, w, b]. */
  fiveAxes(name: string, shape: readonly number[]): string {
    const [n, c, h, w] = this.nominal(shape);
    return this.emitter.reshape(name, [n, c / this.block, h, w, this.block]);
  }

  /** Puts two images of half a block each into one, or takes them apart; `shape` is the plain one. */
  #swapLanes(name: string, shape: readonly number[], to: "together" | "apart"): string {
    const [n, h, w, c] = shape;
    const [from, result] = to === "together"
      ? [[n / 2, 2, h * w, c], this.nominal(shape)]
      : [[n / 2, h * w, 2, c], shape];
    const e = this.emitter;
    return e.reshape(e.transpose(e.reshape(name, from), [0, 2, 1, 3]), result);
  }

  /** Whether the channels of `value` are one block: both layouts have the same order. */
  #isOneBlock({ shape }: Value): boolean {
    return this.block > 0 && shape[3] === this.block;
  }

  #asFloat(value: Value, name: string, reorder: (x: string) => string): string {
    if (value.type === "float32") return reorder(name);
    return this.emitter.cast(reorder(this.emitter.cast(name, "float32")), value.type);
  }
}

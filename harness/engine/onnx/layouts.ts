/**
 * The two layouts of a value of rank 4: plain [n, h, w, c], as in tfjs; and blocked [n, c/b, h, w, b] under the nominal
 * shape [n, c, h, w], the fastest layout for ONNX Runtime's convolutions. Its c is rounded up to whole blocks.
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
      name = this.#asFloat(value, blocked, (x) => this.reorderOutput(x, value.shape[3]));
      this.#plain.set(value, name);
    }
    return name;
  }

  /** Name of `value` [n, h, w, c] in blocked layout, in which it was computed unless c fills whole blocks. */
  blocked(value: Value): string {
    let name = this.#blocked.get(value);
    if (name === undefined) {
      name = this.#asFloat(value, this.plain(value), (x) => this.reorderInput(x));
      this.#blocked.set(value, name);
    }
    return name;
  }

  /** Converts plain to blocked. */
  reorderInput(x: string): string {
    return this.emitter.node("ReorderInput", [x], { channels_last: 1 }, NCHWC);
  }

  /** Converts blocked to plain and keeps the first `channels`. */
  reorderOutput(x: string, channels: number): string {
    return this.emitter.node("ReorderOutput", [x], { channels, channels_last: 1 }, NCHWC);
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
   * finite numbers of no meaning; filters have zeros for them.
   */
  staysBlocked(channels: number): boolean {
    return this.fitsBlocks(channels) || channels < this.block && 2 * channels >= this.block;
  }

  /** Rounds a number of channels up to whole blocks. */
  padded(channels: number): number {
    return Math.ceil(channels / this.block) * this.block;
  }

  /** Views a blocked array as [n, c/b, h, w, b]. */
  fiveAxes(name: string, [n, h, w, c]: readonly number[]): string {
    return this.emitter.reshape(name, [n, this.padded(c) / this.block, h, w, this.block]);
  }

  #asFloat(value: Value, name: string, reorder: (x: string) => string): string {
    if (value.type === "float32") return reorder(name);
    return this.emitter.cast(reorder(this.emitter.cast(name, "float32")), value.type);
  }
}

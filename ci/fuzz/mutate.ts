/**
 * Mutated inputs: input i of a reader is a function of the reader's name and i, so that a campaign can stop and go on, and a
 * fault can be repeated.
 *
 * @module
 */
import { createHash } from "node:crypto";

/** Uniform integers from 0 to `below` - 1. */
export type Draw = (below: number) => number;

/** A generator of integers by the state `seed` (mulberry32, a public-domain generator of 32 bits of state). */
export function draws(seed: number): Draw {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor(((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32 * below);
  };
}

/** Integers at which sizes and counts go wrong. */
const EDGES = [
  0,
  1,
  2,
  0x7f,
  0x80,
  0xff,
  0x7fff,
  0x8000,
  0xffff,
  0x10000,
  0x7fffffff,
  0x80000000,
  0xffffffff,
];

/** Longest input, in bytes. */
const LIMIT = 2 ** 20;

/** Input `index` of the reader `name`: one of `seeds`, changed in one to eight places. Inputs 0, 1, ... are the seeds themselves. */
export function mutatedInput(
  seeds: readonly Uint8Array[],
  { name, index }: { readonly name: string; readonly index: number },
): Uint8Array<ArrayBuffer> {
  if (index < seeds.length) return new Uint8Array(seeds[index]);
  const digest = createHash("sha256").update(`${name} ${index}`).digest();
  const draw = draws(digest.readUInt32LE(0));
  let bytes = new Uint8Array(seeds[draw(seeds.length)]);
  for (let count = 1 + draw(8); count > 0; count--) {
    bytes = CHANGES[draw(CHANGES.length)](bytes, { draw, seeds }).subarray(0, LIMIT);
  }
  return bytes;
}

type Change = (
  bytes: Uint8Array<ArrayBuffer>,
  context: { readonly draw: Draw; readonly seeds: readonly Uint8Array[] },
) => Uint8Array<ArrayBuffer>;

const CHANGES: readonly Change[] = [
  function flipBit(bytes, { draw }) {
    if (bytes.length > 0) bytes[draw(bytes.length)] ^= 1 << draw(8);
    return bytes;
  },
  function setByte(bytes, { draw }) {
    if (bytes.length > 0) bytes[draw(bytes.length)] = draw(256);
    return bytes;
  },
  function setInteger(bytes, { draw }) {
    const size = [1, 2, 4, 8][draw(4)];
    if (bytes.length < size) return bytes;
    const value = BigInt.asUintN(
      8 * size,
      BigInt(EDGES[draw(EDGES.length)]) << BigInt(draw(2) * 24),
    );
    const at = draw(bytes.length - size + 1);
    const isLittle = draw(2) === 0;
    for (let i = 0; i < size; i++) {
      bytes[at + (isLittle ? i : size - 1 - i)] = Number(value >> BigInt(8 * i) & 0xffn);
    }
    return bytes;
  },
  function setDigit(bytes, { draw }) {
    const digits = [...bytes.keys()].filter((at) => bytes[at] >= 0x30 && bytes[at] <= 0x39);
    if (digits.length > 0) bytes[digits[draw(digits.length)]] = 0x30 + draw(10);
    return bytes;
  },
  function truncate(bytes, { draw }) {
    return bytes.slice(0, draw(bytes.length + 1));
  },
  function remove(bytes, { draw }) {
    const [start, end] = range(bytes, draw);
    return join(bytes.subarray(0, start), bytes.subarray(end));
  },
  function repeat(bytes, { draw }) {
    const [start, end] = range(bytes, draw);
    const times = [2, 2, 3, 10, 1000][draw(5)];
    const copies = Array.from({ length: times }, () => bytes.subarray(start, end));
    return join(
      bytes.subarray(0, start),
      ...copies.slice(0, 1 + LIMIT / Math.max(1, end - start)),
      bytes.subarray(end),
    );
  },
  function insert(bytes, { draw }) {
    const at = draw(bytes.length + 1);
    const added = Uint8Array.from({ length: 1 + draw(16) }, () => draw(256));
    return join(bytes.subarray(0, at), added, bytes.subarray(at));
  },
  function splice(bytes, { draw, seeds }) {
    const other = seeds[draw(seeds.length)];
    const [start, end] = range(other, draw);
    const at = draw(bytes.length + 1);
    return join(bytes.subarray(0, at), other.subarray(start, end), bytes.subarray(at));
  },
];

/** A range of `bytes`, short ones more often. */
function range(bytes: Uint8Array, draw: Draw): [number, number] {
  const start = draw(bytes.length + 1);
  const longest = draw(2) === 0 ? 16 : bytes.length;
  return [start, Math.min(bytes.length, start + draw(longest + 1))];
}

function join(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

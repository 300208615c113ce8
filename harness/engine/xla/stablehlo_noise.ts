/**
 * The random numbers of noise.ts as operations of the graph. The bits are the same, so uniforms are equal bit for bit.
 * Normals use the same float32 formulas and differ only where a compiler fuses a product and a sum (both are within
 * 1e-6 of exact arithmetic).
 *
 * @module
 */
import type { Key, NoiseKind } from "../../core/noise.ts";
import {
  COSINE,
  LARGE_SIGNIFICAND,
  LN2_HIGH,
  LN2_LOW,
  LOGARITHM,
  PARITY,
  ROTATIONS,
  SINE,
} from "../../core/noise_constants.ts";
import type { Term, Writer } from "./stablehlo_writer.ts";

/** Writes draws [m, width] of the stream of `key` at each of `counters` (int32 [m]). */
export function writeNoise(
  w: Writer,
  counters: Term,
  { key, width, kind }: { readonly key: Key; readonly width: number; readonly kind: NoiseKind },
): Term {
  const rows = counters.shape[0];
  const blocks = Math.ceil(width / 2);
  const column = w.reshape(w.bitcast(counters, "uint32"), [rows, 1]);
  const [a, b] = threefry(w, key, {
    block: w.iota([rows, blocks], 1, "uint32"),
    counter: w.broadcast(column, [rows, blocks]),
  });
  const pair = kind === "normal" ? boxMuller(w, a, b) : [unit(w, a), unit(w, b)];
  // The two words of a block are adjacent.
  const open = pair.map((t) => w.reshape(t, [rows, blocks, 1]));
  const all = w.reshape(w.concat(open, 2), [rows, 2 * blocks]);
  if (width === 2 * blocks) return all;
  return w.slice(all, { begin: [0, 0], end: [rows, width], steps: [1, 1] });
}

/** Writes threefry2x32 with 20 rounds: the two uint32 words of each block. */
function threefry(
  w: Writer,
  key: Key,
  { block, counter }: { block: Term; counter: Term },
): [Term, Term] {
  const word = (x: number) => w.constant(x >>> 0, [], "uint32");
  const add = (x: Term, y: Term) => w.binary("add", x, y);
  const schedule = [key[0], key[1], key[0] ^ key[1] ^ PARITY];
  let x0 = add(block, word(schedule[0]));
  let x1 = add(counter, word(schedule[1]));
  for (let group = 0; group < 5; group++) {
    for (const r of ROTATIONS[group & 1]) {
      x0 = add(x0, x1);
      const rotated = w.binary(
        "or",
        w.binary("shift_left", x1, word(r)),
        w.binary("shift_right_logical", x1, word(32 - r)),
      );
      x1 = w.binary("xor", rotated, x0);
    }
    x0 = add(x0, word(schedule[(group + 1) % 3]));
    x1 = add(x1, word(schedule[(group + 2) % 3] + group + 1));
  }
  return [x0, x1];
}

/** Converts the upper 24 bits to a float in [0, 1). */
function unit(w: Writer, bits: Term): Term {
  const upper = w.binary("shift_right_logical", bits, w.constant(8, [], "uint32"));
  return w.binary("multiply", w.convert(upper, "float32"), w.constant(2 ** -24));
}

/** Converts two words to two normals, as `boxMuller` of noise.ts. */
function boxMuller(w: Writer, a: Term, b: Term): [Term, Term] {
  const c = (x: number) => w.constant(x);
  const mul = (x: Term, y: Term) => w.binary("multiply", x, y);
  const add = (x: Term, y: Term) => w.binary("add", x, y);
  const radius = w.unary("sqrt", mul(logarithm(w, a), c(-2)));
  // The angle is a quadrant plus a remainder in [-pi/4, pi/4].
  const turns = mul(unit(w, b), c(4));
  const quadrant = w.unary("floor", add(turns, c(0.5)));
  const x = mul(w.binary("subtract", turns, quadrant), c(Math.PI / 2));
  const z = mul(x, x);
  const sine = add(mul(mul(horner(w, SINE, z), z), x), x);
  const cosine = add(
    w.binary("subtract", mul(mul(horner(w, COSINE, z), z), z), mul(z, c(0.5))),
    c(1),
  );
  const q = w.convert(quadrant, "int32"); // 0 to 4
  const bit = (n: number) =>
    w.compare(
      "GT",
      w.binary("and", q, w.constant(n, [], "int32")),
      w.constant(0, [], "int32"),
    );
  const odd = bit(1);
  const high = bit(2);
  const isCosNegative = w.binary("xor", odd, high); // quadrants 1 and 2
  const signed = (negative: Term, y: Term) => w.select(negative, w.unary("negate", y), y);
  return [
    mul(radius, signed(isCosNegative, w.select(odd, sine, cosine))),
    mul(radius, signed(high, w.select(odd, cosine, sine))),
  ];
}

/** Writes ln((word + 1)/2^32). */
function logarithm(w: Writer, word: Term): Term {
  const c = (x: number) => w.constant(x);
  const bits = (x: number) => w.constant(x, [], "uint32");
  const mul = (x: Term, y: Term) => w.binary("multiply", x, y);
  const add = (x: Term, y: Term) => w.binary("add", x, y);
  const sub = (x: Term, y: Term) => w.binary("subtract", x, y);
  const u = w.bitcast(mul(add(w.convert(word, "float32"), c(1)), c(2 ** -32)), "uint32");
  // u = m 2^e with m in [sqrt(1/2), sqrt(2)).
  const significand = w.bitcast(
    w.binary("or", w.binary("and", u, bits(0x007fffff)), bits(0x3f800000)),
    "float32",
  );
  const large = w.compare("GT", significand, c(LARGE_SIGNIFICAND));
  const m = w.select(large, mul(significand, c(0.5)), significand);
  const exponent = sub(
    w.convert(w.binary("shift_right_logical", u, bits(23)), "float32"),
    c(127),
  );
  const e = add(exponent, w.convert(large, "float32"));
  const x = sub(m, c(1));
  const z = mul(x, x);
  const y = sub(
    add(mul(mul(horner(w, LOGARITHM, x), x), z), mul(e, c(LN2_LOW))),
    mul(z, c(0.5)),
  );
  return add(add(x, y), mul(e, c(LN2_HIGH)));
}

function horner(w: Writer, [first, ...rest]: readonly number[], x: Term): Term {
  return rest.reduce(
    (sum, c) => w.binary("add", w.binary("multiply", sum, x), w.constant(c)),
    w.broadcast(w.constant(first), x.shape),
  );
}
